import { misuse } from "../error.ts";
import { aead } from "./aead.ts";
import type { BlockCipher, Cipher } from "./contracts.ts";
import { ctr } from "./ctr.ts";
import { equalSecrets } from "./equal.ts";
import { place } from "./place.ts";

/**
 * CCM (RFC 3610) over any block cipher of 16 octets, with the key, salt and IV of RFC 4309. With noble's AES
 * behind it, it is `aesCcm` of `ikelet/crypto/aes-ccm.js`; with the AES of a chip it does without noble.
 *
 * @param block the block cipher
 * @param keyBits the Key Length attribute
 * @param icvLength octets of the ICV: 8, 12 or 16 make ENCR_AES_CCM_8, _12 or _16 (14, 15, 16)
 * @param saltLength octets of the salt, which decide L, the octets of the length and counter fields: the nonce is
 *   salt ‖ IV, and L is 15 less its length. Everything but 3 (so L = 4) is for other protocols and their vectors
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCipheriv } from "node:crypto";
 * import { ccm } from "ikelet/crypto/ccm.js";
 *
 * // As if this were the AES of the chip:
 * const aes = (key: Uint8Array) => (block: Uint8Array) =>
 *   block.set(createCipheriv("aes-128-ecb", key, null).update(block));
 * const cipher = ccm(aes, 128, 16);
 * const key = new Uint8Array(19).fill(1); // 16 octets of key, 3 of salt
 * const iv = new Uint8Array(8);
 * const header = new Uint8Array([1, 2, 3]);
 * const sealed = cipher.seal(key, iv, header, new Uint8Array([4, 5]));
 * assert.deepEqual(cipher.open(key, iv, header, sealed), new Uint8Array([4, 5]));
 * ```
 */
export function ccm(block: BlockCipher, keyBits: number, icvLength: number, saltLength: number = 3): Cipher {
  return aead(
    12 + icvLength / 4,
    keyBits,
    keyBits / 8,
    saltLength,
    icvLength,
    (key, nonce, associatedData) => {
      const encrypt = block(key);
      const lengthLess1 = 14 - nonce.length;

      /** E(flags ‖ nonce ‖ number): the encrypted B_0, or a key stream block S_i (RFC 3610 sections 2.2 and 2.3). */
      const encrypted = (flags: number, number: number): Uint8Array => {
        const octets = new Uint8Array(16);
        octets[0] = flags + lengthLess1;
        octets.set(nonce, 1);
        for (let i = 15; number; i--) {
          if (i <= nonce.length) throw misuse("argument", "plaintext: longer than its length field can say");
          octets[i] = number;
          number = Math.floor(number / 256);
        }
        encrypt(octets);
        return octets;
      };

      const computeIcv = (plaintext: Uint8Array): Uint8Array => {
        const { length } = associatedData;
        const mac = encrypted((length && 64) + (icvLength - 2) * 4, plaintext.length);
        // Each of the two parts is filled up with zeros to whole blocks.
        const absorb = (...chunks: ArrayLike<number>[]): void => {
          let filled = 0;
          for (const chunk of chunks)
            for (let i = 0; i < chunk.length; i++) {
              mac[filled++]! ^= chunk[i]!;
              if (filled === 16) {
                encrypt(mac);
                filled = 0;
              }
            }
          if (filled) encrypt(mac);
        };
        if (length)
          absorb(
            length < 0xff00
              ? [length >> 8, length & 255]
              : [255, 254, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255],
            associatedData,
          );
        absorb(plaintext);
        const stream = encrypted(0, 0);
        for (let i = 0; i < icvLength; i++) mac[i]! ^= stream[i]!;
        return mac.subarray(0, icvLength);
      };

      /** Number 0 is the one that hides the ICV. */
      const crypt = (input: Uint8Array, output: Uint8Array): Uint8Array =>
        ctr((i) => encrypted(0, i + 1), input, output);

      return {
        encrypt: (plaintext, output = new Uint8Array(plaintext.length + icvLength)) => {
          // The ICV first: the ciphertext may take the place of the plaintext.
          const icv = computeIcv(plaintext);
          crypt(plaintext, output);
          output.set(icv, plaintext.length);
          return output;
        },
        decrypt: (sealed, output) => {
          const length = sealed.length - icvLength;
          if (length < 0) return undefined;
          // The ICV covers the plaintext, so this decrypts first, but lets nothing out before the ICV was found good.
          const plaintext = crypt(sealed.subarray(0, length), new Uint8Array(length));
          if (equalSecrets(computeIcv(plaintext), sealed.subarray(length))) return place(plaintext, output);
          plaintext.fill(0);
          return undefined;
        },
      };
    },
  );
}
