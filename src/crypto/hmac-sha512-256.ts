import { sha512 } from "@noble/hashes/sha2.js";
import type { Integrity } from "./contracts.ts";
import { hmacOnce } from "./hmac.ts";

/**
 * AUTH_HMAC_SHA2_512_256 (14), RFC 4868: key 64 octets, ICV 32, the first half of the HMAC.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { aesCbc } from "ikelet/crypto/aes-cbc.js";
 * import { hmacSha512_256 } from "ikelet/crypto/hmac-sha512-256.js";
 *
 * const cipher = aesCbc(256, hmacSha512_256);
 * assert.equal(cipher.integrityId, 14);
 * assert.equal(cipher.icvLength, 32);
 * ```
 */
export const hmacSha512_256: Integrity = {
  transformId: 14,
  keyLength: 64,
  icvLength: 32,
  keyed: (key) => hmacOnce(sha512, key),
};
