import type { Cipher } from "../crypto/contracts.ts";
import { makeIv } from "../sk/seal.ts";
import { checkCipher, protect } from "./protect.ts";
import { type OutboundSa, packetLength } from "./sa.ts";
import { carried, DUMMY } from "./traffic.ts";

/** Why a payload does not become an ESP packet. */
export type SealRefusal =
  /** Tunnel mode: no IPv4 or IPv6 packet. Transport mode: IP inside of IP. */
  | "next-header"
  /** No traffic of this SA. */
  | "selectors"
  /** The sequence numbers are used up, or `lastSequence` is reached: start a new SA. */
  | "exhausted"
  /** `output` is too short. */
  | "size";

/** An ESP packet, or the reason why there is none; then `sa` is unchanged. */
export type Sealed =
  | {
      /** To be used for the next packet. The one that was passed in must not be used again. */
      readonly sa: OutboundSa;
      /** From the SPI to the ICV: the payload of an IP packet with protocol 50, or of UDP port 4500. */
      readonly packet: Uint8Array;
      readonly reason?: undefined;
    }
  | { readonly sa: OutboundSa; readonly reason: SealRefusal };

/**
 * Makes an ESP packet (RFC 4303 section 3.3).
 *
 * @param payload tunnel mode: the inner IP packet. Transport mode: what follows the IP header, with a complete
 *   checksum; ports are compared with the traffic selectors, addresses are the SA's own. Octets behind the end of
 *   an inner packet are left out
 * @param nextHeader transport mode: the protocol of the payload, 17 for UDP. Tunnel mode: left out, the version of
 *   the packet tells it (4 or 41). 59 makes a dummy packet of any payload (section 2.6)
 * @param output where the packet goes, if given: `packetLength(cipher, payload.length)` octets or more. The payload
 *   may lie in it, best at offset 8 + `cipher.ivLength`
 * @throws IkeletError `argument` if the cipher is not the one of the SA
 * @example
 * ```ts
 * import { type ChildSa, host } from "ikelet";
 * import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
 * import { inboundSa, open, outboundSa, seal } from "ikelet/esp.js";
 * import assert from "node:assert/strict";
 *
 * // As the event `established` brings it; here with one key for both ways, and with ourselves at the other end.
 * const direction = { spi: 0x1000, key: new Uint8Array(36).fill(7) };
 * const child: ChildSa = {
 *   mode: "transport",
 *   esn: false,
 *   encryptionId: 28,
 *   keyBits: 0,
 *   integrityId: 0,
 *   outbound: direction,
 *   inbound: direction,
 *   local: [host([10, 1, 0, 7])],
 *   remote: [host([10, 99, 0, 1])],
 * };
 * let outbound = outboundSa(child);
 * let inbound = inboundSa(child);
 *
 * const datagram = new Uint8Array([0x16, 0x33, 0x16, 0x33, 0, 9, 0, 0, 42]); // UDP
 * const sealed = seal(chacha20Poly1305, outbound, datagram, 17);
 * outbound = sealed.sa;
 * assert.equal(sealed.reason, undefined);
 * assert.equal(sealed.packet.length, 44); // for the network, as protocol 50 or on UDP port 4500
 *
 * const opened = open(chacha20Poly1305, inbound, sealed.packet);
 * inbound = opened.sa;
 * assert.equal(opened.reason, undefined);
 * assert.deepEqual(opened.payload, datagram);
 * assert.equal(opened.nextHeader, 17);
 *
 * assert.equal(open(chacha20Poly1305, inbound, sealed.packet).reason, "replayed");
 * ```
 */
export function seal(
  cipher: Cipher,
  sa: OutboundSa,
  payload: Uint8Array,
  nextHeader: number = payload[0]! >> 4 === 6 ? 41 : 4,
  output?: Uint8Array,
): Sealed {
  const { parameters, lastSequence } = sa;
  checkCipher(cipher, parameters);
  const length = nextHeader === DUMMY ? payload.length : carried(parameters, payload, nextHeader);
  if (typeof length === "string") return { sa, reason: length };
  // Not ">=", which lets pass what is no number.
  if (!(sa.sequence < lastSequence)) return { sa, reason: "exhausted" };
  const total = packetLength(cipher, length);
  const packet = output?.subarray(0, total) ?? new Uint8Array(total);
  if (packet.length < total) return { sa, reason: "size" };

  const sequence = sa.sequence + 1;
  const start = 8 + cipher.ivLength;
  const trailer = total - cipher.icvLength - 2;
  const padding = trailer - start - length;
  // Before anything else is written: the payload may lie in the output.
  packet.set(length < payload.length ? payload.subarray(0, length) : payload, start);
  for (let i = 0; i < 4; i++) {
    packet[i] = parameters.spi >>> (24 - 8 * i);
    packet[4 + i] = sequence >>> (24 - 8 * i);
  }
  const iv = makeIv(cipher, parameters.key, sequence);
  if (cipher.ivLength) packet.set(iv, 8);
  for (let i = 0; i < padding; i++) packet[start + length + i] = i + 1;
  packet[trailer] = padding;
  packet[trailer + 1] = nextHeader;
  protect(
    "seal",
    cipher,
    parameters,
    sequence,
    iv,
    packet,
    packet.subarray(start, trailer + 2),
    packet.subarray(start),
  );
  // No spread: it is what costs most here.
  return { sa: { parameters, sequence, lastSequence }, packet };
}
