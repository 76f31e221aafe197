/**
 * The native cryptography of Espruino: `ikelet/providers/espruino.js`. Its objects are passed in, so that this
 * module stands on no platform: `require("crypto")` has the hash functions, and `AES`.
 *
 * Only what is right there is used. AES in CTR mode has no IV there, its counter always starts at 0; CCM takes no
 * associated data; there is no HMAC and no GCM. So HMAC is made of the hash, and every mode of single blocks.
 *
 * @example
 * ```ts
 * import type { BlockCipher, Digest, Suite } from "ikelet";
 * import { gcm } from "ikelet/crypto/gcm.js";
 * import { prfHmac } from "ikelet/crypto/prf-hmac.js";
 * import { type EspruinoCrypto, espruinoAes, espruinoDigest } from "ikelet/providers/espruino.js";
 *
 * // const suite = makeSuite(require("crypto"));
 * function makeSuite(crypto: EspruinoCrypto): Suite {
 *   const sha256: Digest = espruinoDigest(crypto.SHA256);
 *   const aes: BlockCipher = espruinoAes(crypto.AES);
 *   return { cipher: gcm(aes, 128), prf: prfHmac(sha256, 256) };
 * }
 * ```
 */

import type { BlockCipher, Digest } from "../crypto/contracts.ts";
import { concat } from "../wire/octets.ts";

/** A hash function of Espruino's module `crypto`. Where memory is short, it may answer nothing. */
export type EspruinoHash = (message: Uint8Array) => ArrayBuffer | undefined;

/** `AES` of Espruino's module `crypto`, as far as it is of use: whole blocks, and a key of 16 or 32 octets. */
export interface EspruinoAes {
  /** Answers nothing where the key has another length, or memory is short. */
  encrypt(message: Uint8Array, key: Uint8Array, options: { mode: "ECB" }): ArrayBuffer | undefined;
  /** Likewise. */
  decrypt(message: Uint8Array, key: Uint8Array, options: { mode: "ECB" }): ArrayBuffer | undefined;
}

/** Espruino's module `crypto`; which of the hash functions there are depends on the board. */
export interface EspruinoCrypto {
  readonly AES: EspruinoAes;
  readonly SHA1: EspruinoHash;
  readonly SHA256: EspruinoHash;
  readonly SHA384: EspruinoHash;
  readonly SHA512: EspruinoHash;
}

/**
 * Errors of native functions are printed there, not thrown: without this, a key would be made of nothing.
 *
 * @throws Error if there is no result
 */
function octetsOf(result: ArrayBuffer | undefined): Uint8Array {
  if (!result) throw new Error("crypto: no result");
  return new Uint8Array(result);
}

/**
 * A hash function, for `prfHmac`, `authHmac` and `nat`.
 *
 * @param hash `crypto.SHA256`, for example
 */
export function espruinoDigest(hash: EspruinoHash): Digest {
  return (...chunks) => octetsOf(hash(concat(...chunks)));
}

/** AES, for `gcm`, `ccm`, `cbc` and `cmac`. */
export function espruinoAes(AES: EspruinoAes): BlockCipher {
  return (key) => {
    const copy = concat(key);
    return (block) => {
      block.set(octetsOf(AES.encrypt(block, copy, { mode: "ECB" })));
    };
  };
}

/** The inverse of AES, for `cbc`. */
export function espruinoAesInverse(AES: EspruinoAes): BlockCipher {
  return (key) => {
    const copy = concat(key);
    return (block) => {
      block.set(octetsOf(AES.decrypt(block, copy, { mode: "ECB" })));
    };
  };
}
