import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Event, host, type Profile, type TrafficSelector } from "ikelet";
import { fixChecksum, type Nat, type NatOptions } from "ikelet/nat.js";
import { connect, makeProfile, octets, only } from "../initiator/harness.ts";
import { seen } from "../initiator/scenes.ts";
import {
  concat,
  Exchange,
  editBody,
  hex,
  ipv4,
  type Options,
  openEsp,
  type Payload,
  range,
  readTs,
  type Selector,
  sealEsp,
  Type,
  towardsDevice,
  ts,
  tsBody,
  vendorId,
} from "../responder/index.ts";
import { type Behind, DEVICE, ends, GATEWAY, INNER, MAPPED, traversing } from "./path.ts";

/** UDP port 161 of both, which is as specific as a sensor needs it. */
function only161(selector: TrafficSelector): TrafficSelector {
  return { ...selector, protocol: 17, startPort: 161, endPort: 161 };
}

const CHILD: Profile["child"] = {
  cipher: makeProfile().child.cipher,
  mode: "transport",
  local: only161(host(DEVICE.address)),
  remote: only161(host(GATEWAY.address)),
};

/** The selectors as the gateway sees them after its own substitution: what a real one answers. */
function substituted(behind: Behind, more: Partial<Selector> = {}): NonNullable<Options["edit"]> {
  const { local, remote } = ends(behind);
  const one = ({ address }: { address: Uint8Array }, port = 161) =>
    tsBody([
      {
        type: address.length > 4 ? 8 : 7,
        protocol: 17,
        startPort: port,
        endPort: port,
        start: address,
        end: address,
        ...more,
      },
    ]);
  return {
    auth: (payloads) =>
      editBody(
        editBody(payloads, Type.TSi, () => one(remote)),
        Type.TSr,
        () => one(local),
      ),
  };
}

function transport(
  behind: Behind,
  edit: NonNullable<Options["edit"]> = substituted(behind),
  natOptions: Partial<NatOptions> = {},
  child: Partial<Profile["child"]> = {},
  options: Partial<Options> = {},
): { events: readonly Event[]; traversal: Nat } & ReturnType<typeof connect> {
  const traversal = traversing(natOptions);
  const found = connect(
    { extensions: [traversal], child: { ...CHILD, ...child } },
    { nat: ends(behind), edit, ...options },
  );
  assert.deepEqual(found.gateway.violations, []);
  return { ...found, events: found.device.events, traversal };
}

function refused(reason: string, found: ReturnType<typeof transport>): void {
  assert.equal(only(found.events, "child-failed").reason, reason);
  assert.deepEqual(
    found.events.filter(({ type }) => type === "established"),
    [],
  );
}

const BEHIND: Behind[] = [{}, { device: true }, { gateway: true }, { device: true, gateway: true }];

test("what is offered in transport mode is one address each, with protocol and port [7296-2.23.1-b, 7296-2.23.1-c]", () => {
  const { gateway } = transport({ device: true });
  const { payloads } = seen(gateway, Exchange.IKE_AUTH);
  for (const [type, address] of [
    [Type.TSi, DEVICE.address],
    [Type.TSr, GATEWAY.address],
  ] as const) {
    const body = payloads.find((payload) => payload.type === type)!.body;
    const expected = range("0.0.0.0", "0.0.0.0", { protocol: 17, startPort: 161, endPort: 161 });
    assert.deepEqual(readTs(body), [{ ...expected, start: address, end: address }]);
  }
});

test("the gateway answers with the addresses that it sees; ours are put in their place, and kept at hand [7296-2.23.1-b]", () => {
  for (const behind of BEHIND) {
    const { events, device, traversal } = transport(behind);
    const { child } = only(events, "established");
    assert.deepEqual(child.local, [CHILD.local]);
    assert.deepEqual(child.remote, [CHILD.remote]);
    const { local, remote } = ends(behind);
    assert.deepEqual(traversal.state(device.session), {
      local: !!behind.device,
      remote: !!behind.gateway,
      original: concat(remote.address, local.address),
    });
    assert.deepEqual(structuredClone(device.session), device.session);
  }
});

test("nothing but the selectors is translated, however much it looks like one [7296-2.23.1-b]", () => {
  const behind = { device: true, gateway: true };
  const edit = (payloads: Payload[]) => [
    vendorId(octets(8)),
    vendorId(new Uint8Array(20)),
    ...substituted(behind).auth!(payloads),
  ];
  const { device, traversal } = transport(behind, { auth: edit });
  const { local, remote } = ends(behind);
  assert.deepEqual(traversal.state(device.session)!.original, concat(remote.address, local.address));
});

test("without a NAT at an end, its address in the answer has to be ours [7296-2.23.1-b]", () => {
  // The NATs that there are, and those that the selectors of the gateway speak of.
  for (const real of BEHIND)
    for (const told of BEHIND) {
      const found = transport(real, substituted(told));
      const wrong = (told.device && !real.device) || (told.gateway && !real.gateway);
      if (wrong) refused("selectors", found);
      else only(found.events, "established");
    }
});

test("the substitution changes addresses only: other ports, protocols or more addresses are refused [7296-2.23.1-b]", () => {
  const both = { device: true, gateway: true };
  for (const wider of [{ startPort: 160 }, { endPort: 162 }, { protocol: 6 }, { protocol: 0 }])
    refused("selectors", transport(both, substituted(both, wider)));
  const bodies = [
    // A range, two selectors, none, another IP version, a body that ends too soon, and more than the Length says.
    tsBody([range("203.0.113.9", "203.0.113.10", { protocol: 17, startPort: 161, endPort: 161 })]),
    tsBody(
      [...new Array(2)].map(() =>
        range("203.0.113.9", undefined, { protocol: 17, startPort: 161, endPort: 161 }),
      ),
    ),
    tsBody([]),
    tsBody([{ ...range("0.0.0.0"), type: 8, start: octets(16), end: octets(16) }]),
    new Uint8Array(0),
    new Uint8Array(12),
    tsBody([range("203.0.113.9", undefined, { protocol: 17, startPort: 161, endPort: 161 })]).slice(0, 12),
    tsBody([range("203.0.113.9", undefined, { protocol: 17, startPort: 161, endPort: 161 })]).slice(0, 18),
    concat(
      tsBody([range("203.0.113.9", undefined, { protocol: 17, startPort: 161, endPort: 161 })]),
      octets(4),
    ),
  ];
  for (const body of bodies)
    for (const type of [Type.TSi, Type.TSr])
      refused(
        "selectors",
        transport(both, {
          auth: (payloads) => editBody(substituted(both).auth!(payloads), type, () => body),
        }),
      );
  // Narrowing within the answer is as good as ever.
  const wide = { protocol: 0, startPort: 0, endPort: 65535 };
  const { events } = transport(
    both,
    substituted(both),
    {},
    {
      local: { ...CHILD.local, ...wide },
      remote: { ...CHILD.remote, ...wide },
    },
  );
  assert.deepEqual(only(events, "established").child.local, [CHILD.local]);
});

test("a tunnel is not translated: its addresses are behind the ends [7296-2.23.1-b]", () => {
  const both = { device: true, gateway: true };
  refused("selectors", transport(both, substituted(both), {}, { mode: "tunnel" }));
  // Nor if the gateway grants a tunnel where transport mode was asked for.
  refused("selectors", transport(both, substituted(both), {}, {}, { child: { tunnelOnly: true } }));
  refused("mode", transport(both, {}, {}, {}, { child: { tunnelOnly: true } }));
});

test("without NAT detection nothing is translated [7296-2.23.1-b]", () => {
  const options = { nat: undefined as never };
  refused("selectors", transport({}, substituted({ device: true }), {}, {}, options));
  only(transport({}, {}, {}, {}, options).events, "established");
});

test("who does not know his own address cannot tell what the gateway means [7296-2.23.1-b]", () => {
  const own = { local: undefined as never };
  refused("selectors", transport({ device: true }, substituted({ device: true }), own));
  only(transport({ device: true }, substituted({ device: true }), { force: true }).events, "established");
});

test("IPv6 through NATs in transport mode [7296-2.23.1-b]", () => {
  const at = (name: string) => ({ address: octets(16, name), port: 500 });
  const [local, remote, mapped, inner] = [at("local"), at("remote"), at("mapped"), at("inner")];
  const selector = (payload: number, { address }: { address: Uint8Array }) =>
    ts(payload, [{ type: 8, protocol: 17, startPort: 161, endPort: 161, start: address, end: address }]).body;
  const edit: NonNullable<Options["edit"]> = {
    auth: (payloads) =>
      editBody(
        editBody(payloads, Type.TSi, () => selector(Type.TSi, mapped)),
        Type.TSr,
        () => selector(Type.TSr, inner),
      ),
  };
  const child = { local: only161(host(local.address)), remote: only161(host(remote.address)) };
  const { events, traversal, device } = transport({}, edit, { local, remote }, child, {
    nat: { local: inner, remote: mapped },
  });
  const established = only(events, "established");
  assert.deepEqual([established.child.local, established.child.remote], [[child.local], [child.remote]]);
  assert.deepEqual(traversal.state(device.session)?.original, concat(mapped.address, inner.address));
});

/** RFC 1071 over the pseudo-header of RFC 768, 793 or 8200 and the segment, whose own checksum counts as zero. */
function checksum(protocol: number, addresses: Uint8Array, segment: Uint8Array): number {
  const at = protocol === 17 ? 6 : 16;
  const bare = segment.slice();
  bare.set([0, 0], at);
  const pseudo =
    addresses.length > 8
      ? [0, 0, segment.length >> 8, segment.length & 255, 0, 0, 0, protocol]
      : [0, protocol, segment.length >> 8, segment.length & 255];
  const all = concat(addresses, Uint8Array.from(pseudo), bare, new Uint8Array(bare.length % 2));
  let sum = 0;
  for (let i = 0; i < all.length; i += 2) sum += all[i]! * 256 + all[i + 1]!;
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  const result = 0xffff - sum;
  // RFC 768: a computed zero is transmitted as all ones, because zero says that there is none.
  return protocol === 17 && result === 0 ? 0xffff : result;
}

function withChecksum(protocol: number, addresses: Uint8Array, segment: Uint8Array): Uint8Array {
  const value = checksum(protocol, addresses, segment);
  const copy = segment.slice();
  copy.set([value >> 8, value & 255], protocol === 17 ? 6 : 16);
  return copy;
}

test("a checksum that is put right is the one that is computed from scratch [3948-3.1.2-a]", () => {
  const pair = fc
    .constantFrom(8, 32)
    .chain((length) =>
      fc.tuple(
        fc.uint8Array({ minLength: length, maxLength: length }),
        fc.uint8Array({ minLength: length, maxLength: length }),
      ),
    );
  const segment = fc.oneof(
    fc.uint8Array({ minLength: 20, maxLength: 90 }),
    // Sums that are near to zero and to all ones.
    fc.array(fc.constantFrom(0, 0xff), { minLength: 20, maxLength: 40 }).map((list) => Uint8Array.from(list)),
  );
  fc.assert(
    fc.property(fc.constantFrom(6, 17), pair, segment, (protocol, [original, seen], data) => {
      const sent = withChecksum(protocol, original, data);
      const copy = sent.slice();
      const fixed = fixChecksum(protocol, sent, original, seen);
      assert.equal(hex(fixed), hex(withChecksum(protocol, seen, data)));
      assert.deepEqual(sent, copy);
    }),
    { numRuns: 2000 },
  );
});

test("a result of zero is all ones in UDP, and zero in TCP [3948-3.1.2-a]", () => {
  const [original, seen] = [concat(MAPPED.address, INNER.address), concat(DEVICE.address, GATEWAY.address)];
  for (const [protocol, expected] of [
    [17, 0xffff],
    [6, 0],
  ] as const) {
    // The word that makes the sum all ones.
    const bare = new Uint8Array(24);
    const rest = checksum(protocol, seen, bare);
    bare.set([rest >> 8, rest & 255], 22);
    const sent = withChecksum(protocol, original, bare);
    const fixed = fixChecksum(protocol, sent, original, seen);
    const at = protocol === 17 ? 6 : 16;
    assert.equal(fixed[at]! * 256 + fixed[at + 1]!, expected);
    // And back: in TCP zero is a checksum like any other.
    assert.deepEqual(fixChecksum(protocol, fixed, seen, original), sent);
  }
});

test("a UDP segment without a checksum stays without one, and what has none is left alone [3948-3.1.2-a]", () => {
  const [original, seen] = [ipv4("203.0.113.9"), ipv4("10.0.0.2")];
  const empty = withChecksum(17, concat(original, seen), octets(8));
  assert.notDeepEqual(fixChecksum(17, empty, original, seen), empty);
  const udp = octets(30);
  udp.set([0, 0], 6);
  assert.deepEqual(fixChecksum(17, udp, original, seen), udp);
  for (const protocol of [0, 1, 50, 58, 132, 136])
    assert.deepEqual(fixChecksum(protocol, octets(30), original, seen), octets(30));
  for (let length = 0; length < 18; length++) {
    assert.deepEqual(fixChecksum(6, octets(length), original, seen), octets(length));
    if (length < 8) assert.deepEqual(fixChecksum(17, octets(length), original, seen), octets(length));
  }
});

test("a datagram through both NATs comes out with the checksum of the addresses that we know [3948-3.1.2-a]", () => {
  const { events, gateway, traversal, device } = transport({ device: true, gateway: true });
  const { child } = only(events, "established");
  const peer = gateway.sa.child!;
  const theirs = concat(INNER.address, MAPPED.address);
  const datagram = withChecksum(
    17,
    theirs,
    concat(Uint8Array.from([0, 161, 0, 161, 0, 40, 0, 0]), octets(32)),
  );
  const opened = openEsp(towardsDevice(peer), sealEsp(towardsDevice(peer), 1, datagram, 17));
  assert.deepEqual(opened?.payload, datagram);
  const { original } = traversal.state(device.session)!;
  const seenAddresses = concat(child.remote[0]!.start, child.local[0]!.start);
  const fixed = fixChecksum(17, datagram, original!, seenAddresses);
  assert.deepEqual(fixed, withChecksum(17, concat(GATEWAY.address, DEVICE.address), datagram));
  assert.notDeepEqual(fixed, datagram);
});
