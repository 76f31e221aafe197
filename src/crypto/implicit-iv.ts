import { misuse } from "../error.ts";
import type { Cipher } from "./contracts.ts";

/** Transform IDs with the implicit IV (RFC 8750 section 8), of which the order is that of the explicit ones. */
const EXPLICIT = [14, 20, 28];
const FIRST_IMPLICIT = 29;

/**
 * The variant of a cipher whose IV is not sent, because it is the sequence number (RFC 8750): each ESP packet
 * is 8 octets shorter. Keys, salts and ICVs stay what they were. For ESP only, never for IKE (section 7); a
 * gateway that does not know it refuses the Child SA.
 *
 * @param cipher AES-CCM with an ICV of 8 octets, AES-GCM, or ChaCha20-Poly1305; made into ENCR_AES_CCM_8_IIV (29),
 *   ENCR_AES_GCM_16_IIV (30) or ENCR_CHACHA20_POLY1305_IIV (31)
 * @throws IkeletError `argument` for any other cipher
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
 * import { implicitIv } from "ikelet/crypto/implicit-iv.js";
 *
 * const cipher = implicitIv(chacha20Poly1305); // for `child.cipher` of a profile
 * assert.equal(cipher.encryptionId, 31);
 * assert.equal(cipher.ivLength, 0);
 * ```
 */
export function implicitIv(cipher: Cipher): Cipher {
  const index = EXPLICIT.indexOf(cipher.encryptionId);
  if (index < 0)
    throw misuse(
      "argument",
      `cipher: expected transform 14, 20 or 28, which have an implicit IV, got ${cipher.encryptionId}`,
    );
  return { ...cipher, encryptionId: FIRST_IMPLICIT + index, ivLength: 0 };
}
