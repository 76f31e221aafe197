/**
 * The native cryptography of the Moddable SDK: `ikelet/providers/moddable.js`. Its classes are passed in, so that
 * this module stands on no platform: `import Crypt from "crypt"` has them.
 *
 * @example
 * ```ts
 * import type { Suite } from "ikelet";
 * import { prfHmac } from "ikelet/crypto/prf-hmac.js";
 * import { type ModdableCrypt, moddableDigest, moddableGcm } from "ikelet/providers/moddable.js";
 *
 * // import Crypt from "crypt";
 * // const suite = makeSuite(Crypt);
 * function makeSuite(Crypt: ModdableCrypt): Suite {
 *   const sha256 = moddableDigest(Crypt.Digest, "SHA256");
 *   return { cipher: moddableGcm(Crypt, 128), prf: prfHmac(sha256, 256) };
 * }
 * ```
 */

import { aead } from "../crypto/aead.ts";
import type { BlockCipher, Cipher, Digest } from "../crypto/contracts.ts";
import { equalSecrets } from "../crypto/equal.ts";
import { place } from "../crypto/place.ts";

/** `crypt` of the Moddable SDK, as far as it is of use. What it takes must be whole buffers, not views. */
export interface ModdableCrypt {
  readonly Digest: new (type: "SHA1" | "SHA256" | "SHA384" | "SHA512") => ModdableDigest;
  readonly BlockCipher: new (cipher: "AES", key: ArrayBuffer) => ModdableBlockCipher;
  readonly Mode: new (mode: "CTR", cipher: ModdableBlockCipher, counter: ArrayBuffer) => ModdableMode;
  readonly GHASH: new (hashKey: ArrayBuffer, associatedData: ArrayBuffer) => ModdableDigest;
}

/** A hash function, or GHASH, which fills what it gets up to whole blocks, each time. */
export interface ModdableDigest {
  /** Goes on with these octets. */
  write(data: ArrayBuffer): void;
  /** The result; after it, the object is spent. */
  close(): ArrayBuffer;
}

/** A keyed block cipher. It passes over what stands behind the first block. */
export interface ModdableBlockCipher {
  /** A block of 16 octets. */
  encrypt(data: ArrayBuffer): ArrayBuffer;
  /** A block of 16 octets. */
  decrypt(data: ArrayBuffer): ArrayBuffer;
}

/** Counter mode, whose counter has 128 bits. */
export interface ModdableMode {
  /** Any number of octets; decrypts as well. */
  encrypt(data: ArrayBuffer): ArrayBuffer;
}

/** The octets of a view alone, from the start of memory of their own: the native code reads them in words. */
function bufferOf(octets: Uint8Array): ArrayBuffer {
  return new Uint8Array(octets).buffer;
}

/**
 * A hash function, for `prfHmac`, `authHmac` and `nat`.
 *
 * @param type `"SHA256"`, for example
 */
export function moddableDigest(
  Digest: ModdableCrypt["Digest"],
  type: "SHA1" | "SHA256" | "SHA384" | "SHA512",
): Digest {
  return (...chunks) => {
    const digest = new Digest(type);
    for (const chunk of chunks) digest.write(bufferOf(chunk));
    return new Uint8Array(digest.close());
  };
}

/** AES, for `ccm`, `cbc` and `cmac`; for GCM there is `moddableGcm`. */
export function moddableAes(BlockCipher: ModdableCrypt["BlockCipher"]): BlockCipher {
  return (key) => {
    const cipher = new BlockCipher("AES", bufferOf(key));
    return (block) => {
      block.set(new Uint8Array(cipher.encrypt(bufferOf(block))));
    };
  };
}

/** The inverse of AES, for `cbc`. */
export function moddableAesInverse(BlockCipher: ModdableCrypt["BlockCipher"]): BlockCipher {
  return (key) => {
    const cipher = new BlockCipher("AES", bufferOf(key));
    return (block) => {
      block.set(new Uint8Array(cipher.decrypt(bufferOf(block))));
    };
  };
}

/**
 * ENCR_AES_GCM_16 (20), RFC 4106: all of it native, while the SDK's own `GCM` counts with BigInt. Key 16 or 32
 * octets and salt 4, IV 8, ICV 16.
 *
 * @param keyBits the Key Length attribute
 */
export function moddableGcm(
  { BlockCipher, Mode, GHASH }: Pick<ModdableCrypt, "BlockCipher" | "Mode" | "GHASH">,
  keyBits: 128 | 256,
): Cipher {
  return aead(20, keyBits, keyBits / 8, 4, 16, (key, nonce, associatedData) => {
    const block = new BlockCipher("AES", bufferOf(key));
    const counter = new Uint8Array(16);
    counter.set(nonce);
    counter[15] = 1;
    const mask = new Uint8Array(block.encrypt(counter.buffer));
    const crypt = (input: ArrayBuffer): ArrayBuffer => {
      counter[15] = 2;
      return new Mode("CTR", block, counter.buffer).encrypt(input);
    };
    const computeIcv = (ciphertext: ArrayBuffer): Uint8Array => {
      const hash = new GHASH(block.encrypt(new ArrayBuffer(16)), bufferOf(associatedData));
      hash.write(ciphertext);
      const icv = new Uint8Array(hash.close());
      for (let i = 0; i < 16; i++) icv[i]! ^= mask[i]!;
      return icv;
    };
    return {
      encrypt: (plaintext, output = new Uint8Array(plaintext.length + 16)) => {
        const ciphertext = crypt(bufferOf(plaintext));
        output.set(new Uint8Array(ciphertext));
        output.set(computeIcv(ciphertext), plaintext.length);
        return output;
      },
      decrypt: (sealed, output) => {
        const length = sealed.length - 16;
        if (length < 0) return undefined;
        const ciphertext = bufferOf(sealed.subarray(0, length));
        return equalSecrets(computeIcv(ciphertext), sealed.subarray(length))
          ? place(new Uint8Array(crypt(ciphertext)), output)
          : undefined;
      },
    };
  });
}
