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
    // All of the 255 bits of p - 2 are set but 2 and 4. They are no secret.
    powPminus2: (x) => {
      let power = 1n;
      for (let bit = 254; bit >= 0; bit--) {
        power = (power * power) % p;
        if (bit !== 4 && bit !== 2) power = (power * x) % p;
      }
      return power;
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
