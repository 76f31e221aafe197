import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { aead } from "./aead.ts";
import type { Cipher } from "./contracts.ts";

/**
 * ENCR_CHACHA20_POLY1305 (28), RFC 7634. Key 32 octets and salt 4, IV 8, ICV 16; no Key Length attribute
 * (section 4). The first choice for small devices: no tables, little memory.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
 *
 * const key = new Uint8Array(36).fill(1); // 32 octets of key, 4 of salt
 * const iv = new Uint8Array(8); // a counter: never twice with the same key
 * const header = new Uint8Array([1, 2, 3]);
 * const sealed = chacha20Poly1305.seal(key, iv, header, new Uint8Array([4, 5]));
 * assert.equal(sealed.length, 2 + 16);
 * assert.deepEqual(chacha20Poly1305.open(key, iv, header, sealed), new Uint8Array([4, 5]));
 * assert.equal(chacha20Poly1305.open(key, iv, new Uint8Array(), sealed), undefined);
 * ```
 */
export const chacha20Poly1305: Cipher = /* @__PURE__ */ aead(28, 0, 32, 4, 16, chacha20poly1305);
