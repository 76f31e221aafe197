import type { Cipher, Prf } from "../crypto/contracts.ts";
import { prfPlus } from "./prf-plus.ts";

/**
 * The keys of the first Child SA: KEYMAT = prf+(SK_d, Ni ‖ Nr), initiator to responder first, in each direction
 * the encryption key (with its salt) before the integrity key (RFC 7296 section 2.17).
 *
 * @param nonces Ni ‖ Nr
 * @returns the key of packets from the initiator, and of packets to it
 */
export function childKeys(
  prf: Prf,
  cipher: Cipher,
  skD: Uint8Array,
  nonces: Uint8Array,
): [Uint8Array, Uint8Array] {
  const length = cipher.keyLength + cipher.integrityKeyLength;
  const keymat = prfPlus(prf.keyed(skD), nonces, 2 * length);
  return [keymat.subarray(0, length), keymat.subarray(length)];
}
