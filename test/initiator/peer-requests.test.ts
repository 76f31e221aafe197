/** What the gateway asks, and our answers (RFC 7815 section 2.2). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness } from "ikelet";
import {
  concat,
  configuration,
  deletePayload,
  Exchange,
  flip,
  hex,
  notify,
  type Payload,
  readHeader,
  type Sealing,
  Type,
  u16,
  u32,
  unknownPayload,
  vendorId,
} from "../responder/index.ts";
import { connect, type Device, deliver, exchange, octets, only, take } from "./harness.ts";
import { ask, assertIgnored, halfWay, inTheClear, one } from "./scenes.ts";

const notifyOf = (type: number, data: Uint8Array = new Uint8Array(0)) => notify(type, data);
const NO_ADDITIONAL_SAS = hex(notifyOf(35).body);

/** The SA is as good as ever: a liveness check of each side is answered. */
function assertUsable({ device, gateway }: ReturnType<typeof connect>): void {
  assert.equal(device.session.state, "established");
  assert.deepEqual(ask(device, gateway, gateway.liveness()).answer, []);
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  assert.equal(device.events.at(-1)?.type, "alive");
  assert.deepEqual(gateway.violations, []);
}

/** Whatever these hold, they are answered with nothing, and nothing changes (D-01, D-09 to D-11, D-14, D-15). */
const HARMLESS: Record<string, Payload[]> = {
  nothing: [],
  SET_WINDOW_SIZE: [notify(16385, u32(5))],
  "an unknown payload that is not critical": [unknownPayload(200)],
  "a known payload that is critical": [{ ...vendorId(octets(4)), critical: true }],
  "a Vendor ID": [vendorId(octets(4))],
  ADDITIONAL_IP4_ADDRESS: [notify(16397, octets(4))],
  "COOKIE2 of MOBIKE": [notify(16401, octets(8))],
  REDIRECT: [notify(16407, octets(10))],
  AUTH_LIFETIME: [notify(16403, u32(3600))],
  IKEV2_MESSAGE_ID_SYNC: [notify(16422, octets(12))],
  "INITIAL_CONTACT, too late": [notify(16384)],
};

for (const [name, payloads] of Object.entries(HARMLESS)) {
  test(`INFORMATIONAL with ${name} gets an empty answer [7815-2.2-a, 7296-1.4-a]`, () => {
    const { device, gateway } = connect();
    const before = device.session;
    const { step, answer } = ask(device, gateway, gateway.informational(payloads));
    assert.deepEqual(answer, []);
    const { spiI, spiR, ...header } = readHeader(one(step.send));
    assert.deepEqual([spiI, spiR], [gateway.sa.spiI, gateway.sa.spiR]);
    assert.deepEqual([header.exchange, header.flags, header.messageId], [37, 0x28, 0]);
    assert.equal(header.nextPayload, Type.SK);
    // The Next Payload of SK is 0: nothing is inside.
    assert.equal(one(step.send)[28], 0);
    assert.deepEqual(step.events, []);
    assert.equal(step.wait, undefined);
    const { response, ...rest } = step.session;
    assert.deepEqual(response, one(step.send));
    assert.deepEqual({ ...rest, peerMessageId: 0, ivCounter: before.ivCounter }, withoutResponse(before));
    assertUsable({ device, gateway });
  });
}

function withoutResponse({ response: _, ...session }: Device["session"]): Partial<Device["session"]> {
  return session;
}

const CONFIGURATION: Record<string, Payload> = {
  CFG_REQUEST: configuration(1, [[7, new Uint8Array(0)]]),
  CFG_REPLY: configuration(2, [[1, octets(4)]]),
  CFG_SET: configuration(3, [[1, octets(4)]]),
};

for (const [name, payload] of Object.entries(CONFIGURATION)) {
  test(`${name} gets an empty answer and no event [7296-2.20-a]`, () => {
    const { device, gateway } = connect();
    const { step, answer } = ask(device, gateway, gateway.informational([payload]));
    assert.deepEqual([answer, step.events], [[], []]);
    assertUsable({ device, gateway });
  });
}

for (const [name, type, data] of [
  ["INVALID_IKE_SPI", 4, octets(0)],
  ["INVALID_MESSAGE_ID", 9, octets(4)],
  ["INVALID_SPI", 11, octets(4)],
  ["INVALID_SELECTORS", 39, octets(20)],
  ["TEMPORARY_FAILURE", 43, octets(0)],
] as const) {
  test(`${name} in a protected request is told, and the SA stays [7815-2.2-a, 7296-2.21.4-a]`, () => {
    // D-15
    const { device, gateway } = connect();
    const { step, answer } = ask(device, gateway, gateway.informational([notify(type, data)]));
    assert.deepEqual(answer, []);
    assert.deepEqual(step.events, [{ type: "notified", notify: type, data }]);
    assertUsable({ device, gateway });
  });
}

// CREATE_CHILD_SA: D-02, D-03 and D-04.

const CHILD_REQUESTS: Record<string, [(g: ReturnType<typeof connect>["gateway"]) => Uint8Array, string]> = {
  "a rekey of the IKE SA": [(gateway) => gateway.rekeyIke(), "ike"],
  "a rekey of the Child SA": [(gateway) => gateway.rekeyChild(), "child"],
  "a rekey of a Child SA that is unknown": [(gateway) => gateway.rekeyChild(octets(4)), "child"],
  "a new Child SA": [(gateway) => gateway.createChild(), "child"],
};

for (const [name, [make, sa]] of Object.entries(CHILD_REQUESTS)) {
  test(`${name} is refused with NO_ADDITIONAL_SAS, the SAs stay [7815-2.2-b, 7296-1.3-a, 7296-2.21.3-b]`, () => {
    const { device, gateway } = connect();
    const { child } = device.session;
    const { step, answer } = ask(device, gateway, make(gateway));
    assert.deepEqual(
      answer.map(({ type, body }) => [type, hex(body)]),
      [[Type.NOTIFY, NO_ADDITIONAL_SAS]],
    );
    const { exchange: type, flags, messageId } = readHeader(one(step.send));
    assert.deepEqual([type, flags, messageId], [36, 0x28, 0]);
    assert.deepEqual(step.events, [{ type: "rekey-refused", sa }]);
    assert.deepEqual(device.session.child, child);
    assertUsable({ device, gateway });
  });
}

test("a flood of CREATE_CHILD_SA is answered from constant memory [8019-5-a]", () => {
  // D-05
  const { device, gateway } = connect();
  ask(device, gateway, gateway.rekeyChild());
  const sizeOf = () => JSON.stringify(device.session).length;
  const size = sizeOf();
  for (let n = 1; n < 1000; n++) {
    const { session, send } = deliver(device, gateway.rekeyChild());
    device.events.length = 0;
    assert.equal(send.length, 1);
    assert.equal(session.peerMessageId, n + 1);
    // Numbers in the text of the session grow by digits only.
    assert.equal(Math.abs(sizeOf() - size) < 200, true);
  }
  assertUsable({ device, gateway });
});

// Critical payloads, and requests without sense.

for (const name of ["INFORMATIONAL", "CREATE_CHILD_SA"] as const) {
  const type = Exchange[name];
  test(`${name} with an unknown critical payload: refused with its type, nothing else counts [7815-2.2-c, 7296-2.21.2-f, 7296-2.21.3-b]`, () => {
    for (const stranger of [1, 32, 49, 200, 255]) {
      const { device, gateway } = connect();
      const { child } = device.session;
      const others = [deletePayload(1), deletePayload(3, [gateway.sa.child!.spiR]), notify(11, octets(4))];
      for (const payloads of [
        [unknownPayload(stranger, true), ...others],
        [...others, unknownPayload(stranger, true)],
      ]) {
        const { step, answer } = ask(device, gateway, gateway.request(type, payloads));
        assert.deepEqual(
          answer.map((p) => [p.type, hex(p.body)]),
          [[Type.NOTIFY, hex(notify(1, Uint8Array.of(stranger)).body)]],
        );
        assert.deepEqual(step.events, []);
        assert.equal(readHeader(one(step.send)).exchange, type);
      }
      assert.deepEqual(device.session.child, child);
      assert.equal(device.session.state, "established");
      assert.deepEqual(gateway.violations, []);
    }
  });
}

const SENSELESS: Record<string, { payloads?: Payload[]; sealing?: Sealing }> = {
  "a payload that runs past the end": { sealing: { inner: Uint8Array.of(0, 0, 0, 200, 1), firstType: 41 } },
  "a payload shorter than its header": { sealing: { inner: Uint8Array.of(0, 0, 0, 3), firstType: 41 } },
  "a chain that does not end": { sealing: { inner: Uint8Array.of(41, 0, 0, 4), firstType: 43 } },
  "octets behind the last payload": { sealing: { inner: Uint8Array.of(0, 0, 0, 4, 9), firstType: 43 } },
  "octets, but no first type": { sealing: { inner: Uint8Array.of(0, 0, 0, 4), firstType: 0 } },
  "padding longer than the plaintext": { sealing: { padLengthOctet: 200 } },
  "a notify shorter than its SPI": { payloads: [{ type: Type.NOTIFY, body: Uint8Array.of(3, 4, 0, 11) }] },
  "a Delete whose count is too high": {
    payloads: [{ type: Type.DELETE, body: concat(u16(0x0304), u16(2), octets(4)) }],
  },
  "SK inside SK": { payloads: [{ type: Type.SK, body: octets(40) }] },
};

for (const [name, { payloads = [], sealing = {} }] of Object.entries(SENSELESS)) {
  test(`a request with ${name}: INVALID_SYNTAX, and the end without a Delete [7296-2.21.3-a, 7296-2.21.2-f]`, () => {
    for (const type of [Exchange.INFORMATIONAL, Exchange.CREATE_CHILD_SA]) {
      const { device, gateway } = connect();
      const { step, answer } = ask(device, gateway, gateway.request(type, payloads, { sealing }));
      assert.deepEqual(
        answer.map((p) => [p.type, hex(p.body)]),
        [[Type.NOTIFY, hex(notify(7).body)]],
      );
      assert.deepEqual(step.events, [
        { type: "closed", reason: "malformed", notify: undefined, hint: undefined },
      ]);
      assert.equal(step.wait, 0);
      assert.equal(device.session.keys, undefined);
      assert.equal(readHeader(one(step.send)).exchange, type);
      // Nothing is left to answer with.
      const after = structuredClone(device.session);
      assertIgnored(deliver(device, gateway.liveness()), after, "unexpected");
    }
  });
}

for (const type of [34, 35, 38, 43, 50, 255]) {
  test(`a request of exchange ${type} is not answered, and the SA stays [7815-2.1-r]`, () => {
    const { device, gateway } = connect();
    const before = structuredClone(device.session);
    // It has the next Message ID and good integrity, and no claim to be answered.
    for (const payloads of [[], [deletePayload(1)]])
      assertIgnored(deliver(device, gateway.request(type, payloads, { messageId: 0 })), before, "unexpected");
    assertUsable({ device, gateway });
  });
}

// Message IDs.

test("requests are answered in turn from Message ID 0 [7296-2.2-f]", () => {
  const { device, gateway } = connect();
  for (let n = 0; n < 5; n++) {
    assert.equal(device.session.peerMessageId, n);
    assert.equal(readHeader(one(ask(device, gateway, gateway.liveness()).step.send)).messageId, n);
  }
  assert.deepEqual(gateway.violations, []);
});

test("a repeated request gets the same answer bit for bit, and acts once [7296-2.1-a, 7296-2.3-a]", () => {
  // D-21
  const { device, gateway } = connect();
  const requests = [gateway.liveness(), gateway.rekeyIke(), gateway.deleteChild()];
  for (const request of requests) {
    const first = deliver(device, request);
    for (let n = 0; n < 3; n++) {
      const again = deliver(device, request);
      assert.deepEqual(again.send, first.send);
      assert.deepEqual([again.events, again.wait], [[], undefined]);
      assert.deepEqual(again.session, first.session);
    }
    gateway.receive(one(first.send));
  }
  assert.deepEqual(
    device.events.map(({ type }) => type),
    ["established", "rekey-refused", "child-deleted"],
  );
  // Older ones are forgotten: nothing is sent, nothing is done.
  const before = structuredClone(device.session);
  for (const old of requests.slice(0, 2)) assertIgnored(deliver(device, old), before, "unexpected");
  assert.deepEqual(gateway.violations, []);
});

test("what repeats a Message ID but not the request gets the old answer and does nothing [7296-2.1-a]", () => {
  const { device, gateway } = connect();
  const first = deliver(device, gateway.liveness());
  const again = deliver(device, gateway.deleteIke({ messageId: 0 }));
  assert.deepEqual(again.send, first.send);
  assert.deepEqual(again.session, first.session);
});

test("a request out of order is not answered, not even with INVALID_MESSAGE_ID [7296-2.3-b]", () => {
  const { device, gateway } = connect();
  for (let n = 0; n < 6; n++) ask(device, gateway, gateway.liveness());
  const before = structuredClone(device.session);
  // D-26: also the Message ID 0, which clusters use to synchronise.
  for (const messageId of [0, 4, 7, 8, 106, 0x7fffffff, 0xffffffff]) {
    const request = gateway.informational([deletePayload(1)], { messageId });
    assertIgnored(deliver(device, request), before, "unexpected");
  }
  gateway.sa.open = [];
  assertUsable({ device, gateway });
});

test("two requests at once: the second waits for the first [7296-2.2-f, 7296-2.3-b]", () => {
  // D-11
  const { device, gateway } = connect();
  const [first, second] = [gateway.liveness(), gateway.deleteChild()];
  assertIgnored(deliver(device, second), structuredClone(device.session), "unexpected");
  assert.equal(deliver(device, first).send.length, 1);
  const { events, send } = deliver(device, second);
  assert.equal(send.length, 1);
  assert.equal(one(events).type, "child-deleted");
});

test("a request that outruns the response of IKE_AUTH is not processed [7296-1.4-b]", () => {
  // D-20
  const { device, gateway, request } = halfWay();
  const [response] = gateway.receive(request);
  for (const early of [gateway.liveness(), gateway.deleteIke({ messageId: 0 })])
    assertIgnored(deliver(device, early), structuredClone(device.session), "unexpected");
  deliver(device, response!);
  only(device.events, "established");
  gateway.sa.ownId = 0;
  assert.deepEqual(ask(device, gateway, gateway.liveness()).answer, []);
});

test("requests are answered while one of ours is unanswered [7296-2.3-c]", () => {
  const { device, gateway } = connect();
  take(device, checkLiveness(device.profile, device.session));
  const { request, sends, messageId } = device.session;
  const { step } = ask(device, gateway, gateway.liveness());
  assert.equal(step.wait, undefined);
  assert.deepEqual(
    [device.session.request, device.session.sends, device.session.messageId],
    [request, sends, messageId],
  );
  exchange(device, gateway, [request!]);
  only(device.events, "alive");
  assert.deepEqual(gateway.violations, []);
});

// Integrity.

test("nothing is done for a request of which a single bit is wrong [REC-req-b]", () => {
  const { device, gateway } = connect();
  const request = gateway.deleteIke();
  const before = structuredClone(device.session);
  for (let bit = 0; bit < request.length * 8; bit++) {
    const step = deliver(device, flip(request, bit >> 3, 1 << (bit & 7)));
    assert.equal(one(step.events).type, "ignored");
    assert.deepEqual([step.send, step.wait], [[], undefined]);
  }
  assert.deepEqual(device.session, before);
  // Bits of the header are covered as well: the one that says "response" and the exchange type, for example.
  assert.equal(only(deliver(device, request).events, "closed").reason, "deleted");
});

test("nothing is done for requests in the clear, cut off or long [REC-req-b]", () => {
  const { device, gateway } = connect();
  const request = gateway.deleteIke();
  const before = structuredClone(device.session);
  const forgeries = [
    inTheClear(device, []),
    inTheClear(device, [deletePayload(1)]),
    inTheClear(device, [notify(4)]),
    inTheClear(device, [{ type: Type.SK, body: octets(40) }]),
    inTheClear(device, [{ type: Type.SK, body: new Uint8Array(0) }]),
    inTheClear(device, [{ type: Type.SKF, body: octets(60) }]),
    inTheClear(device, [{ type: Type.SK, body: request.slice(32, -1) }]),
    inTheClear(device, [{ type: Type.SK, body: concat(request.slice(32), octets(1)) }]),
    ...Array.from({ length: request.length }, (_, length) => request.slice(0, length)),
    // Our own messages, sent back.
    ...gateway.log.filter(({ direction }) => direction === "in").map(({ datagram }) => datagram),
  ];
  for (const forgery of forgeries) {
    const step = deliver(device, forgery);
    assertIgnored(step, before, (step.events[0] as { reason: string }).reason);
  }
});
