import type { Cipher } from "../crypto/contracts.ts";
import { makeIv } from "../sk/seal.ts";
import { concat, uint32 } from "../wire/octets.ts";
import { checkCipher, protect } from "./protect.ts";
import type { InboundSa } from "./sa.ts";
import { carried, DUMMY } from "./traffic.ts";

/** Why a packet is dropped: for counters, and for an audit log (RFC 4303 section 4). */
export type OpenRefusal =
  /** The SPI is of no or another SA, or this is no ESP packet. */
  | "foreign"
  /** Too short, or not in whole blocks. */
  | "malformed"
  /** So far behind the highest number that the replay window does not reach it; or the number 0. */
  | "old"
  /** Received before. */
  | "replayed"
  /** The ICV is wrong. */
  | "integrity"
  /** `output` is too short. */
  | "size"
  // From here on the packet is the gateway's own, and `sa` knows that its number is used.
  /** The padding is not 1, 2, 3 … or longer than the packet. */
  | "padding"
  /** A dummy packet, which is no error. */
  | "dummy"
  /** Tunnel mode: no IP packet, or not of the version that Next Header says. Transport mode: IP inside of IP. */
  | "next-header"
  /** No traffic of this SA. */
  | "selectors";

/** The payload of an ESP packet, or the reason why it is dropped. */
export type Opened =
  | {
      /** To be used for the next packet. */
      readonly sa: InboundSa;
      /** Tunnel mode: the inner IP packet. Transport mode: what follows the IP header. */
      readonly payload: Uint8Array;
      /** 4 or 41 in tunnel mode (IPv4, IPv6), in transport mode the protocol of the payload. */
      readonly nextHeader: number;
      readonly reason?: undefined;
    }
  | { readonly sa: InboundSa; readonly reason: OpenRefusal };

/**
 * Opens an ESP packet (RFC 4303 section 3.4). What comes from the network never throws; each packet is accepted
 * once. If the outer packet was an IP fragment, put it together first (section 3.4.1).
 *
 * @param packet from the SPI to the ICV, of any length: the payload of an IP packet with protocol 50, or of UDP
 *   port 4500 if that does not begin with four zeros (an IKE message) and is not the single octet FF
 * @param output where the plaintext goes, if given; `packet.length` octets are always enough. It must not overlap the
 *   packet. Without a good ICV nothing is written; what a refused packet left there is of no use
 * @returns `payload` is a part of `output`, or in new memory
 * @throws IkeletError `argument` if the cipher is not the one of the SA
 */
export function open(cipher: Cipher, sa: InboundSa, packet: Uint8Array, output?: Uint8Array): Opened {
  const { parameters } = sa;
  checkCipher(cipher, parameters);
  const refuse = (reason: OpenRefusal): Opened => ({ sa, reason });
  const start = 8 + cipher.ivLength;
  const plainLength = packet.length - start - cipher.icvLength;
  if (uint32(packet, 0) !== parameters.spi) return refuse("foreign");
  if (plainLength < 2 || plainLength % cipher.blockLength) return refuse("malformed");
  if (output && output.length < plainLength) return refuse("size");

  const highest = sa.sequence;
  const size = 8 * sa.window.length;
  const edge = highest - size + 1;
  const lower = uint32(packet, 4);
  // With ESN: the one number with this lower half that is less than 2^32 above the lower edge of the window, which
  // is what RFC 4303 appendix A2.2 says in two cases. It may be negative.
  const sequence = parameters.esn ? edge + ((lower - edge) >>> 0) : lower;
  const index = (sequence % size) >> 3;
  const bit = 1 << (sequence % 8);
  if (!(sequence >= edge && sequence > 0)) return refuse("old");
  if (sequence <= highest && sa.window[index]! & bit) return refuse("replayed");

  const plaintext = protect(
    "open",
    cipher,
    parameters,
    sequence,
    cipher.ivLength ? packet.subarray(8, start) : makeIv(cipher, parameters.key, sequence),
    packet,
    packet.subarray(start),
    output?.subarray(0, plainLength),
  );
  if (!plaintext) return refuse("integrity");

  const window = concat(sa.window);
  // The numbers that were passed over take the bits of those that the window leaves behind.
  for (let n = highest + 1; n < sequence && n <= highest + size; n++)
    window[(n % size) >> 3]! &= ~(1 << (n % 8));
  window[index]! |= bit;
  sa = { parameters, sequence: Math.max(highest, sequence), window };

  const padding = plaintext[plainLength - 2]!;
  const nextHeader = plaintext[plainLength - 1]!;
  const end = plainLength - 2 - padding;
  for (let i = 0; i < padding; i++) if (plaintext[end + i] !== i + 1) return refuse("padding");
  if (nextHeader === DUMMY) return refuse("dummy");
  const payload = plaintext.subarray(0, end);
  const length = carried(parameters, payload, nextHeader);
  return typeof length === "string"
    ? refuse(length)
    : { sa, payload: length < end ? payload.subarray(0, length) : payload, nextHeader };
}
