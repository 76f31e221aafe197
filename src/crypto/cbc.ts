import { misuse } from "../error.ts";
import type { BlockCipher, Cipher, Integrity } from "./contracts.ts";
import { encryptThenMac } from "./encrypt-then-mac.ts";

type KeyedBlockCipher = ReturnType<BlockCipher>;

function encrypt(
  block: KeyedBlockCipher,
  iv: Uint8Array,
  plaintext: Uint8Array,
  output: Uint8Array,
): Uint8Array {
  if (iv.length !== 16 || plaintext.length % 16)
    throw misuse("argument", "iv, plaintext: expected 16 octets and whole blocks");
  const chained = new Uint8Array(iv);
  for (let at = 0; at < plaintext.length; at += 16) {
    for (let i = 0; i < 16; i++) chained[i]! ^= plaintext[at + i]!;
    block(chained);
    output.set(chained, at);
  }
  return output;
}

/** From the end, because the plaintext may take the place of the ciphertext. */
function decrypt(
  inverse: KeyedBlockCipher,
  iv: Uint8Array,
  ciphertext: Uint8Array,
  output: Uint8Array,
): Uint8Array {
  const octets = new Uint8Array(16);
  for (let at = ciphertext.length - 16; at >= 0; at -= 16) {
    octets.set(ciphertext.subarray(at, at + 16));
    inverse(octets);
    for (let i = 0; i < 16; i++) output[at + i] = octets[i]! ^ (at ? ciphertext[at - 16 + i]! : iv[i]!);
  }
  return output;
}

/**
 * CBC (RFC 3602) with an integrity algorithm over any block cipher of 16 octets: ENCR_AES_CBC (12). noble's AES has
 * it as `aesCbc` of `ikelet/crypto/aes-cbc.js`, where padding and IV are explained; this one takes `aesSmall` and
 * `aesSmallInverse`, or the AES of a chip.
 *
 * @param block the block cipher, and `inverse` what takes it back
 * @param keyBits the Key Length attribute
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { aesSmall } from "ikelet/crypto/aes-small.js";
 * import { aesSmallInverse } from "ikelet/crypto/aes-small-inverse.js";
 * import { cbc } from "ikelet/crypto/cbc.js";
 * import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
 *
 * const cipher = cbc(aesSmall(), aesSmallInverse(), 128, hmacSha256_128);
 * const key = new Uint8Array(16 + 32).fill(1); // encryption key, integrity key
 * const iv = cipher.unpredictableIv!(key, new Uint8Array(8)); // from a counter: never twice with the same key
 * const header = new Uint8Array([1, 2, 3]);
 * const sealed = cipher.seal(key, iv, header, new Uint8Array(32));
 * assert.deepEqual(cipher.open(key, iv, header, sealed), new Uint8Array(32));
 * ```
 */
export function cbc(block: BlockCipher, inverse: BlockCipher, keyBits: number, integrity: Integrity): Cipher {
  return encryptThenMac(
    keyBits,
    integrity,
    (operation, key, iv, input, output = new Uint8Array(input.length)) =>
      operation === "encrypt"
        ? encrypt(block(key), iv, input, output)
        : decrypt(inverse(key), iv, input, output),
  );
}
