import { sha384 } from "@noble/hashes/sha2.js";
import type { Prf } from "./contracts.ts";
import { keyedHmac } from "./hmac.ts";

/**
 * PRF_HMAC_SHA2_384 (6), RFC 4868: keys of any length, 48 octets preferred; 48 octets of output.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { hmacSha384 } from "ikelet/crypto/hmac-sha384.js";
 *
 * const prf = hmacSha384.keyed(new Uint8Array([1, 2, 3]));
 * assert.equal(prf(new Uint8Array([4])).length, 48);
 * assert.deepEqual(prf(new Uint8Array([4]), new Uint8Array([5])), prf(new Uint8Array([4, 5])));
 * ```
 */
export const hmacSha384: Prf = {
  transformId: 6,
  keyLength: 48,
  outputLength: 48,
  keyed: (key) => keyedHmac(sha384, key),
};
