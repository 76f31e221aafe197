/** What we ask once the IKE SA is up: whether the gateway lives, and that it forget us (RFC 7815 section 2.1). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close, timeout } from "ikelet";
import {
  deletePayload,
  Exchange,
  encodeMessage,
  flip,
  hex,
  notify,
  readHeader,
  Type,
  tokenNotify,
  u32,
  unprotectedResponse,
} from "../responder/index.ts";
import { connect, type Device, deliver, exchange, makeDevice, octets, only, take } from "./harness.ts";
import { assertClosed, assertIgnored, halfWay, inTheClear, one } from "./scenes.ts";

const alive = ({ profile, session }: Device) => checkLiveness(profile, session);
const bye = ({ profile, session }: Device) => close(profile, session);
const tick = ({ profile, session }: Device) => timeout(profile, session);

/** The error that a call throws. */
function codeOf(call: () => unknown): [string, string] {
  try {
    call();
  } catch (error) {
    const { name, code } = error as { name: string; code: string };
    return [name, code];
  }
  throw new Error("nothing was thrown");
}

test("a liveness check is an empty request; its answer says that the gateway lives [7296-2.4-e]", () => {
  const { device, gateway } = connect();
  const step = take(device, alive(device));
  assert.equal(step.wait, 1000);
  const request = one(step.send);
  const { exchange: type, flags, messageId, nextPayload } = readHeader(request);
  assert.deepEqual([type, flags, messageId, nextPayload], [37, 0x08, 2, Type.SK]);
  const answered = deliver(device, one(gateway.receive(request)));
  assert.deepEqual(gateway.log.at(-2)?.payloads, []);
  assert.deepEqual(answered.events, [{ type: "alive" }]);
  assert.equal(answered.wait, 0);
  assert.equal(device.session.request, undefined);
  assert.deepEqual(gateway.violations, []);
});

test("without an answer to repeats the gateway is dead, and only then [7296-2.4-c, 7296-2.4-e]", () => {
  const { device } = connect();
  const request = one(take(device, alive(device)).send);
  for (let n = 1; n < 8; n++) {
    // Forgeries do not hasten it.
    deliver(device, inTheClear(device, [notify(4)], { flags: 0x20, messageId: 2 }));
    assert.deepEqual(take(device, tick(device)).send, [request]);
    assert.equal(device.session.state, "established");
  }
  assertClosed(take(device, tick(device)), "timeout");
});

/** What somebody off the path can send. */
function hints(device: Device): Record<string, Uint8Array> {
  const { spiI, spiR, child } = device.session;
  const zero = new Uint8Array(8);
  const invalidSpi = [notify(11, u32(child!.spiOut))];
  const header = { spiI, spiR, version: 0x20, exchange: 37, flags: 0x08, messageId: 0 };
  return {
    "INVALID_IKE_SPI, as a request": inTheClear(device, [notify(4)]),
    "INVALID_IKE_SPI, as a response": inTheClear(device, [notify(4)], { flags: 0x20, messageId: 2 }),
    "INVALID_IKE_SPI of another exchange": inTheClear(device, [notify(4)], {
      exchange: 35,
      flags: 0x20,
      messageId: 1,
    }),
    "a token that nobody gave": inTheClear(device, [notify(4), tokenNotify(octets(32))], {
      flags: 0x20,
      messageId: 2,
    }),
    "INVALID_SPI with our SPIs": inTheClear(device, invalidSpi),
    "INVALID_SPI without SPIs": encodeMessage({ ...header, spiI: zero, spiR: zero }, invalidSpi),
    "INVALID_SPI with random SPIs": encodeMessage(
      { ...header, spiI: octets(8, "a"), spiR: octets(8, "b") },
      invalidSpi,
    ),
    "a Delete": inTheClear(device, [deletePayload(1)]),
    AUTHENTICATION_FAILED: inTheClear(device, [notify(24)], { flags: 0x20, messageId: 2 }),
    INVALID_SYNTAX: inTheClear(device, [notify(7)], { flags: 0x20, messageId: 2 }),
    INVALID_MAJOR_VERSION: inTheClear(device, [notify(5)], { flags: 0x20, messageId: 2 }),
    INITIAL_CONTACT: inTheClear(device, [notify(16384)]),
  };
}

for (const name of Object.keys(hints(connect().device))) {
  test(`${name} in the clear changes nothing and is not answered [7296-2.21.4-a, 7296-2.4-c]`, () => {
    // D-22, and with a liveness check under way or not.
    for (const asking of [false, true]) {
      const { device, gateway } = connect();
      if (asking) take(device, alive(device));
      const before = structuredClone(device.session);
      const step = deliver(device, hints(device)[name]!);
      assertIgnored(step, before, (step.events[0] as { reason: string }).reason);
      exchange(device, gateway, asking ? [device.session.request!] : take(device, alive(device)).send);
      only(device.events, "alive");
    }
  });
}

test("a hundred hints, one liveness check [7296-2.21.4-b, 7296-2.21.4-d]", () => {
  // The library starts none by itself: it knows no clock. The event tells the application, whose calls add up to one.
  const { device, gateway } = connect();
  const sent: Uint8Array[] = [];
  for (let n = 0; n < 100; n++) {
    const hint = inTheClear(device, [notify(4)]);
    const step = deliver(device, hint);
    assert.deepEqual(step.events, [{ type: "ignored", reason: "unprotected", notify: undefined }]);
    sent.push(...step.send, ...take(device, alive(device)).send);
  }
  assert.equal(sent.length, 1);
  exchange(device, gateway, sent);
  only(device.events, "alive");
  assert.equal(device.session.state, "established");
});

test("messages in the clear get no answer, however many [7296-2.21.4-d, 7296-2.21.4-c]", () => {
  const { device } = connect();
  const before = structuredClone(device.session);
  for (let n = 0; n < 10000; n++) {
    const spis = { spiI: octets(8, "i"), spiR: octets(8, "r") };
    const forged = inTheClear(device, [], { ...spis, messageId: n, flags: n % 2 ? 0x20 : 0 });
    const { send, events } = deliver(device, forged);
    assert.deepEqual([send.length, events.length], [0, 1]);
  }
  assert.deepEqual(device.session, before);
});

for (const [name, flags] of [
  ["requests", 0],
  ["responses", 0x20],
] as const) {
  test(`${name} for SPIs that are not ours get no answer [7296-2.21.4-c]`, () => {
    const { device, gateway } = connect();
    const genuine = gateway.liveness();
    const before = structuredClone(device.session);
    for (const at of [0, 7, 8, 15]) {
      const other = flip(genuine, at);
      other[19] = flags;
      assertIgnored(deliver(device, other), before, "foreign");
    }
  });
}

// The end.

test("close sends a Delete of the IKE SA, repeats it, and is over with the answer [7296-2.4-d, 7815-B.1-b]", () => {
  const { device, gateway } = connect();
  const step = take(device, bye(device));
  const request = one(step.send);
  const { exchange: type, flags, messageId } = readHeader(request);
  assert.deepEqual([type, flags, messageId, step.wait], [Exchange.INFORMATIONAL, 0x08, 2, 1000]);
  assert.deepEqual([step.session.state, step.events], ["closing", []]);
  assert.deepEqual(take(device, tick(device)).send, [request]);
  assert.equal(device.step.wait, 2000);

  const [answer] = gateway.receive(request);
  const { payloads } = gateway.log.find((m) => m.direction === "in" && m.messageId === 2)!;
  assert.deepEqual(
    payloads.map((payload) => [payload.type, hex(payload.body)]),
    [[Type.DELETE, "01000000"]],
  );
  assert.equal(gateway.sa.end, "Delete of the device");
  assertClosed(deliver(device, answer!), "requested");
  assert.deepEqual(gateway.violations, []);
});

test("the Delete has the next Message ID, 2 only if nothing was asked before [7815-B.1-b]", () => {
  const { device, gateway } = connect();
  for (let n = 0; n < 3; n++) exchange(device, gateway, take(device, alive(device)).send);
  assert.equal(readHeader(one(take(device, bye(device)).send)).messageId, 5);
});

test("close ends after some silence as well [7296-2.4-d]", () => {
  const { device } = connect({ retransmission: { wait: 100, sends: 2 } });
  take(device, bye(device));
  assert.equal(take(device, tick(device)).send.length, 1);
  assertClosed(take(device, tick(device)), "requested");
});

test("a Delete that is answered with an error closes all the same", () => {
  // D-25
  const { device, gateway } = connect({}, { edit: { informational: () => [notify(43)] } });
  exchange(device, gateway, take(device, bye(device)).send);
  assert.equal(only(device.events, "closed").reason, "requested");
});

test("before there is an IKE SA nobody is told of its end", () => {
  const waiting = makeDevice();
  assertClosed(take(waiting, bye(waiting)), "requested");
  const { device } = halfWay();
  assertClosed(take(device, bye(device)), "requested");
});

test("close of what is closing or closed does nothing", () => {
  const { device, gateway } = connect();
  take(device, bye(device));
  for (const state of ["closing", "closed"]) {
    assert.equal(device.session.state, state);
    const step = bye(device);
    assert.deepEqual(step, { session: device.session, send: [], events: [], wait: undefined });
    exchange(device, gateway, device.session.request ? [device.session.request] : []);
  }
});

// One at a time.

test("never two requests unanswered: a second waits, or is not needed [7296-2.3-d]", () => {
  const { device, gateway } = connect();
  const request = one(take(device, alive(device)).send);
  const again = take(device, alive(device));
  assert.deepEqual([again.send, again.events, again.wait], [[], [], undefined]);
  const closing = take(device, bye(device));
  assert.deepEqual([closing.send, closing.events, closing.wait], [[], [], undefined]);
  assert.equal(device.session.state, "established");
  // The Delete follows the answer.
  const step = deliver(device, one(gateway.receive(request)));
  assert.deepEqual(step.events, [{ type: "alive" }]);
  assert.equal(readHeader(one(step.send)).messageId, 3);
  assert.equal(step.wait, 1000);
  exchange(device, gateway, step.send);
  assert.equal(gateway.sa.end, "Delete of the device");
  assert.equal(only(device.events, "closed").reason, "requested");
  assert.deepEqual(gateway.violations, []);
});

test("a larger window of the gateway is not used [7296-2.3-d]", () => {
  const { device, gateway } = connect({}, { edit: { auth: (p) => [...p, notify(16385, u32(8))] } });
  take(device, alive(device));
  assert.deepEqual(take(device, alive(device)).send, []);
  assert.deepEqual(take(device, bye(device)).send, []);
  assert.deepEqual(gateway.violations, []);
});

// Answers.

test("TEMPORARY_FAILURE: told, not repeated, and the SA stays [7296-2.25-a]", () => {
  // D-25
  const { device, gateway } = connect({}, { edit: { informational: () => [notify(43)] } });
  const step = deliver(device, ...gateway.receive(one(take(device, alive(device)).send)));
  assert.deepEqual(step.events, [
    { type: "alive" },
    { type: "notified", notify: 43, data: new Uint8Array(0) },
  ]);
  assert.deepEqual([step.send, step.wait], [[], 0]);
  assert.deepEqual(take(device, tick(device)).send, []);
  assert.equal(device.session.state, "established");
});

test("INVALID_SYNTAX in an answer is fatal in both peers [7296-2.21.3-a]", () => {
  // The gateway has dropped the IKE SA without a Delete; to go on would be to talk to nobody.
  for (const closing of [false, true]) {
    const { device, gateway } = connect({}, { edit: { informational: () => [notify(7)] } });
    const request = one(take(device, alive(device)).send);
    if (closing) take(device, bye(device));
    assertClosed(deliver(device, ...gateway.receive(request)), "refused", 7);
  }
});

test("an answer in the clear, of another Message ID or exchange, or damaged, is none", () => {
  const { device, gateway } = connect();
  const request = one(take(device, alive(device)).send);
  const before = structuredClone(device.session);
  const [good] = gateway.fork().receive(request);
  const ignored: [Uint8Array, string][] = [
    [unprotectedResponse(request, []), "unprotected"],
    [unprotectedResponse(request, [notify(4)]), "unprotected"],
    [flip(good!, good!.length - 1), "integrity"],
    [flip(good!, 23), "unexpected"],
    [flip(good!, 18), "unexpected"],
    [request, "foreign"],
  ];
  for (const [datagram, reason] of ignored) assertIgnored(deliver(device, datagram), before, reason);
  deliver(device, good!);
  only(device.events, "alive");
  // Once is enough.
  assertIgnored(deliver(device, good!), structuredClone(device.session), "unexpected");
});

test("a liveness check needs an established session", () => {
  const state = ["IkeletError", "state"];
  assert.deepEqual(
    codeOf(() => alive(makeDevice())),
    state,
  );
  const { device } = halfWay();
  assert.deepEqual(
    codeOf(() => alive(device)),
    state,
  );
  const up = connect().device;
  take(up, bye(up));
  assert.deepEqual(
    codeOf(() => alive(up)),
    state,
  );
  while (up.session.request) take(up, tick(up));
  assert.deepEqual(
    codeOf(() => alive(up)),
    state,
  );
});
