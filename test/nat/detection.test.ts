import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Profile } from "ikelet";
import { sha1 } from "ikelet/crypto/sha1.js";
import { type Endpoint, type Nat, nat } from "ikelet/nat.js";
import { resume, resumeEntropyLength, resumption } from "ikelet/resumption.js";
import {
  connect,
  type Device,
  deliver,
  exchange,
  makeDevice,
  makeGateway,
  makeProfile,
  octets,
  only,
  take,
} from "../initiator/harness.ts";
import { one, seen } from "../initiator/scenes.ts";
import {
  type Bytes,
  concat,
  Exchange,
  encodeMessage,
  flip,
  natHash,
  notifications,
  notify,
  type Options,
  type Payload,
  type Responder,
  readHeader,
  withoutNotify,
} from "../responder/index.ts";
import { DEVICE, ends, GATEWAY, INNER, MAPPED, traversing } from "./path.ts";

const SOURCE = 16388;
const DESTINATION = 16389;

function hashOf(spiI: Bytes, spiR: Bytes, address: Bytes, port: Bytes): Bytes {
  return new Uint8Array(
    createHash("sha1")
      .update(concat(spiI, spiR, address, port))
      .digest(),
  );
}

function dataOf(payloads: readonly Payload[], type: number): Bytes[] {
  return notifications(payloads)
    .filter((found) => found.type === type)
    .map(({ data }) => data);
}

/** A device after the handshake, with what it makes of the path. */
function through(
  options: Partial<Options>,
  traversal: Nat = traversing(),
  changes: Partial<Profile> = {},
): { device: Device; gateway: Responder; traversal: Nat } {
  const { device, gateway } = connect({ extensions: [traversal], ...changes }, options);
  only(device.events, "established");
  assert.deepEqual(gateway.violations, []);
  return { device, gateway, traversal };
}

/** The state that a response with other notifies leads to. */
function stateAfter(
  change: (payloads: Payload[], hash: (endpoint: Endpoint) => Bytes) => Payload[],
  behind = {},
): unknown {
  const traversal = traversing();
  const device = makeDevice({ extensions: [traversal] });
  const gateway: Responder = makeGateway({
    nat: ends(behind),
    spiR: octets(8, "spi"),
    edit: {
      saInit: (payloads) =>
        change(payloads, (endpoint) => natHash(device.session.spiI, octets(8, "spi"), endpoint)),
    },
  });
  exchange(device, gateway);
  only(device.events, "established");
  assert.equal(
    traversal.port(device.session),
    traversal.encapsulates(device.session) ? 4500 : 500,
    "the port does not fit the state",
  );
  return traversal.state(device.session);
}

test("the first request says where it comes from and where it goes, right behind the nonce [7296-2.23-b, 7296-2.23-c]", () => {
  const six = (last: number) => new Uint8Array([0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), last]);
  const paths: [Endpoint, Endpoint, string, string][] = [
    [DEVICE, GATEWAY, "01f4", "01f4"],
    [{ address: six(2), port: 500 }, { address: six(1), port: 500 }, "01f4", "01f4"],
    [{ ...DEVICE, port: 0xabcd }, { ...GATEWAY, port: 4500 }, "abcd", "1194"],
  ];
  for (const [local, remote, localPort, remotePort] of paths) {
    const gateway = makeGateway({ nat: { local: remote, remote: local } });
    const device = makeDevice({ extensions: [traversing({ local, remote })] });
    exchange(device, gateway);
    const { payloads, datagram } = seen(gateway, Exchange.IKE_SA_INIT);
    assert.deepEqual(
      payloads.map(({ type }) => type),
      [33, 34, 40, 41, 41],
    );
    assert.deepEqual(
      notifications(payloads).map(({ type }) => type),
      [SOURCE, DESTINATION],
    );
    const { spiI } = readHeader(datagram);
    const hash = (address: Bytes, port: string) =>
      hashOf(spiI, new Uint8Array(8), address, Buffer.from(port, "hex"));
    assert.deepEqual(dataOf(payloads, SOURCE), [hash(local.address, localPort)]);
    assert.deepEqual(dataOf(payloads, DESTINATION), [hash(remote.address, remotePort)]);
    assert.deepEqual(gateway.sa.nat, { initiatorBehindNat: false, responderBehindNat: false });
    assert.deepEqual(gateway.violations, []);
  }
});

test("the request with a cookie says it again [7296-2.23-b]", () => {
  const { gateway, device, traversal } = through({
    nat: ends({ device: true }),
    cookie: { rounds: 2 },
  });
  const requests = gateway.log.filter((message) => message.direction === "in" && message.exchange === 34);
  assert.equal(requests.length, 3);
  const said = requests.map(({ payloads }) => [dataOf(payloads, SOURCE), dataOf(payloads, DESTINATION)]);
  assert.deepEqual(said[1], said[0]);
  assert.deepEqual(said[2], said[0]);
  assert.deepEqual(traversal.state(device.session), { local: true, remote: false });
});

test("the response tells who is behind a NAT, and both ends think the same [7296-2.23-d, 7296-2.23-e]", () => {
  for (const device of [false, true])
    for (const gateway of [false, true]) {
      const found = through({ nat: ends({ device, gateway }) });
      const { traversal } = found;
      const { session } = found.device;
      assert.deepEqual(traversal.state(session), { local: device, remote: gateway });
      assert.deepEqual(found.gateway.sa.nat, { initiatorBehindNat: device, responderBehindNat: gateway });
      assert.equal(traversal.port(session), device || gateway ? 4500 : 500);
      assert.equal(traversal.encapsulates(session), device || gateway);
    }
});

test("a NAT that changes nothing but the port is one [7296-2.23-d]", () => {
  for (const [end, expected] of [
    ["local", { local: false, remote: true }],
    ["remote", { local: true, remote: false }],
  ] as const) {
    const path = ends();
    const { device, traversal } = through({ nat: { ...path, [end]: { ...path[end], port: 501 } } });
    assert.deepEqual(traversal.state(device.session), expected);
  }
});

test("addresses of IPv6 are compared as well [7296-2.23-c, 7296-2.23-d]", () => {
  const at = (last: number): Endpoint => ({ address: octets(16, `address ${last}`), port: 500 });
  for (const [seenDevice, seenGateway] of [
    [1, 2],
    [3, 2],
    [1, 4],
  ] as const) {
    const { device, traversal } = through(
      { nat: { local: at(seenGateway), remote: at(seenDevice) } },
      nat({ sha1, local: at(1), remote: at(2) }),
    );
    assert.deepEqual(traversal.state(device.session), { local: seenDevice !== 1, remote: seenGateway !== 2 });
  }
});

test("the hashes of the response are over both SPIs, in the order of the header [7296-2.23-c]", () => {
  const none = { local: false, remote: false };
  const own = (spis: (spiI: Bytes, spiR: Bytes) => [Bytes, Bytes]) => {
    const traversal = traversing();
    const device = makeDevice({ extensions: [traversal] });
    const spiR = octets(8, "spi");
    const [a, b] = spis(device.session.spiI, spiR);
    const payloads = [notify(SOURCE, natHash(a, b, GATEWAY)), notify(DESTINATION, natHash(a, b, DEVICE))];
    exchange(device, makeGateway({ spiR, edit: { saInit: (sent) => [...sent, ...payloads] } }));
    return traversal.state(device.session);
  };
  assert.deepEqual(
    own((i, r) => [i, r]),
    none,
  );
  for (const wrong of [
    own((i, r) => [r, i]),
    own((i) => [i, new Uint8Array(8)]),
    own((_, r) => [new Uint8Array(8), r]),
  ])
    assert.deepEqual(wrong, { local: true, remote: true });
});

test("of several sources one that fits is enough [7296-2.23-f]", () => {
  const more = (...data: ((hash: (endpoint: Endpoint) => Bytes) => Bytes)[]) =>
    stateAfter((payloads, hash) => [
      ...withoutNotify(payloads, SOURCE),
      ...data.map((make) => notify(SOURCE, make(hash))),
    ]);
  const right = (hash: (endpoint: Endpoint) => Bytes) => hash(GATEWAY);
  const other = (hash: (endpoint: Endpoint) => Bytes) => hash(INNER);
  const junk = () => octets(20);
  for (const [list, remote] of [
    [[other, right], false],
    [[right, other], false],
    [[junk, other, right, junk], false],
    [[other, junk], true],
    [[junk, junk, other], true],
  ] as const)
    assert.deepEqual(more(...list), { local: false, remote });
});

test("what is there is compared, if one of the two is missing [7296-2.23-d]", () => {
  for (const device of [false, true])
    for (const gateway of [false, true]) {
      const behind = { device, gateway };
      assert.deepEqual(
        stateAfter((payloads) => withoutNotify(payloads, SOURCE), behind),
        { local: device, remote: false },
      );
      assert.deepEqual(
        stateAfter((payloads) => withoutNotify(payloads, DESTINATION), behind),
        { local: false, remote: gateway },
      );
    }
});

test("a gateway that says nothing has no NAT traversal [7296-2.23-g]", () => {
  for (const force of [false, true]) {
    const { device, gateway, traversal } = through({}, traversing({ force }));
    const { session } = device;
    assert.equal(traversal.state(session), undefined);
    assert.equal(traversal.port(session), 500);
    assert.equal(traversal.encapsulates(session), false);
    assert.equal(traversal.follows(session), false);
    assert.equal(device.step.wait, 0);
    const { datagram } = seen(gateway, Exchange.IKE_AUTH);
    assert.equal(traversal.frame(session, datagram), datagram);
  }
});

test("a hash of another length than 20 is none [REC-nat-a]", () => {
  for (const length of [0, 1, 16, 19, 21, 32, 255]) {
    const data = octets(length);
    const wrong = (payloads: Payload[]) => [
      ...withoutNotify(withoutNotify(payloads, SOURCE), DESTINATION),
      notify(SOURCE, data),
      notify(DESTINATION, data),
    ];
    assert.equal(stateAfter(wrong), undefined, `${length} octets`);
    // Beside a right one it changes nothing, and the right octets with more behind them are not right.
    assert.deepEqual(
      stateAfter((payloads) => [...payloads, notify(SOURCE, data), notify(DESTINATION, data)]),
      { local: false, remote: false },
    );
    assert.deepEqual(
      stateAfter((payloads, hash) => [
        ...withoutNotify(payloads, SOURCE),
        notify(SOURCE, concat(hash(GATEWAY), octets(1))),
        notify(SOURCE, octets(20)),
      ]),
      { local: false, remote: true },
    );
  }
});

test("who does not know his address, or says so, counts as behind a NAT", () => {
  for (const traversal of [nat({ sha1, remote: GATEWAY }), traversing({ force: true })]) {
    const { device, gateway } = through({ nat: ends() }, traversal);
    assert.deepEqual(gateway.sa.nat, { initiatorBehindNat: true, responderBehindNat: false });
    assert.deepEqual(traversal.state(device.session), { local: true, remote: false });
    assert.equal(traversal.encapsulates(device.session), true);
  }
});

/** The response on its way, its payloads changed by somebody who is not the gateway. */
function tampered(response: Bytes, change: (payloads: Payload[]) => Payload[], log: Responder["log"]): Bytes {
  const { payloads } = one(log.filter(({ direction }) => direction === "out"));
  return encodeMessage(readHeader(response), change(payloads));
}

test("whoever adds, takes away or changes notifies of the response on the way is found out by AUTH", () => {
  const changes: ((payloads: Payload[]) => Payload[])[] = [
    (payloads) => withoutNotify(payloads, SOURCE),
    (payloads) => withoutNotify(withoutNotify(payloads, SOURCE), DESTINATION),
    (payloads) => [...payloads, notify(SOURCE, octets(20))],
    (payloads) => payloads.map((p) => (p.type === 41 ? { ...p, body: flip(p.body, 23) } : p)),
  ];
  for (const change of changes) {
    const device = makeDevice({ extensions: [traversing()] });
    const gateway = makeGateway({ nat: ends() });
    const response = one(gateway.receive(one(device.step.send)));
    exchange(device, gateway, deliver(device, tampered(response, change, gateway.log)).send);
    assert.equal(only(device.events, "closed").reason, "authentication");
  }
});

test("notifies that are changed in the request on the way are found out by the gateway", () => {
  const device = makeDevice({ extensions: [traversing()] });
  const gateway = makeGateway({ nat: ends() });
  const request = one(device.step.send);
  exchange(device, gateway, [flip(request, request.length - 1)]);
  const closed = only(device.events, "closed");
  assert.deepEqual([closed.reason, closed.notify], ["refused", 24]);
});

test("a forged or damaged response leaves the session as it was, and it is plain data", () => {
  const traversal = traversing();
  const device = makeDevice({ extensions: [traversal] });
  const gateway = makeGateway({ nat: ends({ device: true, gateway: true }) });
  const request = one(device.step.send);
  const before = structuredClone(device.session);
  const bad = [
    gateway.unprotected(request, notify(SOURCE, octets(20)), notify(DESTINATION, octets(20))),
    // A Notify payload whose SPI runs off its end.
    one(
      gateway
        .fork({
          edit: {
            saInit: (p) => [...p, { type: 41, body: concat(Uint8Array.of(0, 21, 0x40, 4), octets(20)) }],
          },
        })
        .receive(request),
    ),
  ];
  for (const datagram of bad) {
    const step = deliver(device, datagram);
    assert.deepEqual(
      step.events.map(({ type }) => type),
      ["ignored"],
    );
    assert.deepEqual(step.session, before);
  }
  exchange(device, gateway, [request]);
  assert.deepEqual(traversal.state(device.session), { local: true, remote: true });
  const stored = structuredClone(device.session);
  assert.deepEqual(stored, device.session);
  assert.equal(traversal.port(stored), 4500);
});

test("what is said of NATs after the first exchange changes nothing", () => {
  const { device, gateway, traversal } = through({ nat: ends({ device: true }) });
  const before = traversal.state(device.session);
  const payloads = [notify(SOURCE, octets(20)), notify(DESTINATION, octets(20))];
  gateway.receive(one(deliver(device, gateway.informational(payloads)).send));
  assert.equal(gateway.answers.length, 1);
  assert.deepEqual(traversal.state(device.session), before);
});

test("a resumption looks for NATs anew, wherever it comes from [7296-2.23-b, 5723-4.3.2-b, 5723-4.3.2-c]", () => {
  const { device, gateway, traversal } = through({ nat: ends({ device: true }), tickets: {} }, traversing(), {
    extensions: [traversing(), resumption()],
  });
  assert.equal(traversal.port(device.session), 4500);
  const { ticket } = only(device.events, "ticket");
  const elsewhere = { address: new Uint8Array([172, 16, 0, 3]), port: 500 };
  for (const [local, remote, behind] of [
    [DEVICE, DEVICE, false],
    [elsewhere, elsewhere, false],
    [elsewhere, MAPPED, true],
  ] as const) {
    const own = traversing({ local });
    const profile = makeProfile({ extensions: [own, resumption()] });
    const twin = gateway.fork({ nat: { local: GATEWAY, remote } });
    const next = makeDevice(profile);
    take(next, resume(profile, ticket, 1, octets(resumeEntropyLength(profile), "again")));
    assert.equal(own.state(next.session), undefined);
    assert.equal(own.port(next.session), 500);
    exchange(next, twin);
    only(next.events, "established");
    assert.deepEqual(twin.violations, []);
    const { payloads, datagram } = seen(twin, Exchange.IKE_SESSION_RESUME);
    const { spiI } = readHeader(datagram);
    assert.deepEqual(dataOf(payloads, SOURCE), [natHash(spiI, new Uint8Array(8), local)]);
    assert.deepEqual(dataOf(payloads, DESTINATION), [natHash(spiI, new Uint8Array(8), GATEWAY)]);
    assert.deepEqual(own.state(next.session), { local: behind, remote: false });
    assert.equal(own.port(next.session), behind ? 4500 : 500);
  }
});
