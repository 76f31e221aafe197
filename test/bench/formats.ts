/**
 * The least octets that the formats allow, computed from the figures of the RFCs and from the numbers of the
 * algorithms; nothing here is measured.
 */

import type { Cipher, KeyExchange, Prf } from "ikelet/crypto/contracts.js";

/** RFC 7296 section 3.1. */
export const HEADER = 28;
/** RFC 3948 section 2.3. */
export const KEEPALIVE = 1;
/** One IPv4 range (RFC 7296 section 3.13). */
export const SELECTORS: number = payload(4 + 8 + 4 + 4);
/** Of an IKE SA (RFC 7296 section 3.11). */
export const DELETE: number = payload(4);

/** The generic header and a body (RFC 7296 section 3.2). */
function payload(body: number): number {
  return 4 + body;
}

/** A Key Length attribute takes 4 more (RFC 7296 section 3.3.2). */
const transform = (keyBits = 0): number => 8 + (keyBits ? 4 : 0);

/** One proposal. The AEADs have no integrity transform (RFC 5282 section 8). */
function proposal(spi: number, { keyBits, integrityId }: Cipher, others: number): number {
  return payload(8 + spi + transform(keyBits) + (integrityId ? transform() : 0) + others * transform());
}

/** ENCR, PRF, INTEG, KE. */
export const ikeProposal = (cipher: Cipher): number => proposal(0, cipher, 2);
/** ENCR, INTEG, ESN. */
export const espProposal = (cipher: Cipher): number => proposal(4, cipher, 1);
export const keyExchange = ({ publicLength }: KeyExchange): number => payload(4 + publicLength);
/** 128 bits, and half the key of the PRF (RFC 7296 section 2.10). */
export const nonce = ({ keyLength }: Prf): number => payload(Math.max(16, keyLength / 2));
export const identification = (length: number): number => payload(4 + length);
export const authentication = ({ outputLength }: Prf): number => payload(4 + outputLength);
/** Without an SPI (RFC 7296 section 3.10). */
export const notify = (data: number): number => payload(4 + data);
/** Attributes without a value (RFC 7296 section 3.15). */
export const configurationRequest = (attributes: number): number => payload(4 + 4 * attributes);

/** Payloads inside an Encrypted payload, with the least padding (RFC 7296 section 3.14). */
export function encrypted({ ivLength, icvLength, blockLength }: Cipher, inner: number): number {
  return HEADER + payload(ivLength + Math.ceil((inner + 1) / blockLength) * blockLength + icvLength);
}

/** Around an ESP payload: SPI, number, IV, padding to 4 octets and to whole blocks, two octets, ICV (RFC 4303 section 2). */
export function espOverhead({ ivLength, icvLength, blockLength }: Cipher, length: number): number {
  const unit = Math.max(4, blockLength);
  return 4 + 4 + ivLength + Math.ceil((length + 1 + 1) / unit) * unit + icvLength - length;
}
