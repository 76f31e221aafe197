import { sha512 } from "@noble/hashes/sha2.js";
import type { Prf } from "./contracts.ts";
import { keyedHmac } from "./hmac.ts";

/**
 * PRF_HMAC_SHA2_512 (7), RFC 4868: keys of any length, 64 octets preferred; 64 octets of output.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { hmacSha512 } from "ikelet/crypto/hmac-sha512.js";
 *
 * const prf = hmacSha512.keyed(new Uint8Array([1, 2, 3]));
 * assert.equal(prf(new Uint8Array([4])).length, 64);
 * assert.deepEqual(prf(new Uint8Array([4]), new Uint8Array([5])), prf(new Uint8Array([4, 5])));
 * ```
 */
export const hmacSha512: Prf = {
  transformId: 7,
  keyLength: 64,
  outputLength: 64,
  keyed: (key) => keyedHmac(sha512, key),
};
