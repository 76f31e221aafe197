import type { Cipher, Integrity } from "./contracts.ts";
import { equalSecrets } from "./equal.ts";

/** Octets of a block, and of the IV. */
const BLOCK_LENGTH = 16;

/**
 * ENCR_AES_CBC (12) with an integrity algorithm: encrypt, then MAC (RFC 7296 section 3.14, RFC 4303 section
 * 3.3.2.1).
 *
 * @param mode CBC of whole blocks; what it answers is in `output`, if there is one
 */
export function encryptThenMac(
  keyBits: number,
  integrity: Integrity,
  mode: (
    operation: "encrypt" | "decrypt",
    key: Uint8Array,
    iv: Uint8Array,
    input: Uint8Array,
    output?: Uint8Array,
  ) => Uint8Array,
): Cipher {
  const keyLength = keyBits / 8;
  const { icvLength } = integrity;
  const nothing = new Uint8Array();
  const computeIcv = (key: Uint8Array, ...chunks: Uint8Array[]): Uint8Array =>
    integrity
      .keyed(key.subarray(keyLength))(...chunks)
      .subarray(0, icvLength);
  return {
    encryptionId: 12,
    keyBits,
    integrityId: integrity.transformId,
    keyLength,
    integrityKeyLength: integrity.keyLength,
    ivLength: BLOCK_LENGTH,
    icvLength,
    blockLength: BLOCK_LENGTH,
    unpredictableIv: (key, counter) => {
      const block = new Uint8Array(BLOCK_LENGTH);
      block.set(counter, BLOCK_LENGTH - counter.length);
      // CBC of one block under an IV of zeros is the block cipher itself.
      return mode("encrypt", key.subarray(0, keyLength), new Uint8Array(BLOCK_LENGTH), block);
    },
    seal: (
      key,
      iv,
      associatedData,
      plaintext,
      output = new Uint8Array(plaintext.length + icvLength),
      tail = nothing,
    ) => {
      const ciphertext = mode(
        "encrypt",
        key.subarray(0, keyLength),
        iv,
        plaintext,
        output.subarray(0, plaintext.length),
      );
      output.set(computeIcv(key, associatedData, iv, ciphertext, tail), ciphertext.length);
      return output;
    },
    open: (key, iv, associatedData, sealed, output, tail = nothing) => {
      const length = sealed.length - icvLength;
      if (length < 0 || length % BLOCK_LENGTH || iv.length !== BLOCK_LENGTH) return undefined;
      const ciphertext = sealed.subarray(0, length);
      const icv = computeIcv(key, associatedData, iv, ciphertext, tail);
      return equalSecrets(icv, sealed.subarray(length))
        ? mode("decrypt", key.subarray(0, keyLength), iv, ciphertext, output)
        : undefined;
    },
  };
}
