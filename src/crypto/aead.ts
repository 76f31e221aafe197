import { misuse } from "../error.ts";
import type { Cipher } from "./contracts.ts";

/** An AEAD keyed for one message. `decrypt` throws or answers `undefined` if the tag is wrong. */
export interface Aead {
  encrypt(plaintext: Uint8Array, output?: Uint8Array): Uint8Array;
  decrypt(sealed: Uint8Array, output?: Uint8Array): Uint8Array | undefined;
}

/** Octets of the explicit IV of every AEAD in IKEv2 and ESP (RFC 4106, 4309, 5282, 7634). */
const IV_LENGTH = 8;

/**
 * What the AEADs of IKEv2 have in common: the key is followed by a salt, and the nonce is salt ‖ IV (RFC 5282
 * section 4).
 *
 * @param keyBits the Key Length attribute, 0 for none
 * @param cipherKeyLength octets of the key without the salt
 * @param algorithm keys the algorithm with key, nonce and associated data
 */
export function aead(
  encryptionId: number,
  keyBits: number,
  cipherKeyLength: number,
  saltLength: number,
  icvLength: number,
  algorithm: (key: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array) => Aead,
): Cipher {
  const keyed = (key: Uint8Array, iv: Uint8Array, associatedData: Uint8Array): Aead => {
    // A nonce that was filled up or cut off could repeat.
    if (key.length !== cipherKeyLength + saltLength || iv.length !== IV_LENGTH)
      throw misuse("argument", "key, iv: length");
    const nonce = new Uint8Array(saltLength + IV_LENGTH);
    // Octet by octet: for so few, views and copies in bulk cost more.
    for (let i = 0; i < saltLength; i++) nonce[i] = key[cipherKeyLength + i]!;
    for (let i = 0; i < IV_LENGTH; i++) nonce[saltLength + i] = iv[i]!;
    return algorithm(key.subarray(0, cipherKeyLength), nonce, associatedData);
  };
  return {
    encryptionId,
    keyBits,
    integrityId: 0,
    keyLength: cipherKeyLength + saltLength,
    integrityKeyLength: 0,
    ivLength: IV_LENGTH,
    icvLength,
    blockLength: 1,
    seal: (key, iv, associatedData, plaintext, output) =>
      keyed(key, iv, associatedData).encrypt(plaintext, output),
    open: (key, iv, associatedData, sealed, output) => {
      try {
        return keyed(key, iv, associatedData).decrypt(sealed, output);
      } catch {
        return undefined;
      }
    },
  };
}
