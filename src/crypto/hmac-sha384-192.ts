import { sha384 } from "@noble/hashes/sha2.js";
import type { Integrity } from "./contracts.ts";
import { hmacOnce } from "./hmac.ts";

/**
 * AUTH_HMAC_SHA2_384_192 (13), RFC 4868: key 48 octets, ICV 24, the first half of the HMAC.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { aesCbc } from "ikelet/crypto/aes-cbc.js";
 * import { hmacSha384_192 } from "ikelet/crypto/hmac-sha384-192.js";
 *
 * const cipher = aesCbc(256, hmacSha384_192);
 * assert.equal(cipher.integrityId, 13);
 * assert.equal(cipher.icvLength, 24);
 * ```
 */
export const hmacSha384_192: Integrity = {
  transformId: 13,
  keyLength: 48,
  icvLength: 24,
  keyed: (key) => hmacOnce(sha384, key),
};
