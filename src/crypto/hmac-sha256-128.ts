import { sha256 } from "@noble/hashes/sha2.js";
import type { Integrity } from "./contracts.ts";
import { hmacOnce } from "./hmac.ts";

/**
 * AUTH_HMAC_SHA2_256_128 (12), RFC 4868: key 32 octets, ICV 16, the first half of the HMAC.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { aesCbc } from "ikelet/crypto/aes-cbc.js";
 * import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
 *
 * const cipher = aesCbc(256, hmacSha256_128);
 * assert.equal(cipher.integrityId, 12);
 * assert.equal(cipher.icvLength, 16);
 * ```
 */
export const hmacSha256_128: Integrity = {
  transformId: 12,
  keyLength: 32,
  icvLength: 16,
  keyed: (key) => hmacOnce(sha256, key),
};
