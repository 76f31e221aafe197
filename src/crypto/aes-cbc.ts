import { cbc } from "@noble/ciphers/aes.js";
import type { Cipher, Integrity } from "./contracts.ts";
import { encryptThenMac } from "./encrypt-then-mac.ts";
import { place } from "./place.ts";

const NO_PADDING = { disablePadding: true };

/**
 * ENCR_AES_CBC (12), RFC 3602, with an integrity algorithm: encrypt, then MAC. Key 16 or 32 octets, IV 16, ICV as
 * the integrity algorithm has it, over associated data ‖ IV ‖ ciphertext ‖ tail (RFC 7296 section 3.14, RFC 4303
 * section 3.3.2.1). The protocol pads to 16 octets; here nothing is added and nothing taken away.
 *
 * The IV must be unpredictable: take it from `unpredictableIv`, or random.
 *
 * noble's AES builds tables of 640 KB: there, `cbc` over `aesSmall` and `aesSmallInverse`.
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
  return encryptThenMac(keyBits, integrity, (operation, key, iv, input, output) => {
    const run = cbc(key, iv, NO_PADDING)[operation];
    // noble writes to no output but one that begins where a word begins.
    return output && output.byteOffset % 4 === 0 ? run(input, output) : place(run(input), output);
  });
}
