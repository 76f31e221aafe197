import type { Cipher } from "../crypto/contracts.ts";
import { misuse } from "../error.ts";
import { concat, octets32 } from "../wire/octets.ts";
import type { EspParameters } from "./sa.ts";

/** A stored SA may meet a cipher that is not its own, and then go wrong in silence. */
export function checkCipher(cipher: Cipher, { encryptionId, key }: EspParameters): void {
  if (cipher.encryptionId !== encryptionId || cipher.keyLength + cipher.integrityKeyLength !== key.length)
    throw misuse("argument", `cipher: expected the SA's, ${encryptionId}, got ${cipher.encryptionId}`);
}

/**
 * Seals or opens, with what the ICV covers beside the ciphertext: SPI ‖ sequence number. The upper half of an
 * extended number is not sent. For an AEAD it stands before the lower half (RFC 4106 section 5), otherwise behind
 * the ciphertext (RFC 4303 section 3.3.2.1).
 */
export function protect<Operation extends "seal" | "open">(
  operation: Operation,
  cipher: Cipher,
  { key, esn }: EspParameters,
  sequence: number,
  iv: Uint8Array,
  packet: Uint8Array,
  input: Uint8Array,
  output: Uint8Array | undefined,
): ReturnType<Cipher[Operation]> {
  const upper = esn ? new Uint8Array(octets32(sequence / 4294967296)) : undefined;
  const lower = packet.subarray(0, 8);
  return cipher[operation](
    key,
    iv,
    upper && !cipher.integrityKeyLength ? concat(lower.subarray(0, 4), upper, lower.subarray(4)) : lower,
    input,
    output,
    upper,
  ) as ReturnType<Cipher[Operation]>;
}
