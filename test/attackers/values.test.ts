/** Public values that would give a secret away or are none, in every group; and everything that has a size, with a wrong one. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, timeout } from "ikelet";
import type { KeyExchange } from "ikelet/crypto/contracts.js";
import { modp2048 } from "ikelet/crypto/modp2048.js";
import { p256 } from "ikelet/crypto/p256.js";
import { p384 } from "ikelet/crypto/p384.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import { qcd } from "ikelet/qcd.js";
import { resumption } from "ikelet/resumption.js";
import { established } from "../initiator/expect.ts";
import { connect, deliver, makeDevice, makeGateway, octets, take } from "../initiator/harness.ts";
import { assertPassedOver, halfWay } from "../initiator/scenes.ts";
import {
  type Bytes,
  concat,
  configuration,
  fromHex,
  groupOf,
  hex,
  type Identity,
  idr,
  notify,
  type Payload,
  patch,
  range,
  Type,
  ts,
  u16,
  u32,
  unknownPayload,
  unprotectedResponse,
} from "../responder/index.ts";

const LONGEST = 65_000;
const SECRET = octets(72, "a private value");

/** All points of small order of Curve25519 and of its twist, also in the forms that are not reduced. */
const SMALL_ORDER: readonly string[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

test("X25519: no point of small order is taken, with either top bit [REC-sai-a, 6989-2.5-a]", () => {
  for (const value of SMALL_ORDER.map(fromHex))
    for (const top of [0, 0x80]) {
      const point = patch(value, 31, value[31]! | top);
      assert.equal(x25519.sharedSecret(SECRET.slice(0, 32), point), undefined, hex(point));
      assert.equal(groupOf(31)!.sharedSecret(SECRET.slice(0, 32), point), undefined, hex(point));
    }
});

/** Points (x, 0) have the order 2 on some other curve, and no (x, y) at random lies on the right one. */
test("ECP: points of other curves are not taken [6989-2.3-a]", () => {
  for (const group of [p256, p384]) {
    const size = group.publicLength / 2;
    const secret = SECRET.slice(0, group.secretLength);
    for (let n = 0; n < 20; n++) {
      const x = octets(size, `x ${n}`);
      assert.equal(group.sharedSecret(secret, concat(x, new Uint8Array(size))), undefined);
      assert.equal(group.sharedSecret(secret, concat(new Uint8Array(size), x)), undefined);
      assert.equal(group.sharedSecret(secret, concat(x, octets(size, `y ${n}`))), undefined);
    }
  }
});

test("no length of a public value but the group's own is taken", () => {
  for (const group of [x25519, p256, p384, modp2048] as KeyExchange[]) {
    const { publicLength, publicValue, secretLength, sharedSecret } = group;
    const secret = SECRET.slice(0, secretLength);
    const value = publicValue(octets(secretLength, "theirs"));
    for (const length of [0, 1, publicLength - 1])
      assert.equal(sharedSecret(secret, value.slice(0, length)), undefined);
    for (const more of [1, publicLength, LONGEST])
      assert.equal(sharedSecret(secret, concat(value, new Uint8Array(more))), undefined);
    assert.equal(sharedSecret(secret, value)!.length > 0, true);
  }
});

test("nonces, cookies and public values of any size: the genuine answer still counts", () => {
  const change = (type: number, body: Bytes) => (payloads: Payload[]) =>
    payloads.map((payload) => (payload.type === type ? { ...payload, body } : payload));
  for (const length of [0, 1, 15, 257, LONGEST])
    assertPassedOver({ saInit: change(Type.NONCE, new Uint8Array(length).fill(1)) }, "nonce");
  for (const length of [0, 3, 4, 35, LONGEST])
    assertPassedOver(
      { saInit: change(Type.KE, patch(new Uint8Array(length + 2), 1, 31).slice(0, length)) },
      "key-exchange",
    );
  for (const length of [0, 8, LONGEST])
    assertPassedOver({ saInit: change(Type.SA, new Uint8Array(length)) }, "proposal");
});

/** Octets that a session holds. */
function held(value: unknown): number {
  if (value instanceof Uint8Array) return value.buffer.byteLength;
  return typeof value === "object" && value !== null
    ? Object.values(value).reduce<number>((sum, inside) => sum + held(inside), 0)
    : 0;
}

const many = (payload: Payload): Payload[] =>
  new Array<Payload>(Math.floor(LONGEST / (payload.body.length + 4))).fill(payload);
const longId: Identity = { type: 2, data: new Uint8Array(LONGEST).fill(0x61) };

/** What a gateway may put into a message as large as UDP allows. */
const LARGE: Readonly<Record<string, Payload[]>> = {
  "empty payloads": many(unknownPayload(200, false, new Uint8Array(0))),
  errors: many(notify(43)),
  tokens: many(notify(16419, octets(32), undefined, 1)),
  "a token of 64 KB": [notify(16419, new Uint8Array(LONGEST))],
  "a ticket of 64 KB": [notify(16409, concat(u32(60), new Uint8Array(LONGEST - 20)))],
  tickets: many(notify(16409, concat(u32(60), octets(16)))),
  "a Delete of 16 000 SPIs": [
    { type: Type.DELETE, body: concat(Uint8Array.of(3, 4), u16(16_000), new Uint8Array(64_000).fill(7)) },
  ],
  Deletes: many({ type: Type.DELETE, body: Uint8Array.of(3, 4, 0, 0) }),
  "an identity of 64 KB": [idr(longId)],
  attributes: [configuration(2, new Array(8000).fill([1, octets(4)]))],
  selectors: [ts(Type.TSi, new Array(255).fill(range("10.1.0.7")))],
  nonces: many({ type: Type.NONCE, body: octets(16) }),
};
const EXTENDED = { extensions: [resumption(), qcd()] };
const GENEROUS = { tickets: {}, qcd: { secrets: [octets(32)] } };

for (const [name, payloads] of Object.entries(LARGE)) {
  test(`as many or as large as a datagram holds: ${name}`, () => {
    // In the clear, to whoever waits for the first response.
    const waiting = makeDevice(EXTENDED);
    const before = held(waiting.session);
    deliver(waiting, unprotectedResponse(waiting.session.request!, payloads));
    assert.ok(held(waiting.session) <= before + 64, `${held(waiting.session)} octets, before ${before}`);

    // From a gateway that has the keys: beside its proof, as a request, and as an answer.
    const { device, gateway, request } = halfWay(EXTENDED, GENEROUS);
    const auth = (right: Payload[]) => [...right, ...payloads];
    const [answer] = gateway.fork({ edit: { auth } }).receive(request);
    if (answer!.length < 0x10000) deliver(device, answer!);
    const up = established(GENEROUS, EXTENDED);
    const room = held(up.device.session) + 2048;
    deliver(up.device, up.gateway.informational(payloads));
    assert.ok(held(up.device.session) <= room, `${held(up.device.session)} octets, of ${room}`);
    if (up.device.session.state !== "established") return;
    take(up.device, checkLiveness(up.device.profile, up.device.session));
    const asked = up.gateway.fork({ edit: { informational: () => payloads } });
    for (const reply of asked.receive(up.device.session.request!)) deliver(up.device, reply);
    assert.ok(held(up.device.session) <= room, `${held(up.device.session)} octets, of ${room}`);
  });
}

test("datagrams of every size from nothing to more than UDP can carry", () => {
  const { device } = connect(EXTENDED, GENEROUS);
  for (const length of [0, 1, 2, 4, 27, 28, 29, 31, 32, 33, 1500, 65_535, 1_000_000]) {
    const { spiI, spiR } = device.session;
    const datagram = concat(
      spiI,
      spiR,
      Uint8Array.of(46, 0x20, 37, 0),
      u32(0),
      u32(length),
      new Uint8Array(length),
    );
    const step = deliver(device, datagram.slice(0, length));
    assert.deepEqual([step.send, step.events.length, step.wait], [[], 1, undefined]);
  }
  assert.equal(device.session.state, "established");
});

test("retransmission does not grow with what arrives", () => {
  const device = makeDevice(EXTENDED);
  const gateway = makeGateway({ cookie: { rounds: 5, data: 64 } });
  const [request] = device.step.send;
  let answer = gateway.receive(request!);
  for (let n = 0; n < 5; n++) answer = gateway.receive(deliver(device, answer[0]!).send[0]!);
  const { send } = take(device, timeout(device.profile, device.session));
  assert.equal(send[0]!.length, request!.length + 8 + 64);
});
