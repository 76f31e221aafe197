import { mapHashToField } from "@noble/curves/abstract/modular.js";
import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import type { KeyExchange } from "./contracts.ts";

/**
 * A random ECP group (RFC 5903): public values are x ‖ y, the shared secret is x (section 7), numbers are
 * big-endian and of full length.
 *
 * noble's `abstract/weierstrass.js` and the parameters are 6 kB (gzip) less than its `nist.js`, which brings
 * signatures and hashes.
 *
 * @param octets length of a number modulo p
 * @param p the prime; a is p - 3 (RFC 5903 section 3)
 * @param n the order of the group
 */
export function ecp(
  transformId: number,
  octets: number,
  p: bigint,
  n: bigint,
  b: bigint,
  Gx: bigint,
  Gy: bigint,
): KeyExchange {
  const multiply = (secret: Uint8Array, peerValue?: Uint8Array): Uint8Array => {
    const Point = weierstrass({ p, n, h: 1n, a: p - 3n, b, Gx, Gy });
    const scalar = mapHashToField(secret, n);
    // Not Point.BASE: noble would fill a table for it, which takes longer than the one multiplication and does not
    // fit a small device.
    let point = Point.fromAffine({ x: Gx, y: Gy });
    if (peerValue) {
      const uncompressed = new Uint8Array(1 + 2 * octets);
      uncompressed[0] = 4;
      uncompressed.set(peerValue, uncompressed.length - peerValue.length);
      point = Point.fromBytes(uncompressed);
    }
    const product = point.multiply(Point.Fn.fromBytes(scalar)).toBytes(false);
    scalar.fill(0);
    return product.subarray(1);
  };
  return {
    transformId,
    // Half as long again, so that the reduction modulo n - 1 leaves no bias to speak of (FIPS 186-5 appendix A.2.1).
    secretLength: octets * 1.5,
    publicLength: octets * 2,
    publicValue: (secret) => multiply(secret),
    sharedSecret: (secret, peerValue) => {
      if (peerValue.length !== 2 * octets) return undefined;
      try {
        const point = multiply(secret, peerValue);
        const x = point.slice(0, octets);
        // Who knows y knows x.
        point.fill(0);
        return x;
      } catch {
        return undefined;
      }
    },
  };
}
