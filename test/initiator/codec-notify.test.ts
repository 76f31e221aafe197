/** The bodies of Notify, Delete and the Traffic Selectors (RFC 7296 sections 3.10, 3.11 and 3.13). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { close, host, net, type TrafficSelector } from "ikelet";
import { checkProfile } from "ikelet/check.js";
import {
  concat,
  deletePayload,
  editBody,
  encodeChain,
  find,
  fromHex,
  hex,
  Notify,
  notify,
  type Options,
  type Payload,
  range,
  readTs,
  type Selector,
  Type,
  tsBody,
  unprotectedResponse,
} from "../responder/index.ts";
import { ask, assertIgnored, established, heard, passesOver, wholeLife } from "./expect.ts";
import {
  connect,
  deliver,
  exchange,
  makeDevice,
  makeGateway,
  makeProfile,
  octets,
  only,
  take,
} from "./harness.ts";

const CLEAR = { critical: false, reserved: 0 };
const INVALID_SYNTAX = [{ type: Type.NOTIFY, body: Uint8Array.of(0, 0, 0, 7), ...CLEAR }];
const raw = (type: number, body: Uint8Array): Payload => ({ type, body });

test("Notify: Protocol ID 0, SPI Size 0, type, data; nothing of ours has an SPI [7815-A.10-a, 7815-A.10-b, 7296-3.10-a]", () => {
  const { gateway, said } = wholeLife();
  const cookie = Object.values(gateway.cookies)[0]!.cookie;
  const notifies = said.flatMap(({ payloads }) => payloads.filter(({ type }) => type === Type.NOTIFY));
  assert.deepEqual(
    notifies.map(({ body }) => hex(body)),
    [`00004006${hex(cookie)}`, "00004000", "00000001c8", "00000023", "00000023"],
  );
});

test("a Notify whose SPI runs off the end, or that is cut off, is malformed [7815-A.10-a]", () => {
  for (const body of [
    "",
    "00",
    "0000",
    "000040",
    "01044000",
    "0104400000",
    "01ff400000",
    "0101",
    "03054000 01020304",
  ]) {
    const wrong = raw(Type.NOTIFY, fromHex(body));
    // In the second and third octet alone there is no type, and so nothing that could be ignored.
    if (body.length < 6 || body.startsWith("01") || body.startsWith("03")) {
      passesOver({ saInit: (payloads) => [...payloads, wrong] }, "malformed");
      const { device, gateway } = established();
      assert.deepEqual(ask(device, gateway, gateway.informational([wrong])), INVALID_SYNTAX);
      assert.equal(only(device.events, "closed").reason, "malformed");
    }
  }
});

test("without an SPI the Protocol ID is ignored [7815-A.10-b]", () => {
  for (const protocol of [1, 2, 3, 255]) {
    const device = makeDevice();
    const gateway = makeGateway({ cookie: { rounds: 1, data: 8 } });
    const anyProtocol = (datagram: Uint8Array) => {
      const copy = datagram.slice();
      copy[32] = protocol;
      return copy;
    };
    const [request] = device.step.send;
    const [retry] = deliver(device, anyProtocol(gateway.receive(request!)[0]!)).send;
    assert.equal(retry!.length, request!.length + 16);
    exchange(device, gateway, [retry!]);
    only(device.events, "established");

    const auth = (payloads: Payload[]) =>
      editBody(payloads, Type.NOTIFY, (body) => concat(Uint8Array.of(protocol), body.slice(1)));
    const child = { ...makeProfile().child, mode: "transport", remote: host([10, 99, 0, 1]) } as const;
    const transport = established({ edit: { auth } }, { child });
    assert.equal(only(transport.device.events, "established").child.mode, "transport");
  }
});

test("a Notify with an SPI is read behind it [7296-3.10-a, 7815-A.10-a]", () => {
  const spi = Uint8Array.of(0, 1, 2, 3);
  const { device, gateway } = established();
  const request = gateway.informational([
    notify(Notify.CHILD_SA_NOT_FOUND, new Uint8Array(0), spi, 3),
    notify(Notify.INVALID_SELECTORS, octets(20), spi, 3),
    notify(40000, octets(3), octets(8), 1),
  ]);
  assert.deepEqual(ask(device, gateway, request), []);
  const told = device.events
    .slice(1)
    .map((event) => (event.type === "notified" ? [event.notify, event.data] : event));
  assert.deepEqual(told, [
    [Notify.CHILD_SA_NOT_FOUND, new Uint8Array(0)],
    [Notify.INVALID_SELECTORS, octets(20)],
  ]);
  assert.deepEqual(
    ask(device, gateway, gateway.rekeyChild()).map(({ body }) => hex(body)),
    ["00000023"],
  );
  assert.equal(only(device.events, "rekey-refused").sa, "child");
});

test("unknown errors in an answer are failures, in a request they are told; unknown statuses are ignored [7815-A.10.1-a]", () => {
  for (const type of [9999, 16383, 2]) {
    const { device } = connect({}, { edit: { auth: (payloads) => [...payloads, notify(type)] } });
    const { reason, notify: told } = only(device.events, "child-failed");
    assert.deepEqual([reason, told], ["refused", type]);
    assert.equal(only(device.events, "closed").reason, "requested");

    const refused = connect({}, { edit: { auth: () => [notify(type)] } });
    assert.deepEqual([only(refused.device.events, "closed").notify], [type]);

    const { device: asked, gateway } = established();
    assert.deepEqual(ask(asked, gateway, gateway.informational([notify(type)])), []);
    assert.equal(asked.session.state, "established");
  }
  for (const type of [16384, 16396, 40000, 65535]) {
    const edit = (payloads: Payload[]) => [notify(type, octets(9)), ...payloads];
    const { device, gateway } = established({ edit: { saInit: edit, auth: edit } });
    assert.deepEqual(ask(device, gateway, gateway.informational(edit([]))), []);
    assert.equal(device.events.length, 1);

    // Alone in the clear it says nothing.
    const waiting = makeDevice();
    const alone = unprotectedResponse(waiting.step.send[0]!, [notify(type, octets(9))]);
    assertIgnored(waiting, alone, "malformed");
  }
});

test("Delete of the IKE SA and of an ESP SA, octet by octet [7815-B.1-a]", () => {
  const { device, gateway } = established();
  const { spiI, spiR } = gateway.sa.child!;
  const answer = ask(device, gateway, gateway.deleteChild());
  assert.equal(hex(encodeChain(answer)), `0000000c03040001${hex(spiI)}`);
  assert.notDeepEqual(spiI, spiR);
  exchange(device, gateway, take(device, close(device.profile, device.session)).send);
  assert.equal(hex(encodeChain(heard(gateway).at(-1)!.payloads)), "0000000801000000");
  assert.equal(gateway.sa.end, "Delete of the device");

  // Among others, of which we know nothing.
  const many = established();
  const spis = [octets(4), many.gateway.sa.child!.spiR, octets(4, "x")];
  const ours = many.gateway.sa.child!.spiI;
  assert.equal(
    hex(encodeChain(ask(many.device, many.gateway, many.gateway.deleteChild(spis)))),
    `0000000c03040001${hex(ours)}`,
  );
});

test("a Delete whose size, count and length do not agree is malformed [7815-B.1-a]", () => {
  for (const body of [
    "",
    "01",
    "010000",
    "01000001 00000000",
    "0100000000",
    "01040000",
    "01080001 0011223344556677",
    "03000001",
    "03040000 11223344",
    "03040001",
    "03040001 112233",
    "03040001 1122334455",
    "03040002 11223344",
    "03040100 11223344",
    "03080001 0011223344556677",
    "02040001",
  ]) {
    const { device, gateway } = established();
    const request = gateway.informational([deletePayload(1), raw(Type.DELETE, fromHex(body))]);
    assert.deepEqual(ask(device, gateway, request), INVALID_SYNTAX);
    assert.equal(only(device.events, "closed").reason, "malformed");
  }
});

/** What comes of an answer with these selectors for the side of the gateway. */
function answered(body: Uint8Array, remote?: TrafficSelector, options: Partial<Options> = {}) {
  const child = { ...makeProfile().child, ...(remote ? { remote } : {}) };
  const auth = (payloads: Payload[]) => editBody(payloads, Type.TSr, () => body);
  const { device, gateway } = connect({ child }, { ...options, edit: { auth } });
  assert.deepEqual(gateway.violations, []);
  const [event] = device.events;
  return event?.type === "established" ? event.child.remote : event?.type === "child-failed" && event.reason;
}

const inside = range("10.99.1.0", "10.99.1.255");

test("traffic selectors octet by octet, for IPv4 and for IPv6 [7815-A.11-a, 7815-A.11.1-a, 7815-A.11.1-b]", () => {
  const six = fromHex("20010db8 00000000 00000000 00000000");
  const offer = (local: TrafficSelector, remote: TrafficSelector) => {
    const { gateway } = established({}, { child: { ...makeProfile().child, local, remote } });
    const { payloads } = heard(gateway)[1]!;
    return [Type.TSi, Type.TSr].map((type) => hex(find(payloads, type)!.body));
  };
  assert.deepEqual(offer(host([192, 0, 2, 1]), net([10, 99, 3, 4], 16)), [
    "01000000070000100000ffffc0000201c0000201",
    "01000000070000100000ffff0a6300000a63ffff",
  ]);
  assert.deepEqual(offer(host(six), net(six, 32)), [
    `01000000080000280000ffff${hex(six)}${hex(six)}`,
    `01000000080000280000ffff${hex(six)}20010db8${"ff".repeat(12)}`,
  ]);
  const web = { ...net([10, 99, 0, 0], 16), protocol: 6, startPort: 443, endPort: 8443 };
  assert.equal(offer(host([192, 0, 2, 1]), web)[1], "010000000706001001bb20fb0a6300000a63ffff");
});

test("any protocol has all ports: other profiles are refused [7815-A.11.1-b]", () => {
  for (const selector of [host([10, 1, 0, 7]), net([0, 0, 0, 0], 0), net(new Uint8Array(16), 0)])
    assert.deepEqual([selector.protocol, selector.startPort, selector.endPort], [0, 0, 65535]);
  const { child } = makeProfile();
  for (const ports of [{ startPort: 1 }, { endPort: 65534 }, { startPort: 80, endPort: 80 }, { endPort: 0 }])
    for (const side of ["local", "remote"] as const)
      assert.throws(
        () => checkProfile(makeProfile({ child: { ...child, [side]: { ...child[side], ...ports } } })),
        {
          code: "profile",
          message: new RegExp(`^child\\.${side}: .*ports`),
        },
      );
});

test("count and lengths of selectors have to agree [7815-A.11-a]", () => {
  const one = tsBody([inside]);
  assert.deepEqual((answered(one) as TrafficSelector[]).length, 1);
  assert.deepEqual((answered(tsBody([inside, range("10.99.9.9")])) as TrafficSelector[]).length, 2);
  for (const count of [0, 2, 255]) assert.equal(answered(tsBody([inside], count)), "selectors");
  const length = (octet: number) => concat(one.slice(0, 7), Uint8Array.of(octet), one.slice(8));
  for (const octet of [0, 1, 7, 8, 15, 17, 40]) assert.equal(answered(length(octet)), "selectors");
  for (let cut = 0; cut < one.length; cut++) assert.equal(answered(one.slice(0, cut)), "selectors");
  assert.equal(answered(concat(one, new Uint8Array(1))), "selectors");
  // Longer than two addresses are, with octets to fill it.
  const longer = concat(length(20), new Uint8Array(4));
  assert.equal(answered(longer), "selectors");
  // An IPv4 selector that says it is one of IPv6.
  const type = (octet: number) => concat(one.slice(0, 4), Uint8Array.of(octet), one.slice(5));
  assert.equal(answered(type(8)), "selectors");
});

test("a selector of an unknown type is passed over by its length [7815-A.11.1-a]", () => {
  const stranger = fromHex("0906000c 0000ffff 01020304");
  const beside = concat(Uint8Array.of(2, 0, 0, 0), stranger, tsBody([inside]).slice(4));
  const accepted = answered(beside) as TrafficSelector[];
  assert.deepEqual(accepted, [{ ...net([10, 99, 1, 0], 24) }]);
  assert.equal(answered(concat(Uint8Array.of(1, 0, 0, 0), stranger)), "selectors");
});

test("ICMP: type × 256 + code in the place of ports; OPAQUE is read [7296-3.13.1-a]", () => {
  const echo = 8 * 256;
  const remote = { ...net([10, 99, 0, 0], 16), protocol: 1, startPort: echo, endPort: echo + 255 };
  const { device, gateway } = established({}, { child: { ...makeProfile().child, remote } });
  const { child } = only(device.events, "established");
  assert.deepEqual(child.remote, [remote]);
  assert.deepEqual(
    readTs(find(heard(gateway)[1]!.payloads, Type.TSr)!.body).map((s) => [s.startPort, s.endPort]),
    [[0x0800, 0x08ff]],
  );
  const narrower: Selector = { ...inside, protocol: 1, startPort: echo, endPort: echo };
  assert.equal((answered(tsBody([narrower]), remote) as TrafficSelector[])[0]!.endPort, echo);
  assert.equal(answered(tsBody([{ ...narrower, startPort: 0 }]), remote), "selectors");

  const opaque: Selector = { ...inside, startPort: 65535, endPort: 0 };
  assert.deepEqual((answered(tsBody([opaque])) as TrafficSelector[])[0]!.startPort, 65535);
});
