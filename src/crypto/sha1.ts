import { sha1 as nobleSha1 } from "@noble/hashes/legacy.js";
import type { Digest } from "./contracts.ts";

/**
 * SHA-1 (FIPS 180-4), 20 octets. For NAT detection only, which hides addresses and protects nothing (RFC 7296
 * section 2.23).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sha1 } from "ikelet/crypto/sha1.js";
 *
 * assert.deepEqual(sha1(new Uint8Array([1]), new Uint8Array([2])), sha1(new Uint8Array([1, 2])));
 * ```
 */
export const sha1: Digest = (...chunks) => {
  const hash = nobleSha1.create();
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest();
};
