/** The bodies of KE, ID, AUTH and Nonce (RFC 7296 sections 3.4, 3.5, 3.8 and 3.9). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { addressId, entropyLength, fqdn, type Identification, initiate, keyId, rfc822 } from "ikelet";
import { checkProfile } from "ikelet/check.js";
import { modp2048 } from "ikelet/crypto/modp2048.js";
import {
  concat,
  createResponder,
  decodeChain,
  editBody,
  editTransforms,
  find,
  groupOf,
  type Identity,
  type Options,
  type Payload,
  readIdentity,
  Type,
  u16,
  u32,
} from "../responder/index.ts";
import { established, heard, passesOver } from "./expect.ts";
import { connect, exchange, makeDevice, makeProfile, octets, only, PSK } from "./harness.ts";
import { GROUPS, PRFS, withKeyExchange, withPrf } from "./suites.ts";

/** The payload of a type in the n-th message of the device, as it is on the wire but for its Next Payload. */
function sent(options: Partial<Options>, changes: object, n: number, type: number): Payload {
  return find(heard(established(options, changes).gateway)[n]!.payloads, type)!;
}

test("KE of every group: its number, RESERVED, the public value [7815-A.4-a]", () => {
  const lengths = { 31: 40, 19: 72, 20: 104, 14: 264 } as Record<number, number>;
  for (const { keyExchange, id, length } of GROUPS) {
    const changes = withKeyExchange(keyExchange);
    const { body } = sent({}, changes, 0, Type.KE);
    assert.equal(body.length + 4, lengths[id]);
    const secret = octets(entropyLength(makeProfile(changes))).slice(24, 24 + keyExchange.secretLength);
    assert.deepEqual(body, concat(u16(id), u16(0), keyExchange.publicValue(secret)));
    assert.equal(body.length, 4 + length);
  }
});

test("a MODP value keeps its leading zero octet [7815-A.4-b]", () => {
  // A private value that was looked for, as one in 256 is like it.
  const secret = octets(32, "leading zero 41");
  const expected = groupOf(14)!.publicValue(secret);
  assert.equal(expected[0], 0);
  const entropy = concat(octets(24), secret, octets(4));
  const [request] = initiate(makeProfile(withKeyExchange(modp2048)), entropy).send;
  const { body } = find(decodeChain(request![16]!, request!.slice(28)), Type.KE)!;
  assert.deepEqual(body, concat(u16(14), u16(0), expected));
});

test("the group of KE is that of the proposal, in the answer too [7815-A.4-c]", () => {
  for (const { keyExchange, id } of GROUPS) {
    const { gateway } = established({}, withKeyExchange(keyExchange));
    assert.equal(gateway.sa.suite.group, id);
    const [request] = heard(gateway);
    assert.deepEqual(find(request!.payloads, Type.KE)!.body.slice(0, 2), u16(id));
  }
  for (const group of [0, 14, 19, 32, 0x1f00, 0xffff])
    passesOver(
      { saInit: (payloads) => editBody(payloads, Type.KE, (body) => concat(u16(group), body.slice(2))) },
      "key-exchange",
    );
  for (const length of [0, 1, 2, 3, 4, 35, 37])
    passesOver(
      { saInit: (p) => editBody(p, Type.KE, (body) => concat(body, new Uint8Array(9)).slice(0, length)) },
      "key-exchange",
    );
  // In the proposal alone.
  const edit = (payloads: Payload[]) =>
    editTransforms(payloads, (list) => list.map((t) => (t.type === 4 ? { ...t, id: 19 } : t)));
  passesOver({ saInit: edit }, "proposal");
});

/** One of each type that RFC 7296 section 3.5 wants, with its number and its octets. */
const IDENTITIES: [Identification, Identity][] = [
  [addressId(Uint8Array.of(192, 0, 2, 1)), { type: 1, data: Uint8Array.of(192, 0, 2, 1) }],
  [fqdn("gw.example"), { type: 2, data: new Uint8Array(Buffer.from("gw.example")) }],
  [rfc822("gw@example.com"), { type: 3, data: new Uint8Array(Buffer.from("gw@example.com")) }],
  [addressId(octets(16)), { type: 5, data: octets(16) }],
  [
    { type: 9, data: octets(40) },
    { type: 9, data: octets(40) },
  ],
  [keyId(Uint8Array.of(0, 1, 0xff)), { type: 11, data: Uint8Array.of(0, 1, 0xff) }],
  [keyId(octets(1)), { type: 11, data: octets(1) }],
];

test("identities of every type, sent and accepted [7815-A.5-a, 7296-3.5-a]", () => {
  for (const [ours, theirs] of IDENTITIES) {
    const { device, gateway } = established({ local: theirs, remote: theirs }, { local: ours, remote: ours });
    assert.deepEqual(gateway.sa.idI, theirs);
    assert.deepEqual(only(device.events, "established").remote, ours);
    const { payloads } = heard(gateway)[1]!;
    for (const type of [Type.IDi, Type.IDr])
      assert.deepEqual(find(payloads, type)!.body, concat(Uint8Array.of(theirs.type, 0, 0, 0), theirs.data));
  }
});

test("an address has 4 or 16 octets, when it is sent and when it comes [7815-A.5-a]", () => {
  for (const length of [0, 3, 5, 15, 17])
    assert.throws(() => addressId(octets(length)), { name: "IkeletError", code: "argument" });
  for (const [type, length] of [
    [1, 0],
    [1, 3],
    [1, 5],
    [1, 16],
    [5, 0],
    [5, 4],
    [5, 15],
    [5, 17],
  ] as const) {
    const wrong = { type, data: octets(length) };
    assert.throws(() => checkProfile(makeProfile({ local: wrong })), { code: "profile", message: /^local:/ });
    assert.throws(() => checkProfile(makeProfile({ remote: wrong })), {
      code: "profile",
      message: /^remote:/,
    });
    // Even where any identity is good, and with a good AUTH.
    const { device } = connect({ remote: undefined as never }, { local: wrong });
    assert.equal(only(device.events, "closed").reason, "authentication");
    assert.equal(device.events.length, 1);
  }
});

test("an ID payload that is cut off is none [7815-A.5-a]", () => {
  for (let length = 0; length < 4; length++) {
    const auth = (payloads: Payload[]) => editBody(payloads, Type.IDr, (body) => body.slice(0, length));
    const { device } = connect({ remote: undefined as never }, { edit: { auth } });
    assert.equal(only(device.events, "closed").reason, "authentication");
  }
});

test("names have no terminator [7815-A.5-b]", () => {
  for (const local of [fqdn("example.com"), rfc822("example.com")]) {
    const { body } = sent({ remote: undefined as never }, { local }, 1, Type.IDi);
    assert.deepEqual(readIdentity(body).data, new Uint8Array(Buffer.from("example.com")));
    assert.equal(body.length, 4 + 11);
  }
});

test("AUTH: method 2, RESERVED, as many octets as the PRF returns [7815-A.8-a]", () => {
  for (const { prf, length } of PRFS) {
    const { body } = sent({}, withPrf(prf), 1, Type.AUTH);
    assert.deepEqual(body.slice(0, 4), Uint8Array.of(2, 0, 0, 0));
    assert.equal(body.length, 4 + length);
    for (const change of [
      (data: Uint8Array) => data.slice(1),
      (data: Uint8Array) => data.slice(0, -1),
      (data: Uint8Array) => concat(data, new Uint8Array(1)),
      () => new Uint8Array(0),
    ]) {
      const { device } = connect(withPrf(prf), { edit: { authData: change } });
      assert.equal(only(device.events, "closed").reason, "authentication");
    }
  }
  for (const length of [0, 1, 3]) {
    const auth = (payloads: Payload[]) => editBody(payloads, Type.AUTH, () => new Uint8Array(length).fill(2));
    assert.equal(only(connect({}, { edit: { auth } }).device.events, "closed").reason, "authentication");
  }
});

test("nonces have 16 to 256 octets, ours and those that are taken [7815-A.9-a]", () => {
  for (const nonce of [16, 17, 32, 255, 256]) {
    const { gateway } = established({ nonce });
    assert.equal(gateway.sa.nonceR.length, nonce);
  }
  for (const length of [0, 1, 15, 257, 300]) {
    const nonceOf = (payloads: Payload[]) => editBody(payloads, Type.NONCE, () => octets(length));
    passesOver({ saInit: nonceOf }, "nonce");
  }
  // Half the key of the PRF at least (RFC 7296 section 2.10), and what the entropy has behind the SPI.
  for (const { prf, length } of PRFS) {
    const changes = withPrf(prf);
    const { body } = sent({}, changes, 0, Type.NONCE);
    assert.equal(body.length, Math.max(16, length / 2));
    const entropy = octets(entropyLength(makeProfile(changes)));
    assert.deepEqual(body, entropy.slice(8, 8 + body.length));
  }
});

test("an SPI of the Child SA that is no reserved one, as SPI and in the proposal [7815-A.3.1-c]", () => {
  const profile = makeProfile();
  const { length } = octets(entropyLength(profile));
  const device = makeDevice();
  const gateway = createResponder({ psk: PSK });
  exchange(device, gateway);
  const spi = gateway.sa.child!.spiI;
  const expected = octets(length).slice(-4);
  expected[0]! |= 0x80;
  assert.deepEqual(spi, expected);
  assert.deepEqual(u32(only(device.events, "established").child.inbound.spi), spi);
});
