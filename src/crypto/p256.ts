import type { KeyExchange } from "./contracts.ts";
import { ecp } from "./ecp.ts";

/**
 * 256-bit random ECP group (19), RFC 5903, the curve P-256. Secret of 48 random octets, public value of 64, x ‖ y,
 * shared secret of 32, x alone. A peer value that is not on the curve is refused.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { p256 } from "ikelet/crypto/p256.js";
 *
 * const ours = new Uint8Array(48).fill(1); // random octets
 * const theirs = new Uint8Array(48).fill(2);
 * const shared = p256.sharedSecret(ours, p256.publicValue(theirs));
 * assert.equal(shared?.length, 32);
 * assert.deepEqual(shared, p256.sharedSecret(theirs, p256.publicValue(ours)));
 * assert.equal(p256.sharedSecret(ours, new Uint8Array(64)), undefined); // not on the curve
 * ```
 */
export const p256: KeyExchange = /* @__PURE__ */ ecp(
  19,
  32,
  0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
);
