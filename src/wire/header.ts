/** The IKE header (RFC 7296 section 3.1). */

import { concat, octets32, uint32 } from "./octets.ts";

/** Exchange types (RFC 7296 section 3.1). */
export const IKE_SA_INIT = 34;
export const IKE_AUTH = 35;
export const CREATE_CHILD_SA = 36;
export const INFORMATIONAL = 37;

/** Flags. The version bit and the reserved ones are sent as zero and ignored. */
export const FLAG_INITIATOR = 0x08;
export const FLAG_RESPONSE = 0x20;

export const HEADER_LENGTH = 28;
const VERSION = 0x20;

/** The SPIs of an IKE SA, 8 octets each; that of the responder is zero in the request of an initial exchange. */
export interface IkeSpis {
  readonly spiI: Uint8Array;
  readonly spiR: Uint8Array;
}

/** The header of a message. */
export interface Header extends IkeSpis {
  /** Type of the first payload, or 0. */
  readonly nextPayload: number;
  readonly exchange: number;
  /** `FLAG_INITIATOR`, `FLAG_RESPONSE`, and bits without a meaning. */
  readonly flags: number;
  readonly messageId: number;
}

/**
 * Reads the header of a datagram (without the non-ESP marker of port 4500).
 *
 * @returns `undefined` if it is too short, of another major version, or not as long as its Length field says
 */
export function parseHeader(datagram: Uint8Array): Header | undefined {
  if (
    datagram.length < HEADER_LENGTH ||
    // The minor version is ignored (RFC 7296 section 2.5).
    datagram[17]! >> 4 !== VERSION >> 4 ||
    uint32(datagram, 24) !== datagram.length
  )
    return;
  return {
    spiI: datagram.subarray(0, 8),
    spiR: datagram.subarray(8, 16),
    nextPayload: datagram[16]!,
    exchange: datagram[18]!,
    flags: datagram[19]!,
    messageId: uint32(datagram, 20),
  };
}

/** The 28 octets of the header of a message with `bodyLength` octets behind it. */
export function emitHeader(
  { spiI, spiR }: IkeSpis,
  nextPayload: number,
  exchange: number,
  flags: number,
  messageId: number,
  bodyLength: number,
): Uint8Array {
  return concat(
    spiI,
    spiR,
    [nextPayload, VERSION, exchange, flags],
    octets32(messageId),
    octets32(HEADER_LENGTH + bodyLength),
  );
}
