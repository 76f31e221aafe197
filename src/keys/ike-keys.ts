import type { Cipher, Prf } from "../crypto/contracts.ts";
import { concat } from "../wire/octets.ts";
import { prfPlus } from "./prf-plus.ts";

/** The secrets of an IKE SA (RFC 7296 section 2.14). */
export interface IkeKeys {
  /** SK_d, from which Child SAs and tickets derive. */
  readonly skD: Uint8Array;
  /** What the initiator seals with: SK_ei ‖ SK_ai. */
  readonly skI: Uint8Array;
  /** What the responder seals with: SK_er ‖ SK_ar. */
  readonly skR: Uint8Array;
  /** SK_pi, for AUTH. */
  readonly skPi: Uint8Array;
  /** SK_pr, for AUTH. */
  readonly skPr: Uint8Array;
}

/** SKEYSEED of a full handshake: prf(Ni ‖ Nr, g^ir) (RFC 7296 section 2.14). */
export function skeyseed(
  { keyed, nonceKeyLength }: Prf,
  nonceI: Uint8Array,
  nonceR: Uint8Array,
  sharedSecret: Uint8Array,
): Uint8Array {
  return keyed(concat(nonceI.subarray(0, nonceKeyLength), nonceR.subarray(0, nonceKeyLength)))(sharedSecret);
}

/**
 * SK_d, SK_ai, SK_ar, SK_ei, SK_er, SK_pi and SK_pr, one stream cut in this order (RFC 7296 section 2.14).
 *
 * @param seed SKEYSEED
 * @param nonces Ni ‖ Nr
 * @param spis SPIi ‖ SPIr
 */
export function ikeKeys(
  { cipher, prf }: { readonly cipher: Cipher; readonly prf: Prf },
  seed: Uint8Array,
  nonces: Uint8Array,
  spis: Uint8Array,
): IkeKeys {
  const { keyLength: p } = prf;
  const { keyLength: e, integrityKeyLength: a } = cipher;
  const stream = prfPlus(prf.keyed(seed), concat(nonces, spis), 3 * p + 2 * (a + e));
  let at = 0;
  const take = (length: number): Uint8Array => {
    at += length;
    return stream.subarray(at - length, at);
  };
  const [skD, skAi, skAr, skEi, skEr] = [take(p), take(a), take(a), take(e), take(e)] as const;
  const keys = {
    skD: concat(skD),
    skI: concat(skEi, skAi),
    skR: concat(skEr, skAr),
    skPi: concat(take(p)),
    skPr: concat(take(p)),
  };
  stream.fill(0);
  return keys;
}
