import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ecb } from "@noble/ciphers/aes.js";
import fc from "fast-check";
import { aesSmall } from "ikelet/crypto/aes-small.js";
import { aesSmallInverse } from "ikelet/crypto/aes-small-inverse.js";
import type { BlockCipher } from "ikelet/crypto/contracts.js";
import { hex, random, toHex, unaligned, vectors } from "./support.ts";

const encrypt = aesSmall();
const decrypt = aesSmallInverse();

function apply(cipher: BlockCipher, key: Uint8Array, input: Uint8Array): Uint8Array {
  const block = new Uint8Array(input);
  cipher(key)(block);
  return block;
}

describe("AES with one table", () => {
  test("nist/aes-ecb: FIPS 197 and known answers", () => {
    const cases =
      vectors<{ id: string; key: string; plaintext: string; ciphertext: string }[]>("nist/aes-ecb");
    assert.equal(cases.length, 77);
    for (const { id, key, plaintext, ciphertext } of cases) {
      assert.equal(toHex(apply(encrypt, hex(key), hex(plaintext))), ciphertext, id);
      assert.equal(toHex(apply(decrypt, hex(key), hex(ciphertext))), plaintext, id);
    }
  });

  test("is equal to noble's, both ways", () => {
    const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const key = fc.oneof(octets(16), octets(24), octets(32));
    fc.assert(
      fc.property(key, octets(16), (key, block) => {
        const noble = () => ecb(key, { disablePadding: true });
        assert.deepEqual(apply(encrypt, key, block), noble().encrypt(block));
        assert.deepEqual(apply(decrypt, key, block), noble().decrypt(block));
      }),
      { numRuns: 1000 },
    );
  });

  test("takes a block at any offset, and touches nothing beside it, nor the key", () => {
    const key = random(32);
    const before = toHex(key);
    const input = random(16);
    const block = unaligned(input);
    encrypt(key)(block);
    assert.deepEqual(new Uint8Array(block), apply(encrypt, key, input));
    decrypt(key)(block);
    assert.deepEqual(block, unaligned(input));
    assert.deepEqual(new Uint8Array(block.buffer), new Uint8Array(unaligned(input).buffer));
    assert.equal(toHex(key), before);
  });

  test("keeps keyed functions apart, and holds on to the key, not to the caller's buffer", () => {
    const [a, b, input] = [random(16), random(16), random(16)];
    const expected = [a, b].map((key) => apply(encrypt, key, input));
    const functions = [a, b].map((key) => encrypt(key));
    a.fill(0);
    for (const [i, keyed] of functions.entries()) {
      const block = new Uint8Array(input);
      keyed(block);
      assert.deepEqual(block, expected[i]);
    }
  });

  test("refuses a key of another length", () => {
    for (let length = 0; length < 40; length++)
      for (const cipher of [encrypt, decrypt])
        if (length % 8 || length < 16 || length > 32)
          assert.throws(() => cipher(new Uint8Array(length)), { code: "argument" }, `${length}`);
  });
});
