/** What the profile offers: its transforms as they are on the wire. */

import type { Cipher } from "../crypto/contracts.ts";
import type { Profile } from "../profile.ts";
import {
  emitTransform,
  TRANSFORM_ENCRYPTION,
  TRANSFORM_ESN,
  TRANSFORM_INTEGRITY,
  TRANSFORM_KEY_EXCHANGE,
  TRANSFORM_PRF,
} from "../wire/proposal.ts";

function encryption({ encryptionId, keyBits }: Cipher): Uint8Array {
  return emitTransform(TRANSFORM_ENCRYPTION, encryptionId, keyBits);
}

/** An AEAD is proposed without any integrity transform (RFC 5282 section 8). */
function integrity({ integrityId }: Cipher): Uint8Array[] {
  return integrityId ? [emitTransform(TRANSFORM_INTEGRITY, integrityId)] : [];
}

/** For the IKE SA (RFC 7815 appendix A.3). */
export function ikeOffer({ suite: { cipher, prf, keyExchange } }: Profile): Uint8Array[] {
  return [
    encryption(cipher),
    emitTransform(TRANSFORM_PRF, prf.transformId),
    ...integrity(cipher),
    emitTransform(TRANSFORM_KEY_EXCHANGE, keyExchange!.transformId),
  ];
}

/** For the Child SA, without a key exchange (RFC 7296 section 1.2). */
export function childOffer({ child: { cipher, esn } }: Profile): Uint8Array[] {
  return [encryption(cipher), ...integrity(cipher), emitTransform(TRANSFORM_ESN, esn ? 1 : 0)];
}
