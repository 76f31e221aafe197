import type { Digest, Integrity } from "./contracts.ts";
import { hmacOver } from "./hmac-over.ts";

/**
 * AUTH_HMAC_SHA2_256_128, _384_192 or _512_256 (12, 13, 14), RFC 4868, over a hash function of the device, for `cbc`.
 * noble's are `hmacSha256_128` and so on, in `ikelet/crypto/hmac-sha256-128.js`.
 *
 * @param digest SHA-256, SHA-384 or SHA-512
 * @param bits of its output
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createHash } from "node:crypto";
 * import { authHmac } from "ikelet/crypto/auth-hmac.js";
 *
 * // As if this were the hash of the chip:
 * const sha256 = (...chunks: Uint8Array[]) => createHash("sha256").update(Buffer.concat(chunks)).digest();
 * const integrity = authHmac(sha256, 256);
 * assert.equal(integrity.transformId, 12);
 * assert.equal(integrity.icvLength, 16);
 * ```
 */
export function authHmac(digest: Digest, bits: 256 | 384 | 512): Integrity {
  return {
    transformId: bits / 128 + 10,
    keyLength: bits / 8,
    icvLength: bits / 16,
    keyed: (key) => hmacOver(digest, bits, key),
  };
}
