/** The chain of payloads and the Critical bit (RFC 7296 sections 2.5 and 3.2, RFC 7815 appendix A.2). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close } from "ikelet";
import {
  certificateRequest,
  concat,
  configuration,
  deletePayload,
  type Edit,
  editBody,
  find,
  fromHex,
  insertBefore,
  Notify,
  notify,
  type Payload,
  readNotify,
  Type,
  unknownPayload,
  vendorId,
} from "../responder/index.ts";
import { ask, assertIgnored, established, heard, passesOver, wholeLife } from "./expect.ts";
import { connect, deliver, exchange, makeDevice, makeGateway, octets, only, take } from "./harness.ts";

const CLEAR = { critical: false, reserved: 0 };
const INVALID_SYNTAX = [{ type: Type.NOTIFY, body: Uint8Array.of(0, 0, 0, 7), ...CLEAR }];
const initial = [Type.SA, Type.KE, Type.NONCE];

/** The payloads of a type, changed. */
const change = (payloads: readonly Payload[], type: number, of: Partial<Payload>): Payload[] =>
  payloads.map((payload) => (payload.type === type ? { ...payload, ...of } : payload));

/** Handshakes that succeed although the gateway does this to every message. */
function takes(edit: (payloads: Payload[]) => Payload[]): void {
  const { device, gateway } = established({ edit: { saInit: edit, auth: edit } });
  assert.deepEqual(ask(device, gateway, gateway.informational(edit([]))), []);
  assert.equal(device.session.state, "established");
}

test("lengths below 4 or beyond the end of the message are malformed [7815-A.2-a]", () => {
  for (const type of initial)
    for (const length of [0, 1, 2, 3, 0x8000, 0xffff])
      passesOver({ saInit: (payloads) => change(payloads, type, { length }) }, "malformed");
  // One more or less throws all that follows out of step.
  for (const type of initial)
    for (const off of [-1, 1]) {
      const saInit = (payloads: Payload[]) =>
        change(payloads, type, { length: find(payloads, type)!.body.length + 4 + off });
      passesOver({ saInit }, "malformed");
    }
});

test("inside of SK too: a request gets INVALID_SYNTAX, an answer ends the session [7815-A.2-a, 7815-A.2-b]", () => {
  const wrong: Payload[][] = [
    ...[0, 1, 2, 3, 7, 9, 0xffff].map((length) => [{ ...notify(16384), length }]),
    [{ ...notify(16384), next: Type.NOTIFY }],
    [{ ...notify(16384), next: Type.NONE }, notify(16384)],
  ];
  for (const payloads of wrong) {
    const { device, gateway } = established();
    assert.deepEqual(ask(device, gateway, gateway.informational(payloads)), INVALID_SYNTAX);
    assert.equal(only(device.events, "closed").reason, "malformed");

    const answered = connect({}, { edit: { auth: (good) => [...good, ...payloads] } });
    assert.equal(only(answered.device.events, "closed").reason, "malformed");
    assert.equal(answered.device.events.length, 1);
  }
  // A length below 4 behind which the rest would fit: the next header begins inside of this one.
  for (const inner of [`2b000001 ${"00".repeat(253)}`, "2b000002 0004", "2b000003 00000400000004"].map(
    fromHex,
  )) {
    const { device, gateway } = established();
    const sealing = { inner, firstType: Type.VENDOR_ID };
    assert.deepEqual(ask(device, gateway, gateway.informational([], { sealing })), INVALID_SYNTAX);
  }
  // Octets that are not even a payload.
  for (let length = 1; length < 4; length++) {
    const { device, gateway } = established();
    const sealing = { inner: octets(length), firstType: Type.NOTIFY };
    assert.deepEqual(ask(device, gateway, gateway.informational([], { sealing })), INVALID_SYNTAX);
  }
});

test("what follows Next Payload 0, and what is announced and missing, is malformed [7815-A.2-b]", () => {
  for (const type of initial) {
    const next = type === Type.NONCE ? Type.NOTIFY : Type.NONE;
    passesOver({ saInit: (payloads) => change(payloads, type, { next }) }, "malformed");
  }
  for (const inner of [new Uint8Array(4), concat(Uint8Array.of(0, 0, 0, 8), new Uint8Array(4))]) {
    const { device, gateway } = established();
    const sealing = { inner, firstType: Type.NONE };
    assert.deepEqual(ask(device, gateway, gateway.informational([], { sealing })), INVALID_SYNTAX);
  }
});

test("every message of ours is a chain that ends with 0, and SK names what is inside [7815-A.2-a, 7815-A.2-b]", () => {
  const { said } = wholeLife();
  for (const { datagram, payloads, protected: sealed } of said) {
    // The gateway has read the chain; here it is put together anew.
    if (sealed) {
      assert.equal(datagram[16], Type.SK);
      assert.equal(datagram[28], payloads[0]?.type ?? 0);
      assert.deepEqual(
        [...datagram.slice(30, 32)],
        [(datagram.length - 28) >> 8, (datagram.length - 28) & 255],
      );
      continue;
    }
    let at = 28;
    payloads.forEach(({ type, body }, i) => {
      assert.equal(i === 0 ? datagram[16] : datagram[at - payloads[i - 1]!.body.length - 4], type);
      const length = body.length + 4;
      const next = payloads[i + 1]?.type ?? 0;
      assert.deepEqual(
        datagram.slice(at, at + length),
        concat(Uint8Array.of(next, 0, length >> 8, length), body),
      );
      at += length;
    });
    assert.equal(at, datagram.length);
  }
  const firsts = said.filter((seen) => seen.protected).map(({ datagram }) => datagram[28]);
  assert.deepEqual(firsts, [Type.IDi, 0, 0, Type.NOTIFY, Type.NOTIFY, Type.NOTIFY, Type.DELETE, Type.DELETE]);
});

test("the Critical bit is never sent [7815-A.2-c]", () => {
  const { said } = wholeLife();
  for (const { payloads, datagram } of said) {
    assert.equal(datagram[29]! & 0x80, 0);
    for (const { critical } of payloads) assert.equal(critical, false);
  }
});

test("the Critical bit of known types is ignored [7815-A.2-d]", () => {
  takes((payloads) =>
    [...payloads, notify(40000), vendorId(octets(3))].map((p) => ({ ...p, critical: true })),
  );
  const { device, gateway } = established();
  const spiR = gateway.sa.child!.spiR;
  const answer = ask(
    device,
    gateway,
    gateway.informational([{ ...deletePayload(3, [spiR]), critical: true }]),
  );
  assert.deepEqual(
    answer.map(({ type }) => type),
    [Type.DELETE],
  );
  only(device.events, "child-deleted");
});

test("unknown payloads are skipped, and covered by AUTH [7296-2.5-b]", () => {
  const body = octets(20);
  for (const type of [1, 32, 49, 52, 53, 54, 128, 200, 255])
    takes((payloads) => insertBefore(payloads, Type.NONCE, unknownPayload(type, false, body)));
  takes((payloads) => [unknownPayload(200, false, body), ...payloads]);
  takes((payloads) => [...payloads, unknownPayload(200, false, new Uint8Array(0))]);

  // The AUTH of the gateway covers them: it does not fit to a response without.
  const { device, gateway } = established({
    edit: { saInit: (payloads) => insertBefore(payloads, Type.NONCE, unknownPayload(200, false, body)) },
  });
  assert.equal(gateway.sa.messageR.length, established().gateway.sa.messageR.length + 24);
  assert.equal(device.session.state, "established");
});

test("all types that exist can be skipped [7296-4-a]", () => {
  const strangers: Payload[] = [
    { type: Type.CERT, body: concat(Uint8Array.of(4), octets(40)) },
    certificateRequest(),
    vendorId(octets(16)),
    configuration(2, [[1, Uint8Array.of(10, 0, 0, 1)]]),
    { type: Type.EAP, body: Uint8Array.of(1, 0, 0, 5, 1) },
  ];
  assert.deepEqual(
    strangers.map(({ type }) => type),
    [37, 38, 43, 47, 48],
  );
  for (const stranger of strangers) {
    takes((payloads) => [stranger, ...payloads]);
    takes((payloads) => insertBefore(payloads, Type.SA, stranger));
    takes((payloads) => [...payloads, stranger]);
  }
});

test("a request with an unknown critical payload is refused as a whole [7296-2.5-c]", () => {
  for (const type of [1, 49, 200, 255]) {
    const { device, gateway } = established();
    const request = gateway.informational([deletePayload(1), unknownPayload(type, true), notify(24)]);
    assert.deepEqual(ask(device, gateway, request), [
      { type: Type.NOTIFY, body: Uint8Array.of(0, 0, 0, 1, type), ...CLEAR },
    ]);
    assert.equal(device.session.state, "established");
    assert.equal(device.events.length, 1);
  }
});

test("an answer with an unknown critical payload is none [7296-2.5-d]", () => {
  const add = (payloads: Payload[]) => insertBefore(payloads, Type.NONCE, unknownPayload(200, true));
  passesOver({ saInit: add }, "critical");
  // A protected one is from the gateway, and there will be no other.
  const { device } = connect({}, { edit: { auth: add } });
  assert.equal(only(device.events, "closed").reason, "malformed");
  assert.equal(device.events.length, 1);
});

test("a protected answer with an unknown critical payload is no sign of life [7296-2.5-d]", () => {
  const informational = (payloads: Payload[]) => [...payloads, unknownPayload(200, true)];
  for (const asks of [checkLiveness, close]) {
    const { device, gateway } = established({ edit: { informational } });
    device.events.length = 0;
    exchange(device, gateway, take(device, asks(device.profile, device.session)).send);
    // Who has said goodbye does not care how that is answered.
    assert.equal(only(device.events, "closed").reason, asks === close ? "requested" : "malformed");
    assert.equal(device.events.length, 1);
  }
});

test("the order of payloads does not matter [7296-2.5-e]", () => {
  const reverse: Edit = { saInit: (p) => [...p].reverse(), auth: (p) => [...p].reverse() };
  const { gateway } = established({ edit: reverse });
  const order = gateway.log.filter(({ direction }) => direction === "out").map((seen) => seen.payloads);
  assert.deepEqual(
    order.map((payloads) => payloads.map(({ type }) => type)),
    [
      [Type.NONCE, Type.KE, Type.SA],
      [Type.TSr, Type.TSi, Type.SA, Type.AUTH, Type.IDr],
    ],
  );
});

test("our own payloads have the order of the figures [7296-2.5-f]", () => {
  const transport = established({ cookie: { rounds: 1 } }, { initialContact: true });
  const names = (payloads: readonly Payload[]) =>
    payloads.map(({ type, body }) => (type === Type.NOTIFY ? readNotify(body).type : type));
  const { SA, KE, NONCE, IDi, IDr, AUTH, TSi, TSr } = Type;
  assert.deepEqual(
    heard(transport.gateway).map(({ payloads }) => names(payloads)),
    [
      [SA, KE, NONCE],
      [Notify.COOKIE, SA, KE, NONCE],
      [IDi, Notify.INITIAL_CONTACT, IDr, AUTH, SA, TSi, TSr],
    ],
  );
  const { device, gateway } = connect({
    remote: undefined as never,
    child: { ...transport.device.profile.child, mode: "transport" },
  });
  assert.equal(device.session.handshake, undefined);
  assert.deepEqual(names(heard(gateway)[1]!.payloads), [IDi, AUTH, Notify.USE_TRANSPORT_MODE, SA, TSi, TSr]);
});

test("a payload that may occur once is malformed if it occurs twice [7815-A-b]", () => {
  const twice = (type: number) => (payloads: Payload[]) => [...payloads, find(payloads, type)!];
  for (const type of initial) passesOver({ saInit: twice(type) }, "malformed");
  for (const type of [Type.IDr, Type.AUTH, Type.SA, Type.TSi, Type.TSr]) {
    const { device } = connect({}, { edit: { auth: twice(type) } });
    const events = device.events.map((event) => event.type);
    assert.equal(events.includes("established"), false);
    assert.equal(device.session.state, "closed");
  }
});

test("the numbers of the payloads: one that is called another is missing [7815-A-b]", () => {
  const rename = (type: number) => (payloads: Payload[]) => change(payloads, type, { type: Type.VENDOR_ID });
  for (const type of initial) passesOver({ saInit: rename(type) }, "malformed");
  for (const type of [Type.IDr, Type.AUTH, Type.SA, Type.TSi, Type.TSr]) {
    const { device } = connect({}, { edit: { auth: rename(type) } });
    assert.equal(device.session.state, "closed");
  }
});

test("an empty message in the clear is no answer [7815-A.2-b]", () => {
  const device = makeDevice();
  const gateway = makeGateway();
  const [request] = device.step.send;
  assertIgnored(device, gateway.unprotected(request!), "malformed");
  exchange(device, gateway, [request!]);
  only(device.events, "established");
  const { send } = deliver(device, gateway.informational(editBody([], Type.SA, (body) => body)));
  assert.equal(send.length, 1);
});
