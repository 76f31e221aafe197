import { aead } from "./aead.ts";
import { writeWord } from "./aes.ts";
import type { BlockCipher, Cipher } from "./contracts.ts";
import { ctr } from "./ctr.ts";
import { equalSecrets } from "./equal.ts";
import { ghash } from "./ghash.ts";

const ICV_LENGTH = 16;

/**
 * GCM (NIST SP 800-38D) over any block cipher of 16 octets, with the key, salt and IV of RFC 4106: ENCR_AES_GCM_16
 * (20). noble's AES has it as `aesGcm` of `ikelet/crypto/aes-gcm.js`; this one takes `aesSmall`, or the AES of a chip.
 *
 * @param block the block cipher
 * @param keyBits the Key Length attribute
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { aesSmall } from "ikelet/crypto/aes-small.js";
 * import { gcm } from "ikelet/crypto/gcm.js";
 *
 * const cipher = gcm(aesSmall(), 128);
 * const key = new Uint8Array(20).fill(1); // 16 octets of key, 4 of salt
 * const iv = new Uint8Array(8); // a counter: never twice with the same key
 * const header = new Uint8Array([1, 2, 3]);
 * const sealed = cipher.seal(key, iv, header, new Uint8Array([4, 5]));
 * assert.equal(sealed.length, 2 + 16);
 * assert.deepEqual(cipher.open(key, iv, header, sealed), new Uint8Array([4, 5]));
 * ```
 */
export function gcm(block: BlockCipher, keyBits: number): Cipher {
  return aead(20, keyBits, keyBits / 8, 4, ICV_LENGTH, (key, nonce, associatedData) => {
    const encrypt = block(key);
    const hashKey = new Uint8Array(16);
    encrypt(hashKey);

    /** The block behind number i of the text; -1 stands for the first, which hides the hash. */
    const streamBlock = (i: number): Uint8Array => {
      const counter = new Uint8Array(16);
      counter.set(nonce);
      writeWord(counter, 12, i + 2);
      encrypt(counter);
      return counter;
    };
    const computeIcv = (ciphertext: Uint8Array): Uint8Array =>
      ctr(() => streamBlock(-1), ghash(hashKey, associatedData, ciphertext), new Uint8Array(ICV_LENGTH));

    return {
      encrypt: (plaintext, output = new Uint8Array(plaintext.length + ICV_LENGTH)) => {
        const ciphertext = ctr(streamBlock, plaintext, output.subarray(0, plaintext.length));
        output.set(computeIcv(ciphertext), plaintext.length);
        return output;
      },
      decrypt: (sealed, output) => {
        // Of what is shorter than an ICV, no part is as long as one.
        const length = sealed.length - ICV_LENGTH;
        const ciphertext = sealed.subarray(0, length);
        return equalSecrets(computeIcv(ciphertext), sealed.subarray(length))
          ? ctr(streamBlock, ciphertext, output ?? new Uint8Array(length))
          : undefined;
      },
    };
  });
}
