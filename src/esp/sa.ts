import type { Cipher } from "../crypto/contracts.ts";
import { misuse } from "../error.ts";
import type { ChildDirection, ChildSa, Mode } from "../event.ts";
import { concat } from "../wire/octets.ts";
import type { TrafficSelector } from "../wire/selectors.ts";

/** Below 2^53, so that numbers are exact: as far away as 2^64. */
const HIGHEST_EXTENDED = 9e15;

/** What stays the same as long as the SA lives. **It contains keys.** */
export interface EspParameters {
  /** SPI, a 32-bit number. */
  readonly spi: number;
  /** Transform ID of the encryption algorithm, so that a stored SA meets its own cipher again. */
  readonly encryptionId: number;
  /** Encryption key ‖ salt ‖ integrity key. */
  readonly key: Uint8Array;
  readonly mode: Mode;
  /** Extended sequence numbers: 64 bits, of which 32 are sent. */
  readonly esn: boolean;
  /** Where packets come from. */
  readonly source: readonly TrafficSelector[];
  /** Where they go. */
  readonly destination: readonly TrafficSelector[];
}

/** One direction of a Child SA, plain data. */
export interface EspSa {
  readonly parameters: EspParameters;
  /**
   * Outbound the number of the last packet sent, inbound the highest number received; 0 before the first.
   *
   * No number may go out twice under one key. It need not grow by one only (RFC 9333 section 4): to be safe from a
   * loss of power, store the outbound SA with a number that is ahead of the used one,
   * `{ ...sa, sequence: sa.sequence + 1000 }`, and store it anew before that number is reached.
   */
  readonly sequence: number;
}

/** Packets to the gateway. */
export interface OutboundSa extends EspSa {
  /** The last number that may be used. */
  readonly lastSequence: number;
}

/** Packets from the gateway. An older copy accepts a second time what came since it was made. */
export interface InboundSa extends EspSa {
  /** The replay window: a bit for each number n from the highest one down, bit n modulo the size of the window. */
  readonly window: Uint8Array;
}

function makeParameters(
  { encryptionId, mode, esn }: ChildSa,
  { spi, key }: ChildDirection,
  source: readonly TrafficSelector[],
  destination: readonly TrafficSelector[],
): EspParameters {
  // A copy: the key of the event lies in one memory with the key of the other direction.
  return { spi, encryptionId, key: concat(key), mode, esn, source, destination };
}

/**
 * The SA for packets to the gateway.
 *
 * @param child of the event `established`
 * @param lastSequence the sequence number, that is usually the number of packets, after which the SA refuses to go
 *   on; 2^32 - 1 at most, with ESN 9 × 10^15
 */
export function outboundSa(child: ChildSa, lastSequence: number = HIGHEST_EXTENDED): OutboundSa {
  return {
    parameters: makeParameters(child, child.outbound, child.local, child.remote),
    sequence: 0,
    lastSequence: Math.min(lastSequence, child.esn ? HIGHEST_EXTENDED : 0xffffffff),
  };
}

/**
 * The SA for packets from the gateway.
 *
 * @param child of the event `established`
 * @param windowSize how late a packet may be, in sequence numbers: a multiple of 8, 32 or more (RFC 4303 section
 *   3.4.3)
 * @throws IkeletError `argument` for another size
 */
export function inboundSa(child: ChildSa, windowSize: number = 64): InboundSa {
  if (!(windowSize >= 32) || windowSize % 8 !== 0)
    throw misuse("argument", `windowSize: expected 32, 40, 48 and so on, got ${windowSize}`);
  return {
    parameters: makeParameters(child, child.inbound, child.remote, child.local),
    sequence: 0,
    window: new Uint8Array(windowSize / 8),
  };
}

/**
 * Octets of the ESP packet around a payload of `length` octets: from the SPI to the ICV, without an outer IP
 * or UDP header. In tunnel mode the payload is the inner IP packet.
 */
export function packetLength({ blockLength, ivLength, icvLength }: Cipher, length: number): number {
  // Payload, padding, Pad Length and Next Header fill words of 4 octets, and whole blocks (RFC 4303 section 2.4).
  const alignment = Math.max(4, blockLength);
  return 8 + ivLength + Math.ceil((length + 2) / alignment) * alignment + icvLength;
}
