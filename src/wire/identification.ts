/** The Identification payloads IDi and IDr (RFC 7296 section 3.5). */

import { misuse } from "../error.ts";
import { ascii } from "./ascii.ts";
import { concat } from "./octets.ts";

/** ID types. */
export const ID_IPV4_ADDR = 1;
export const ID_FQDN = 2;
export const ID_RFC822_ADDR = 3;
export const ID_IPV6_ADDR = 5;
export const ID_DER_ASN1_DN = 9;
export const ID_DER_ASN1_GN = 10;
export const ID_KEY_ID = 11;

/** An identity: what a side says it is, and what the pre-shared key belongs to. */
export interface Identification {
  /** One of the ID types of RFC 7296 section 3.5. */
  readonly type: number;
  /** The name without any terminator, or the 4 or 16 octets of an address. */
  readonly data: Uint8Array;
}

/** Reads the body of an ID payload; `undefined` if it is too short, or an address of another length. */
export function parseIdentification(body: Uint8Array): Identification | undefined {
  const type = body[0]!;
  const size = type === ID_IPV4_ADDR ? 4 : type === ID_IPV6_ADDR ? 16 : body.length - 4;
  return body.length < 4 || body.length !== 4 + size ? undefined : { type, data: body.subarray(4) };
}

/** The body of an ID payload. It is also what the MAC of AUTH covers (RFC 7296 section 2.15). */
export function emitIdentification({ type, data }: Identification): Uint8Array {
  return concat([type, 0, 0, 0], data);
}

/**
 * A fully-qualified domain name, ID_FQDN. It is a name and nothing else: it is not looked up.
 *
 * @param name ASCII
 * @throws IkeletError `argument` for anything but ASCII
 * @example
 * ```ts
 * import { fqdn } from "ikelet";
 * import assert from "node:assert/strict";
 *
 * assert.equal(fqdn("sensor-7.example").data.length, 16);
 * ```
 */
export function fqdn(name: string): Identification {
  return { type: ID_FQDN, data: ascii(name) };
}

/**
 * A mail address, ID_RFC822_ADDR.
 *
 * @param address ASCII
 * @throws IkeletError `argument` for anything but ASCII
 */
export function rfc822(address: string): Identification {
  return { type: ID_RFC822_ADDR, data: ascii(address) };
}

/** Octets that only the two sides understand, ID_KEY_ID: the shortest identity on the air. */
export function keyId(octets: Uint8Array): Identification {
  return { type: ID_KEY_ID, data: octets };
}

/**
 * An address, ID_IPV4_ADDR or ID_IPV6_ADDR.
 *
 * @param octets 4 or 16 octets, network order
 * @throws IkeletError `argument` for another length
 */
export function addressId(octets: Uint8Array): Identification {
  if (octets.length !== 4 && octets.length !== 16)
    throw misuse("argument", `address: expected 4 or 16 octets, got ${octets.length}`);
  return { type: octets.length === 4 ? ID_IPV4_ADDR : ID_IPV6_ADDR, data: octets };
}
