/** noble alone, as directly as it can be used: what the library is measured against. */

import { cbc, cmac, ctr, ecb, gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { mapHashToField, pow } from "@noble/curves/abstract/modular.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { p256, p384 } from "@noble/curves/nist.js";
import { bytesToNumberBE, numberToBytesBE } from "@noble/curves/utils.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";

export type KeyedFloor = (...chunks: Uint8Array[]) => Uint8Array;

/** Keyed once, and cloned where noble can. */
export type PrfFloor = (key: Uint8Array) => KeyedFloor;

/** A cipher of IKE: ciphertext ‖ ICV, and back. `key` is as in the library, and so is what the ICV covers. */
export interface CipherFloor {
  readonly seal: (key: Uint8Array, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array) => Uint8Array;
  readonly open: (key: Uint8Array, iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array) => Uint8Array;
  /** Same work, but not the same octets: noble has no CCM. */
  readonly approximate?: boolean;
}

export interface KeyExchangeFloor {
  readonly publicValue: (secret: Uint8Array) => Uint8Array;
  readonly sharedSecret: (secret: Uint8Array, peer: Uint8Array) => Uint8Array;
}

function hmacFloor(hash: typeof sha256 | typeof sha384 | typeof sha512): PrfFloor {
  return (key) => {
    const keyed = hmac.create(hash, key);
    return (...chunks) => {
      const mac = keyed.clone();
      for (const chunk of chunks) mac.update(chunk);
      return mac.digest();
    };
  };
}

export const hmacSha256Floor: PrfFloor = hmacFloor(sha256);
export const hmacSha384Floor: PrfFloor = hmacFloor(sha384);
export const hmacSha512Floor: PrfFloor = hmacFloor(sha512);

/** RFC 4615. noble's CMAC cannot be cloned. */
export const aesCmacFloor: PrfFloor = (key) => {
  const cipherKey = key.length === 16 ? key : cmac(key, new Uint8Array(16));
  return (...chunks) => {
    const mac = cmac.create(cipherKey);
    for (const chunk of chunks) mac.update(chunk);
    return mac.digest();
  };
};

type NobleAead = (
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
) => { encrypt(text: Uint8Array): Uint8Array; decrypt(text: Uint8Array): Uint8Array };

const aeadFloor = (algorithm: NobleAead): CipherFloor => {
  const keyed = (key: Uint8Array, iv: Uint8Array, aad: Uint8Array) =>
    algorithm(key.subarray(0, -4), concatBytes(key.subarray(-4), iv), aad);
  return {
    seal: (key, iv, aad, plaintext) => keyed(key, iv, aad).encrypt(plaintext),
    open: (key, iv, aad, sealed) => keyed(key, iv, aad).decrypt(sealed),
  };
};

export const chachaFloor: CipherFloor = aeadFloor(chacha20poly1305);
export const gcmFloor: CipherFloor = aeadFloor(gcm);

/** The IV is made from a counter by the cipher itself, as in the library; `iv` is that counter's place. */
export const cbcFloor = (keyLength: number, hash: typeof sha256 | typeof sha512): CipherFloor => {
  const noPadding = { disablePadding: true };
  const icv = (key: Uint8Array, ...chunks: Uint8Array[]): Uint8Array =>
    hmac(hash, key.subarray(keyLength), concatBytes(...chunks)).subarray(0, hash.outputLen / 2);
  return {
    seal: (key, iv, aad, plaintext) => {
      ecb(key.subarray(0, keyLength), noPadding).encrypt(iv);
      const ciphertext = cbc(key.subarray(0, keyLength), iv, noPadding).encrypt(plaintext);
      return concatBytes(ciphertext, icv(key, aad, iv, ciphertext));
    },
    open: (key, iv, aad, sealed) => {
      const ciphertext = sealed.subarray(0, -hash.outputLen / 2);
      icv(key, aad, iv, ciphertext);
      return cbc(key.subarray(0, keyLength), iv, noPadding).decrypt(ciphertext);
    },
  };
};

/** CTR over the text, and CBC over all that the MAC covers. */
export const ccmFloor: CipherFloor = (() => {
  const work = (key: Uint8Array, iv: Uint8Array, aad: Uint8Array, text: Uint8Array): Uint8Array => {
    const block = concatBytes(iv, iv);
    const covered = new Uint8Array(
      16 + Math.ceil((2 + aad.length) / 16) * 16 + Math.ceil(text.length / 16) * 16,
    );
    cbc(key.subarray(0, -3), block, { disablePadding: true }).encrypt(covered);
    return ctr(key.subarray(0, -3), block).encrypt(text);
  };
  return { seal: work, open: work, approximate: true };
})();

/** The ladder both times: the tables of `ed25519.js` would make the public value in a third of the time. */
export const x25519Floor: KeyExchangeFloor = {
  publicValue: (secret) => x25519.scalarMult(secret, x25519.GuBytes),
  sharedSecret: (secret, peer) => x25519.scalarMult(secret, peer),
};

function ecpFloor({ Point }: typeof p256 | typeof p384, length: number): KeyExchangeFloor {
  const { n } = Point.CURVE();
  // A copy of the base point: for the original noble would fill a table.
  const base = Point.fromAffine(Point.BASE.toAffine());
  const multiply = (point: typeof base, secret: Uint8Array): Uint8Array =>
    point
      .multiply(bytesToNumberBE(mapHashToField(secret, n)))
      .toBytes(false)
      .subarray(1);
  return {
    publicValue: (secret) => multiply(base, secret),
    sharedSecret: (secret, peer) =>
      multiply(Point.fromBytes(concatBytes(new Uint8Array([4]), peer)), secret).subarray(0, length),
  };
}

export const p256Floor: KeyExchangeFloor = ecpFloor(p256, 32);
export const p384Floor: KeyExchangeFloor = ecpFloor(p384, 48);

export function modpFloor(prime: bigint): KeyExchangeFloor {
  const power = (base: bigint, secret: Uint8Array): Uint8Array =>
    numberToBytesBE(pow(base, bytesToNumberBE(secret), prime), 256);
  return {
    publicValue: (secret) => power(2n, secret),
    sharedSecret: (secret, peer) => power(bytesToNumberBE(peer), secret),
  };
}
