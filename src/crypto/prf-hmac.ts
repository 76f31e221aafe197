import type { Digest, Prf } from "./contracts.ts";
import { hmacOver } from "./hmac-over.ts";

/**
 * PRF_HMAC_SHA2_256, _384 or _512 (5, 6, 7), RFC 4868, over a hash function of the device. noble's are `hmacSha256`
 * and so on, in `ikelet/crypto/hmac-sha256.js`.
 *
 * @param digest SHA-256, SHA-384 or SHA-512
 * @param bits of its output
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createHash } from "node:crypto";
 * import { prfHmac } from "ikelet/crypto/prf-hmac.js";
 *
 * // As if this were the hash of the chip:
 * const sha256 = (...chunks: Uint8Array[]) => createHash("sha256").update(Buffer.concat(chunks)).digest();
 * const prf = prfHmac(sha256, 256);
 * assert.equal(prf.transformId, 5);
 * assert.equal(prf.keyed(new Uint8Array([1, 2, 3]))(new Uint8Array([4])).length, 32);
 * ```
 */
export function prfHmac(digest: Digest, bits: 256 | 384 | 512): Prf {
  return {
    transformId: bits / 128 + 3,
    keyLength: bits / 8,
    outputLength: bits / 8,
    keyed: (key) => hmacOver(digest, bits, key),
  };
}
