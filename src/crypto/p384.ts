import type { KeyExchange } from "./contracts.ts";
import { ecp } from "./ecp.ts";

/**
 * 384-bit random ECP group (20), RFC 5903, the curve P-384. Secret of 72 random octets, public value of 96, x ‖ y,
 * shared secret of 48, x alone. A peer value that is not on the curve is refused.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { p384 } from "ikelet/crypto/p384.js";
 *
 * const ours = new Uint8Array(72).fill(1); // random octets
 * const theirs = new Uint8Array(72).fill(2);
 * const shared = p384.sharedSecret(ours, p384.publicValue(theirs));
 * assert.equal(shared?.length, 48);
 * assert.deepEqual(shared, p384.sharedSecret(theirs, p384.publicValue(ours)));
 * assert.equal(p384.sharedSecret(ours, new Uint8Array(96)), undefined); // not on the curve
 * ```
 */
export const p384: KeyExchange = /* @__PURE__ */ ecp(
  20,
  48,
  0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
  0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
  0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
);
