import { type MontgomeryECDH, montgomery } from "@noble/curves/abstract/montgomery.js";
import type { KeyExchange } from "./contracts.ts";

/**
 * The curve of RFC 7748. `ed25519.js` of noble has it too, but brings the tables of another curve, which no small
 * device has room for. Made anew for each use: next to a scalar multiplication that costs nothing, and holds no
 * memory.
 */
const curve25519 = (): MontgomeryECDH => {
  const p = 2n ** 255n - 19n;
  return montgomery({
    P: p,
    type: "x25519",
    // RFC 7748 section 5
    adjustScalarBytes: (scalar: Uint8Array) => {
      scalar[0]! &= 248;
      scalar[31] = (scalar[31]! & 127) | 64;
      return scalar as Uint8Array<ArrayBuffer>;
    },
    // In binary, p - 2 is 250 ones, then 01011: 265 multiplications, where bit by bit there are 506.
    powPminus2: (x) => {
      const squared = (power: bigint, times: number): bigint => {
        while (times--) power = (power * power) % p;
        return power;
      };
      /** x to the power of so many ones. */
      const ones = (bits: number): bigint => {
        if (bits === 1) return x;
        const half = ones(bits >> 1);
        const power = (squared(half, bits >> 1) * half) % p;
        return bits % 2 ? (squared(power, 1) * x) % p : power;
      };
      const eleven = squared(squared(x, 2) * x, 1) * x;
      return (squared(ones(250), 5) * eleven) % p;
    },
  });
};

/**
 * Curve25519 (31), RFC 8031. Secret, public value and shared secret of 32 octets, as in RFC 7748: little-endian. A
 * peer value that is not reduced, or has its top bit set, is taken (RFC 7748 section 5); one of small order is not.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { x25519 } from "ikelet/crypto/x25519.js";
 *
 * const ours = new Uint8Array(32).fill(1); // random octets
 * const theirs = new Uint8Array(32).fill(2);
 * const shared = x25519.sharedSecret(ours, x25519.publicValue(theirs));
 * assert.deepEqual(shared, x25519.sharedSecret(theirs, x25519.publicValue(ours)));
 * assert.equal(x25519.sharedSecret(ours, new Uint8Array(32)), undefined); // of small order
 * ```
 */
export const x25519: KeyExchange = {
  transformId: 31,
  secretLength: 32,
  publicLength: 32,
  publicValue: (secret) => curve25519().scalarMultBase(secret),
  sharedSecret: (secret, peerValue) => {
    try {
      return curve25519().scalarMult(secret, peerValue);
    } catch {
      return undefined;
    }
  },
};
