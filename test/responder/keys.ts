// Key derivation and AUTH (RFC 7296 sections 2.13 to 2.17, RFC 5723 sections 4.3.3 and 5.1).

import { ascii, type Bytes, concat, EMPTY } from "./bytes.ts";
import type { Prf } from "./prfs.ts";
import type { Protector } from "./suites.ts";

export interface IkeKeys {
  skD: Bytes;
  skAi: Bytes;
  skAr: Bytes;
  skEi: Bytes;
  skEr: Bytes;
  skPi: Bytes;
  skPr: Bytes;
}

/** Keys of one direction of a Child SA; `encryption` is key ‖ salt. */
export interface DirectionKeys {
  encryption: Bytes;
  integrity: Bytes;
}

export function prfPlus(prf: Prf, key: Bytes, seed: Bytes, length: number): Bytes {
  const blocks = Math.ceil(length / prf.length);
  if (blocks > 255) throw new RangeError("prf+ is not defined beyond 255 blocks");
  let stream: Bytes = EMPTY;
  let previous: Bytes = EMPTY;
  for (let n = 1; n <= blocks; n++) {
    previous = prf.compute(key, previous, seed, Uint8Array.of(n));
    stream = concat(stream, previous);
  }
  return stream.slice(0, length);
}

/** SKEYSEED of a full exchange (section 2.14). */
export function skeyseedOf(prf: Prf, nonceI: Bytes, nonceR: Bytes, sharedSecret: Bytes): Bytes {
  const key = prf.fixedKey ? concat(nonceI.slice(0, 8), nonceR.slice(0, 8)) : concat(nonceI, nonceR);
  return prf.compute(key, sharedSecret);
}

/** SKEYSEED of a resumed SA (RFC 5723 section 5.1). */
export function resumedSkeyseedOf(prf: Prf, skDOld: Bytes, nonceI: Bytes, nonceR: Bytes): Bytes {
  return prf.compute(skDOld, ascii("Resumption"), nonceI, nonceR);
}

export function ikeKeys(
  prf: Prf,
  protector: Protector,
  skeyseed: Bytes,
  nonceI: Bytes,
  nonceR: Bytes,
  spiI: Bytes,
  spiR: Bytes,
): IkeKeys {
  const a = protector.integ?.keyLength ?? 0;
  const e = protector.cipher.keyLength + protector.cipher.saltLength;
  const p = prf.length;
  const stream = prfPlus(prf, skeyseed, concat(nonceI, nonceR, spiI, spiR), 3 * p + 2 * a + 2 * e);
  const [skD, skAi, skAr, skEi, skEr, skPi, skPr] = cut(stream, [p, a, a, e, e, p, p]) as [
    Bytes,
    Bytes,
    Bytes,
    Bytes,
    Bytes,
    Bytes,
    Bytes,
  ];
  return { skD, skAi, skAr, skEi, skEr, skPi, skPr };
}

/** Section 2.17: first initiator to responder, then back; in each direction encryption, then integrity. */
export function childKeys(
  prf: Prf,
  protector: Protector,
  skD: Bytes,
  nonceI: Bytes,
  nonceR: Bytes,
): { keymat: Bytes; keyI2R: DirectionKeys; keyR2I: DirectionKeys } {
  const e = protector.cipher.keyLength + protector.cipher.saltLength;
  const a = protector.integ?.keyLength ?? 0;
  const keymat = prfPlus(prf, skD, concat(nonceI, nonceR), 2 * (e + a));
  const [ei, ai, er, ar] = cut(keymat, [e, a, e, a]) as [Bytes, Bytes, Bytes, Bytes];
  return {
    keymat,
    keyI2R: { encryption: ei, integrity: ai },
    keyR2I: { encryption: er, integrity: ar },
  };
}

/** Section 2.15. `idBody` is the ID payload without its generic header, as it stands on the wire. */
export function pskAuth(
  prf: Prf,
  psk: Bytes,
  skP: Bytes,
  message: Bytes,
  peerNonce: Bytes,
  idBody: Bytes,
): Bytes {
  const key = prf.compute(psk, ascii("Key Pad for IKEv2"));
  return prf.compute(key, message, peerNonce, prf.compute(skP, idBody));
}

/** RFC 5723 section 4.3.3: SK_p in place of the padded secret. */
export function resumedAuth(prf: Prf, skP: Bytes, message: Bytes, peerNonce: Bytes, idBody: Bytes): Bytes {
  return prf.compute(skP, message, peerNonce, prf.compute(skP, idBody));
}

/** What libreswan computes instead: the message alone. */
export function libreswanResumedAuth(prf: Prf, skP: Bytes, message: Bytes): Bytes {
  return prf.compute(skP, message);
}

function cut(stream: Bytes, lengths: readonly number[]): Bytes[] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return stream.slice(at - length, at);
  });
}
