import { cbc, ecb } from "@noble/ciphers/aes.js";
import type { Cipher, Integrity } from "./contracts.ts";
import { equalSecrets } from "./equal.ts";
import { place } from "./place.ts";

const BLOCK_LENGTH = 16;

/** The buffer, if it begins where a word begins: noble writes to no other. */
function wholeWords(octets: Uint8Array | undefined): Uint8Array | undefined {
  return octets && octets.byteOffset % 4 === 0 ? octets : undefined;
}

/**
 * ENCR_AES_CBC (12), RFC 3602, with an integrity algorithm: encrypt, then MAC. Key 16 or 32 octets, IV 16, ICV as
 * the integrity algorithm has it, over associated data ‖ IV ‖ ciphertext ‖ tail (RFC 7296 section 3.14, RFC 4303
 * section 3.3.2.1). The protocol pads to 16 octets; here nothing is added and nothing taken away.
 *
 * The IV must be unpredictable: take it from `unpredictableIv`, or random.
 *
 * @param keyBits the Key Length attribute
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { aesCbc } from "ikelet/crypto/aes-cbc.js";
 * import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
 *
 * const cipher = aesCbc(128, hmacSha256_128);
 * const key = new Uint8Array(16 + 32).fill(1); // encryption key, integrity key
 * const counter = new Uint8Array(8); // never twice with the same key
 * const iv = cipher.unpredictableIv!(key, counter);
 * const header = new Uint8Array([1, 2, 3]);
 * const sealed = cipher.seal(key, iv, header, new Uint8Array(32));
 * assert.equal(sealed.length, 32 + 16);
 * assert.deepEqual(cipher.open(key, iv, header, sealed), new Uint8Array(32));
 * ```
 */
export function aesCbc(keyBits: 128 | 256, integrity: Integrity): Cipher {
  const keyLength = keyBits / 8;
  const { icvLength } = integrity;
  const noPadding = { disablePadding: true };
  const nothing = new Uint8Array();
  const mode = (key: Uint8Array, iv: Uint8Array) => cbc(key.subarray(0, keyLength), iv, noPadding);
  const computeIcv = (key: Uint8Array, ...chunks: Uint8Array[]): Uint8Array =>
    integrity
      .keyed(key.subarray(keyLength))(...chunks)
      .subarray(0, icvLength);
  return {
    encryptionId: 12,
    keyBits,
    integrityId: integrity.transformId,
    keyLength,
    integrityKeyLength: integrity.keyLength,
    ivLength: BLOCK_LENGTH,
    icvLength,
    blockLength: BLOCK_LENGTH,
    unpredictableIv: (key, counter) => {
      const block = new Uint8Array(BLOCK_LENGTH);
      block.set(counter, BLOCK_LENGTH - counter.length);
      return ecb(key.subarray(0, keyLength), noPadding).encrypt(block);
    },
    seal: (
      key,
      iv,
      associatedData,
      plaintext,
      output = new Uint8Array(plaintext.length + icvLength),
      tail = nothing,
    ) => {
      const space = output.subarray(0, plaintext.length);
      const ciphertext = mode(key, iv).encrypt(plaintext, wholeWords(space));
      if (ciphertext !== space) space.set(ciphertext);
      output.set(computeIcv(key, associatedData, iv, ciphertext, tail), ciphertext.length);
      return output;
    },
    open: (key, iv, associatedData, sealed, output, tail = nothing) => {
      const length = sealed.length - icvLength;
      if (length < 0 || length % BLOCK_LENGTH || iv.length !== BLOCK_LENGTH) return undefined;
      const ciphertext = sealed.subarray(0, length);
      const icv = computeIcv(key, associatedData, iv, ciphertext, tail);
      if (!equalSecrets(icv, sealed.subarray(length))) return undefined;
      const space = wholeWords(output);
      const plaintext = mode(key, iv).decrypt(ciphertext, space);
      return space ?? place(plaintext, output);
    },
  };
}
