/** Public values, ours and the gateway's, of every group (RFC 5903, 6989 and 8031). */

import assert from "node:assert/strict";
import { createDiffieHellmanGroup, createECDH } from "node:crypto";
import { test } from "node:test";
import { entropyLength, initiate } from "ikelet";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { KeyExchange } from "ikelet/crypto/contracts.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { modp2048 } from "ikelet/crypto/modp2048.js";
import { p256 } from "ikelet/crypto/p256.js";
import { p384 } from "ikelet/crypto/p384.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import {
  concat,
  Exchange,
  editBody,
  fromHex,
  groupOf,
  hex,
  type Payload,
  patch,
  readKe,
  seededRandom,
  Type,
} from "../responder/index.ts";
import { connect, makeDevice, makeGateway, makeProfile, octets, only } from "./harness.ts";
import { assertPassedOver, bodyOf, one, seen } from "./scenes.ts";

const suiteOf = (keyExchange: KeyExchange) => ({ cipher: chacha20Poly1305, prf: hmacSha256, keyExchange });

/** Another public value in KEr; AUTH will cover it. */
const withValue =
  (change: (value: Uint8Array) => Uint8Array) =>
  (payloads: Payload[]): Payload[] =>
    editBody(payloads, Type.KE, (body) => concat(body.slice(0, 4), change(body.slice(4))));

/** The octets of a number, big or little endian. */
function encode(value: bigint, length: number, littleEndian = false): Uint8Array {
  const octetsOf = fromHex(value.toString(16).padStart(2 * length, "0"));
  return littleEndian ? octetsOf.reverse() : octetsOf;
}

const P25519 = 2n ** 255n - 19n;
const P256 = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const P384 = 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n;
const MODP = BigInt(`0x${createDiffieHellmanGroup("modp14").getPrime("hex")}`);

for (const [name, value] of [
  ["0", 0n],
  ["1", 1n],
  ["p - 1", MODP - 1n],
  ["p", MODP],
  ["p + 1", MODP + 1n],
] as const) {
  test(`MODP: KEr = ${name} is dropped, the genuine one is taken [6989-2.1-a, 6989-2.5-a]`, () => {
    assertPassedOver({ saInit: withValue(() => encode(value, 256)) }, "key-exchange", {
      suite: suiteOf(modp2048),
    });
  });
}

for (const [name, group, prime, size] of [
  ["P-256", p256, P256, 32],
  ["P-384", p384, P384, 48],
] as const) {
  const cases: Record<string, (value: Uint8Array) => Uint8Array> = {
    "y + 1": (value) => patch(value, 2 * size - 1, (value[2 * size - 1]! + 1) & 0xff),
    "x = p": (value) => concat(encode(prime, size), value.slice(size)),
    "y = p": (value) => concat(value.slice(0, size), encode(prime, size)),
    "x of all ones": (value) => concat(new Uint8Array(size).fill(0xff), value.slice(size)),
    "the point at infinity": () => new Uint8Array(2 * size),
  };
  for (const [what, change] of Object.entries(cases)) {
    test(`${name}: KEr with ${what} is dropped, the genuine one is taken [6989-2.3-a, 6989-2.5-a]`, () => {
      assertPassedOver({ saInit: withValue(change) }, "key-exchange", { suite: suiteOf(group) });
    });
  }
  const forms: Record<string, (value: Uint8Array) => Uint8Array> = {
    "a 0x04 in front": (value) => concat(Uint8Array.of(4), value),
    "the compressed form": (value) => concat(Uint8Array.of(2), value.slice(0, size)),
    "x alone": (value) => value.slice(0, size),
    "an octet too few": (value) => value.slice(1),
  };
  for (const [what, change] of Object.entries(forms)) {
    test(`${name}: KEr with ${what} is malformed [5903-7-a]`, () => {
      assertPassedOver({ saInit: withValue(change) }, "key-exchange", { suite: suiteOf(group) });
    });
  }
}

for (const [name, value] of [
  ["0", 0n],
  ["1", 1n],
  ["p - 1", P25519 - 1n],
  ["p", P25519],
  ["p + 1", P25519 + 1n],
] as const) {
  test(`X25519: KEr = ${name} would share nothing but zeros, and is dropped [REC-sai-a, 6989-2.5-a]`, () => {
    assertPassedOver({ saInit: withValue(() => encode(value, 32, true)) }, "key-exchange");
  });
}

for (const length of [0, 31, 33, 56, 64]) {
  test(`X25519: KEr of ${length} octets is malformed [8031-3.1-a]`, () => {
    assertPassedOver({ saInit: withValue(() => octets(length)) }, "key-exchange");
  });
}

test("KEr of another group than SAr1 says is dropped [6989-2.5-a]", () => {
  const saInit = (payloads: Payload[]) =>
    editBody(payloads, Type.KE, (body) => concat(Uint8Array.of(0, 19), body.slice(2)));
  assertPassedOver({ saInit }, "key-exchange");
});

test("X25519: the top bit of KEr is ignored, and values from p on are taken [8031-3.2-a]", () => {
  const { device, gateway } = connect(
    {},
    { edit: { saInit: withValue((v) => patch(v, 31, v[31]! | 0x80)) } },
  );
  only(device.events, "established");
  assert.deepEqual(gateway.violations, []);
  const secret = octets(32, "secret");
  for (let u = 2n; u < 19n; u++) {
    const shared = x25519.sharedSecret(secret, encode(u, 32, true));
    assert.equal(hex(x25519.sharedSecret(secret, encode(u + P25519, 32, true))!), hex(shared!));
  }
});

test("X25519: KEi is the raw value, little-endian, and g^ir goes into the keys as it is [8031-3.1-a, 8031-2-a]", () => {
  const { device, gateway } = connect();
  const { group, value } = readKe(bodyOf(seen(gateway, Exchange.IKE_SA_INIT).payloads, Type.KE));
  assert.deepEqual([group, value.length, gateway.sa.sharedSecret?.length], [31, 32, 32]);
  // The secret stands behind the SPI and the nonce.
  assert.equal(hex(value), hex(groupOf(31)!.publicValue(octets(56).slice(24))));
  only(device.events, "established");
});

for (const [name, group, curve, size] of [
  ["P-256", p256, "prime256v1", 32],
  ["P-384", p384, "secp384r1", 48],
] as const) {
  test(`${name}: KEi is x and y, nothing before them [5903-7-a]`, () => {
    // The first seed whose y begins with a zero octet, which has to stay.
    const seed = { "P-256": "p256 189", "P-384": "p384 67" }[name];
    const device = makeDevice({ suite: suiteOf(group) }, seed);
    const gateway = makeGateway();
    gateway.receive(one(device.step.send));
    const { value } = readKe(bodyOf(seen(gateway, Exchange.IKE_SA_INIT).payloads, Type.KE));
    assert.deepEqual([value.length, value[size]], [2 * size, 0]);
    const peer = createECDH(curve);
    peer.generateKeys();
    assert.equal(peer.computeSecret(concat(Uint8Array.of(4), value)).length, size);
  });

  test(`${name}: g^ir is x alone, its leading zeros included [5903-7-b]`, () => {
    const random = seededRandom({ "P-256": "p256 481", "P-384": "p384 509" }[name]);
    const { device, gateway } = connect({ suite: suiteOf(group) }, { random });
    const { sharedSecret } = gateway.sa;
    assert.deepEqual([sharedSecret?.length, sharedSecret?.[0]], [size, 0]);
    only(device.events, "established");
  });
}

test("MODP: KEi and g^ir have the length of the prime, their leading zeros included [7815-2.1-d]", () => {
  const { device, gateway } = connect({ suite: suiteOf(modp2048) }, { random: seededRandom("modp 24") });
  const { value } = readKe(bodyOf(seen(gateway, Exchange.IKE_SA_INIT).payloads, Type.KE));
  const { sharedSecret } = gateway.sa;
  assert.deepEqual([value.length, sharedSecret?.length, sharedSecret?.[0]], [256, 256, 0]);
  only(device.events, "established");
});

test("entropy is cut to the group's needs", () => {
  for (const keyExchange of [x25519, p256, p384, modp2048]) {
    const profile = makeProfile({ suite: suiteOf(keyExchange) });
    assert.equal(entropyLength(profile), 8 + 16 + keyExchange.secretLength + 4);
  }
});

test("who has no key exchange can only resume: no private value, and no full handshake", () => {
  const profile = makeProfile();
  const { keyExchange: _, ...suite } = profile.suite;
  const frugal = { ...profile, suite };
  assert.equal(entropyLength(frugal), 8 + 16 + 4);
  assert.throws(() => initiate(frugal, octets(100)), {
    name: "IkeletError",
    code: "profile",
    message: /^suite.keyExchange:/,
  });
});
