import { pow } from "@noble/curves/abstract/modular.js";
import { bytesToNumberBE, numberToBytesBE } from "@noble/curves/utils.js";
import type { KeyExchange } from "./contracts.ts";

const LENGTH = 256;
const PRIME =
  0xffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffffn;

/**
 * 2048-bit MODP group (14), RFC 3526 section 3, generator 2. Public value and shared secret of 256 octets, padded
 * on the left with zeros (RFC 7296 sections 2.14 and 3.4). The secret has 32 octets: twice the strength of the
 * group, which RFC 3526 section 8 estimates at 110 bits, calls for 220 bits.
 *
 * For gateways that know no curve. The exponentiation of noble, over BigInt, does NOT take constant time: who can
 * measure it closely learns about the secret. IKEv2 uses each secret once, which leaves little to measure.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { modp2048 } from "ikelet/crypto/modp2048.js";
 *
 * const ours = new Uint8Array(32).fill(1); // random octets
 * const theirs = new Uint8Array(32).fill(2);
 * const shared = modp2048.sharedSecret(ours, modp2048.publicValue(theirs));
 * assert.equal(shared?.length, 256);
 * assert.deepEqual(shared, modp2048.sharedSecret(theirs, modp2048.publicValue(ours)));
 * assert.equal(modp2048.sharedSecret(ours, new Uint8Array(256)), undefined); // 0 is out of range
 * ```
 */
export const modp2048: KeyExchange = {
  transformId: 14,
  secretLength: 32,
  publicLength: LENGTH,
  publicValue: (secret) => power(2n, secret),
  sharedSecret: (secret, peerValue) => {
    if (peerValue.length !== LENGTH) return undefined;
    const base = bytesToNumberBE(peerValue);
    // RFC 6989 section 2.1
    return base > 1n && base < PRIME - 1n ? power(base, secret) : undefined;
  },
};

const power = (base: bigint, secret: Uint8Array): Uint8Array =>
  numberToBytesBE(pow(base, bytesToNumberBE(secret), PRIME), LENGTH);
