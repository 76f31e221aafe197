/** Traffic selectors and mode of the Child SA (RFC 7296 sections 1.3.1 and 2.9). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close, host, net, type Profile, type TrafficSelector } from "ikelet";
import {
  type ChildOptions,
  Exchange,
  editBody,
  findNotify,
  Notify,
  notify,
  range,
  readTs,
  type Selector,
  Type,
  ts,
  tsBody,
} from "../responder/index.ts";
import { connect, exchange, makeDevice, makeProfile, octets, only, take } from "./harness.ts";
import { assertChildFails, bodyOf, edited, seen } from "./scenes.ts";

const CHILD = makeProfile().child;

// Traffic selectors.

test("TSi and TSr hold one selector each, that of the profile [7296-2.9-a]", () => {
  const six = Array.from(octets(16));
  for (const [local, remote] of [
    [host([10, 1, 0, 7]), host([10, 99, 0, 1])],
    [host([10, 1, 0, 7]), net([0, 0, 0, 0], 0)],
    [host(six), net(six, 64)],
    [
      { ...host([10, 1, 0, 7]), protocol: 17, startPort: 5683, endPort: 5683 },
      { ...net([10, 99, 0, 0], 16), protocol: 6, startPort: 80, endPort: 81 },
    ],
  ] as const) {
    const { device, gateway } = connect({ child: { ...CHILD, local, remote } });
    const { payloads } = seen(gateway, Exchange.IKE_AUTH);
    const type = local.start.length === 4 ? 7 : 8;
    assert.deepEqual(readTs(bodyOf(payloads, Type.TSi)), [{ type, ...local }]);
    assert.deepEqual(readTs(bodyOf(payloads, Type.TSr)), [{ type, ...remote }]);
    const { child } = only(device.events, "established");
    assert.deepEqual([child.local, child.remote], [[local], [remote]]);
    assert.deepEqual(gateway.violations, []);
  }
});

const plainSelector = ({ type: _, ...selector }: Selector): TrafficSelector => selector;

/** A part of 10.99.0.0/16 (D-16). */
const PARTS: Record<string, Selector[]> = {
  "all of it": [range("10.99.0.0", "10.99.255.255")],
  "one address": [range("10.99.3.4")],
  "its first address": [range("10.99.0.0")],
  "its last address": [range("10.99.255.255")],
  "a range": [range("10.99.1.0", "10.99.2.127")],
  "two ranges": [range("10.99.1.0", "10.99.1.255"), range("10.99.3.0", "10.99.3.255")],
  "one port of one protocol": [
    range("10.99.0.0", "10.99.255.255", { protocol: 17, startPort: 53, endPort: 53 }),
  ],
};

for (const [name, selectors] of Object.entries(PARTS)) {
  test(`TSr narrowed to ${name} is taken and told [7815-2.1-i]`, () => {
    const { device } = connect({}, { child: { tsR: selectors } });
    const { child } = only(device.events, "established");
    assert.deepEqual(child.remote, selectors.map(plainSelector));
    assert.deepEqual(child.local, [CHILD.local]);
  });
}

test("everything offered, one address given [7815-2.1-i]", () => {
  const child = { ...CHILD, local: net([0, 0, 0, 0], 0), remote: net([0, 0, 0, 0], 0) };
  const options: ChildOptions = { tsI: [range("10.1.0.7")], tsR: [range("192.0.2.1")] };
  const { device } = connect({ child }, { child: options });
  const established = only(device.events, "established").child;
  assert.deepEqual(established.local, [host([10, 1, 0, 7])]);
  assert.deepEqual(established.remote, [host([192, 0, 2, 1])]);
});

const SIX: Selector = { ...range("0.0.0.0"), type: 8, start: octets(16), end: octets(16) };

/** Not a part of 10.99.0.0/16. */
const STRANGERS: Record<string, Selector[]> = {
  everything: [range("0.0.0.0", "255.255.255.255")],
  "an address more at the end": [range("10.99.0.0", "10.100.0.0")],
  "an address more at the start": [range("10.98.255.255", "10.99.255.255")],
  "another address": [range("10.98.0.1")],
  "a range above": [range("10.100.0.0", "10.100.0.255")],
  "a start behind the end": [range("10.99.2.0", "10.99.1.0")],
  IPv6: [SIX],
  "a part and something else": [range("10.99.0.1"), range("192.0.2.1")],
  "no selector": [],
};

for (const [name, selectors] of Object.entries(STRANGERS)) {
  test(`TSr of ${name} is refused [7815-2.1-i]`, () => {
    assertChildFails(
      "selectors",
      edited((p) => editBody(p, Type.TSr, () => tsBody(selectors))),
    );
  });
}

for (const [name, payload] of [
  ["another address", ts(Type.TSi, [range("10.1.0.8")])],
  ["a wider range", ts(Type.TSi, [range("10.1.0.0", "10.1.0.255")])],
  ["another IP version", ts(Type.TSi, [{ type: 8, ...host([10, 1, 0, 7, ...new Array(12).fill(0)]) }])],
  ["a count that is wrong", ts(Type.TSi, [range("10.1.0.7")], 2)],
  ["no body", { type: Type.TSi, body: new Uint8Array(0) }],
] as const) {
  test(`TSi of ${name} is refused [7815-2.1-i]`, () => {
    assertChildFails(
      "selectors",
      edited((p) => editBody(p, Type.TSi, () => payload.body)),
    );
  });
}

test("protocol and ports wider than those offered are refused [7815-2.1-i]", () => {
  const remote = { ...net([10, 99, 0, 0], 16), protocol: 17, startPort: 100, endPort: 200 };
  for (const wider of [
    { protocol: 0 },
    { protocol: 6 },
    { startPort: 99 },
    { endPort: 201 },
    { startPort: 0, endPort: 65535 },
  ]) {
    const offered: Selector = { type: 7, ...remote };
    assertChildFails(
      "selectors",
      edited((p) => editBody(p, Type.TSr, () => tsBody([{ ...offered, ...wider }]))),
      { child: { ...CHILD, remote } },
    );
  }
});

// Tunnel and transport.

const TRANSPORT: Partial<Profile> = {
  child: { ...CHILD, mode: "transport", local: host([192, 0, 2, 7]), remote: host([198, 51, 100, 1]) },
};

test("transport mode is asked for and in force if the response repeats it [7296-1.3.1-a]", () => {
  const { device, gateway } = connect(TRANSPORT);
  const { payloads } = seen(gateway, Exchange.IKE_AUTH);
  assert.equal(findNotify(payloads, Notify.USE_TRANSPORT_MODE)?.data.length, 0);
  assert.equal(only(device.events, "established").child.mode, "transport");
  assert.equal(gateway.sa.child?.mode, "transport");
  const tunnel = connect();
  assert.equal(
    findNotify(seen(tunnel.gateway, Exchange.IKE_AUTH).payloads, Notify.USE_TRANSPORT_MODE),
    undefined,
  );
  assert.equal(only(tunnel.device.events, "established").child.mode, "tunnel");
});

test("a tunnel in place of transport mode is not taken for transport, and deleted [7296-1.3.1-a, 7296-1.3.1-b]", () => {
  assertChildFails("mode", { child: { tunnelOnly: true } }, TRANSPORT);
});

test("transport mode that was not asked for is deleted", () => {
  assertChildFails(
    "mode",
    edited((p) => [...p, notify(Notify.USE_TRANSPORT_MODE)]),
  );
});

test("transport mode: one and the same address in all selectors of each end [7296-2.23.1-a]", () => {
  // That a range is refused, checkProfile shows.
  const { gateway } = connect(TRANSPORT);
  const { payloads } = seen(gateway, Exchange.IKE_AUTH);
  const [tsI] = readTs(bodyOf(payloads, Type.TSi));
  const [tsR] = readTs(bodyOf(payloads, Type.TSr));
  assert.deepEqual(tsI, range("192.0.2.7"));
  assert.deepEqual(tsR, range("198.51.100.1"));
  assert.deepEqual(gateway.violations, []);
});

test("notices about TFC padding and fragments change nothing [7296-1.3.1-c]", () => {
  const plain = only(connect().device.events, "established");
  const { device } = connect(
    {},
    edited((p) => [
      ...p,
      notify(Notify.ESP_TFC_PADDING_NOT_SUPPORTED),
      notify(Notify.NON_FIRST_FRAGMENTS_ALSO),
    ]),
  );
  assert.deepEqual(only(device.events, "established"), plain);
});

test("two IKE SAs side by side: neither minds the other", () => {
  // D-08: reauthentication is a new SA first, then the Delete of the old one.
  const { device, gateway } = connect();
  const again = makeDevice({}, "again");
  exchange(again, gateway);
  exchange(device, gateway, take(device, close(device.profile, device.session)).send);
  assert.deepEqual(
    gateway.sas.map(({ end }) => end),
    ["Delete of the device", undefined],
  );
  exchange(again, gateway, take(again, checkLiveness(again.profile, again.session)).send);
  only(again.events, "alive");
  const [old, young] = [device, again].map(({ events }) => only(events, "established").child);
  assert.notEqual(old!.inbound.spi, young!.inbound.spi);
  assert.deepEqual(gateway.violations, []);
});
