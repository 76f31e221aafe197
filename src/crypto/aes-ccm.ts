import { unsafe } from "@noble/ciphers/aes.js";
import { ccm } from "./ccm.ts";
import type { Cipher } from "./contracts.ts";

/**
 * ENCR_AES_CCM_8 (14) and ENCR_AES_CCM_16 (16), RFC 4309 for ESP and RFC 5282 for IKE. Key 16 or 32 octets and
 * salt 3, IV 8, ICV 8 or 16.
 *
 * noble's AES builds tables of 640 KB: there, `ccm` over `aesSmall`.
 *
 * @param keyBits the Key Length attribute
 * @param icvLength octets of the ICV
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { aesCcm } from "ikelet/crypto/aes-ccm.js";
 *
 * const cipher = aesCcm(128, 8);
 * const key = new Uint8Array(19).fill(1); // 16 octets of key, 3 of salt
 * const iv = new Uint8Array(8); // a counter: never twice with the same key
 * const header = new Uint8Array([1, 2, 3]);
 * const sealed = cipher.seal(key, iv, header, new Uint8Array([4, 5]));
 * assert.equal(sealed.length, 2 + 8);
 * assert.deepEqual(cipher.open(key, iv, header, sealed), new Uint8Array([4, 5]));
 * ```
 */
export function aesCcm(keyBits: 128 | 256, icvLength: 8 | 16): Cipher {
  return ccm(
    (key) => {
      // noble's public modes take one message each and expand the key for it; a CBC-MAC is many blocks, one by one.
      const expanded = unsafe.expandKeyLE(key);
      return (block) => {
        unsafe.encryptBlock(expanded, block);
      };
    },
    keyBits,
    icvLength,
  );
}
