import assert from "node:assert/strict";
import { createCipheriv, createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { aesCmac } from "ikelet/crypto/aes-cmac.js";
import { aesSmall } from "ikelet/crypto/aes-small.js";
import { cmac as cmacOver } from "ikelet/crypto/cmac.js";
import type { Integrity, Prf } from "ikelet/crypto/contracts.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { hmacSha384 } from "ikelet/crypto/hmac-sha384.js";
import { hmacSha384_192 } from "ikelet/crypto/hmac-sha384-192.js";
import { hmacSha512 } from "ikelet/crypto/hmac-sha512.js";
import { hmacSha512_256 } from "ikelet/crypto/hmac-sha512-256.js";
import { concat, hex, random, toHex, unaligned, vectors } from "./support.ts";

type Reference = (key: Uint8Array, data: Uint8Array) => Uint8Array;

/** AES-CMAC (RFC 4493) over the AES of OpenSSL, bit by bit as the RFC has it, in big numbers. */
const cmac: Reference = (key, data) => {
  const encrypt = (block: bigint): bigint => {
    const aes = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
    return BigInt(`0x${aes.update(block.toString(16).padStart(32, "0"), "hex", "hex")}`);
  };
  const double = (x: bigint): bigint => BigInt.asUintN(128, x << 1n) ^ (x >> 127n ? 0x87n : 0n);
  const whole = data.length > 0 && data.length % 16 === 0;
  const padded = whole ? data : concat(data, hex("80"), new Uint8Array(15 - (data.length % 16)));
  const subkey = double(encrypt(0n));
  let mac = 0n;
  for (let i = 0; i < padded.length; i += 16) {
    const block = BigInt(`0x${toHex(padded.subarray(i, i + 16))}`);
    const last = i + 16 === padded.length;
    mac = encrypt(mac ^ block ^ (last ? (whole ? subkey : double(subkey)) : 0n));
  }
  return hex(mac.toString(16).padStart(32, "0"));
};

/** AES-CMAC-PRF-128 (RFC 4615 section 3). */
const cmacPrf: Reference = (key, data) => cmac(key.length === 16 ? key : cmac(new Uint8Array(16), key), data);

const hmac =
  (hash: string): Reference =>
  (key, data) =>
    new Uint8Array(createHmac(hash, key).update(data).digest());

const smallCmac = cmacOver(aesSmall());

/** `numbers`: transform ID, octets of the preferred key and of the output, octets of each nonce. */
const prfs: { name: string; prf: Prf; reference: Reference; numbers: (number | undefined)[] }[] = [
  { name: "HMAC-SHA-256", prf: hmacSha256, reference: hmac("sha256"), numbers: [5, 32, 32, undefined] },
  { name: "HMAC-SHA-384", prf: hmacSha384, reference: hmac("sha384"), numbers: [6, 48, 48, undefined] },
  { name: "HMAC-SHA-512", prf: hmacSha512, reference: hmac("sha512"), numbers: [7, 64, 64, undefined] },
  { name: "AES-CMAC", prf: aesCmac, reference: cmacPrf, numbers: [8, 16, 16, 8] },
  { name: "AES-CMAC, small AES", prf: smallCmac, reference: cmacPrf, numbers: [8, 16, 16, 8] },
];

for (const { name, prf, reference, numbers } of prfs)
  describe(name, () => {
    test("has the numbers of its RFC", () => {
      assert.deepEqual([prf.transformId, prf.keyLength, prf.outputLength, prf.nonceKeyLength], numbers);
    });

    test("agrees with OpenSSL for every length of data and key to 300, at any alignment", () => {
      for (let length = 0; length <= 300; length++) {
        const data = random(length);
        for (const keyLength of [length, prf.keyLength]) {
          const key = random(keyLength);
          const expected = toHex(reference(key, data));
          assert.equal(toHex(prf.keyed(key)(data)), expected);
          assert.equal(toHex(prf.keyed(unaligned(key))(unaligned(data))), expected);
        }
      }
    });

    test("answers for any chunks, any number of times, and leaves them alone", () => {
      const key = random(prf.keyLength);
      const keyed = prf.keyed(key);
      assert.equal(toHex(keyed()), toHex(reference(key, hex(""))));
      for (let length = 0; length < 150; length++) {
        const data = random(length);
        const before = toHex(data);
        const a = Math.floor(length / 3);
        const b = Math.floor(length / 2);
        const expected = toHex(reference(key, data));
        assert.equal(toHex(keyed(data.subarray(0, a), data.subarray(a, b), data.subarray(b))), expected);
        assert.equal(toHex(keyed(data, hex(""))), expected);
        assert.equal(toHex(data), before);
      }
    });

    test("holds on to its key, not to the caller's buffer, and returns a new result each time", () => {
      const key = random(prf.keyLength);
      const keyed = prf.keyed(key);
      const first = keyed(hex("01"));
      const expected = toHex(first);
      key.fill(0);
      first.fill(0);
      assert.equal(toHex(keyed(hex("01"))), expected);
    });
  });

/** `numbers`: transform ID, octets of key and ICV. */
const integrities: [string, Integrity, Prf, number[]][] = [
  ["HMAC-SHA-256-128", hmacSha256_128, hmacSha256, [12, 32, 16]],
  ["HMAC-SHA-384-192", hmacSha384_192, hmacSha384, [13, 48, 24]],
  ["HMAC-SHA-512-256", hmacSha512_256, hmacSha512, [14, 64, 32]],
];

for (const [name, integrity, prf, numbers] of integrities)
  test(`${name} has the numbers of RFC 4868 and the MAC of the PRF`, () => {
    assert.deepEqual([integrity.transformId, integrity.keyLength, integrity.icvLength], numbers);
    const key = random(integrity.keyLength);
    const data = random(77);
    assert.equal(toHex(integrity.keyed(key)(data)), toHex(prf.keyed(key)(data)));
  });

describe("vectors of HMAC", () => {
  const byBits = { 256: hmacSha256, 384: hmacSha384, 512: hmacSha512 };
  const integrityByBits = { 256: hmacSha256_128, 384: hmacSha384_192, 512: hmacSha512_256 };
  type Bits = keyof typeof byBits;

  test("rfc/rfc4868-prf", () => {
    for (const vector of vectors<({ key: string; msg: string } & Record<Bits, string>)[]>("rfc/rfc4868-prf"))
      for (const bits of [256, 384, 512] as const)
        assert.equal(toHex(byBits[bits].keyed(hex(vector.key))(hex(vector.msg))), vector[bits]);
  });

  test("rfc/rfc4868-integrity", () => {
    for (const { id, bits, key, msg, prf, icv } of vectors<
      { id: string; bits: Bits; key: string; msg: string; prf: string; icv: string }[]
    >("rfc/rfc4868-integrity")) {
      const { keyed, icvLength, keyLength } = integrityByBits[bits];
      assert.equal(key.length, keyLength * 2, id);
      const mac = keyed(hex(key))(hex(msg));
      assert.equal(toHex(mac), prf, id);
      assert.equal(toHex(mac.subarray(0, icvLength)), icv, id);
    }
  });

  for (const bits of [256, 384, 512] as const)
    test(`wycheproof/hmac-sha${bits}`, () => check(`hmac-sha${bits}`, byBits[bits]));
});

for (const [name, prf] of [
  ["AES-CMAC", aesCmac],
  ["AES-CMAC, small AES", smallCmac],
] as const)
  describe(`vectors of ${name}`, () => {
    test("rfc/rfc4615-cmac", () => {
      for (const { key, msg, tag } of vectors<MacVector[]>("rfc/rfc4615-cmac"))
        assert.equal(toHex(prf.keyed(hex(key))(hex(msg))), tag);
    });

    test("rfc/rfc4494-cmac, nist/aes-cmac: truncated", () => {
      for (const { id, key, msg, icv, tag = icv! } of [
        ...vectors<(MacVector & { icv?: string })[]>("rfc/rfc4494-cmac"),
        ...vectors<(MacVector & { icv?: string })[]>("nist/aes-cmac"),
      ])
        assert.equal(toHex(prf.keyed(hex(key))(hex(msg)))?.slice(0, tag.length), tag, `${id}`);
    });

    test("wycheproof/aes-cmac", () => check("aes-cmac", prf));
  });

interface MacVector {
  id: number;
  key: string;
  msg: string;
  tag: string;
  valid: boolean;
}

function check(name: string, prf: Prf): void {
  for (const { id, key, msg, tag, valid } of vectors<MacVector[]>(`wycheproof/${name}`))
    assert.equal(toHex(prf.keyed(hex(key))(hex(msg)))?.slice(0, tag.length) === tag, valid, `${id}`);
}
