import { gcm } from "@noble/ciphers/aes.js";
import { aead } from "./aead.ts";
import type { Cipher } from "./contracts.ts";
import { place } from "./place.ts";

/**
 * ENCR_AES_GCM_16 (20), RFC 4106 for ESP and RFC 5282 for IKE. Key 16 or 32 octets and salt 4, IV 8, ICV 16.
 *
 * noble's AES builds tables of 640 KB: there, `gcm` over `aesSmall`.
 *
 * @param keyBits the Key Length attribute
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { aesGcm } from "ikelet/crypto/aes-gcm.js";
 *
 * const cipher = aesGcm(128);
 * const key = new Uint8Array(20).fill(1); // 16 octets of key, 4 of salt
 * const iv = new Uint8Array(8); // a counter: never twice with the same key
 * const header = new Uint8Array([1, 2, 3]);
 * const sealed = cipher.seal(key, iv, header, new Uint8Array([4, 5]));
 * assert.equal(sealed.length, 2 + 16);
 * assert.deepEqual(cipher.open(key, iv, header, sealed), new Uint8Array([4, 5]));
 * ```
 */
export function aesGcm(keyBits: 128 | 256): Cipher {
  return aead(20, keyBits, keyBits / 8, 4, 16, (key, nonce, associatedData) => {
    const cipher = gcm(key, nonce, associatedData);
    return {
      encrypt: (plaintext, output) => place(cipher.encrypt(plaintext), output),
      decrypt: (sealed, output) => place(cipher.decrypt(sealed), output),
    };
  });
}
