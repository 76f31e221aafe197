import { sha256 } from "@noble/hashes/sha2.js";
import type { Prf } from "./contracts.ts";
import { keyedHmac } from "./hmac.ts";

/**
 * PRF_HMAC_SHA2_256 (5), RFC 4868: keys of any length, 32 octets preferred; 32 octets of output.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
 *
 * const prf = hmacSha256.keyed(new Uint8Array([1, 2, 3]));
 * assert.equal(prf(new Uint8Array([4])).length, 32);
 * assert.deepEqual(prf(new Uint8Array([4]), new Uint8Array([5])), prf(new Uint8Array([4, 5])));
 * ```
 */
export const hmacSha256: Prf = {
  transformId: 5,
  keyLength: 32,
  outputLength: 32,
  keyed: (key) => keyedHmac(sha256, key),
};
