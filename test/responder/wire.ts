// Header and payload chain (RFC 7296 sections 3.1 and 3.2).
// The encoder can be told to lie (length, next, reserved): a test of a parser needs liars.

import { type Bytes, concat, readU16, readU32, u16, u32 } from "./bytes.ts";
import { Type } from "./numbers.ts";

/** Something in a message is not as its format demands. */
export class Malformed extends Error {}

export interface Header {
  spiI: Bytes;
  spiR: Bytes;
  version: number;
  exchange: number;
  flags: number;
  messageId: number;
}

export interface ReceivedHeader extends Header {
  nextPayload: number;
  length: number;
}

export interface Payload {
  type: number;
  body: Bytes;
  critical?: boolean;
  /** The low seven bits beside the critical bit; 0 if left out. */
  reserved?: number;
  /** In place of the true Payload Length. */
  length?: number;
  /** In place of the true Next Payload. */
  next?: number;
}

export const HEADER_LENGTH = 28;

export function readHeader(datagram: Bytes): ReceivedHeader {
  if (datagram.length < HEADER_LENGTH) throw new Malformed("shorter than an IKE header");
  const header = {
    spiI: datagram.slice(0, 8),
    spiR: datagram.slice(8, 16),
    nextPayload: datagram[16] as number,
    version: datagram[17] as number,
    exchange: datagram[18] as number,
    flags: datagram[19] as number,
    messageId: readU32(datagram, 20),
    length: readU32(datagram, 24),
  };
  if (header.length !== datagram.length) throw new Malformed("Length is not that of the datagram");
  return header;
}

export function encodeHeader(header: Header, nextPayload: number, length: number): Bytes {
  return concat(
    header.spiI,
    header.spiR,
    Uint8Array.of(nextPayload, header.version, header.exchange, header.flags),
    u32(header.messageId),
    u32(length),
  );
}

export function encodeMessage(header: Header, payloads: readonly Payload[]): Bytes {
  const chain = encodeChain(payloads);
  return concat(encodeHeader(header, firstType(payloads), HEADER_LENGTH + chain.length), chain);
}

export function firstType(payloads: readonly Payload[]): number {
  return payloads[0]?.type ?? Type.NONE;
}

/** `last` is the Next Payload of the last one: not zero when an SK payload follows. */
export function encodeChain(payloads: readonly Payload[], last: number = Type.NONE): Bytes {
  return concat(
    ...payloads.map((payload, index) =>
      concat(
        Uint8Array.of(
          payload.next ?? payloads[index + 1]?.type ?? last,
          (payload.critical ? 0x80 : 0) | (payload.reserved ?? 0),
        ),
        u16(payload.length ?? payload.body.length + 4),
        payload.body,
      ),
    ),
  );
}

/** Reads a chain up to its end, or up to an SK or SKF payload, whose Next Payload is not of this chain. */
export function decodeChain(first: number, octets: Bytes): Payload[] {
  const payloads: Payload[] = [];
  let type = first;
  let at = 0;
  while (type !== Type.NONE) {
    if (octets.length - at < 4) throw new Malformed("payload header runs off the end");
    const next = octets[at] as number;
    const flags = octets[at + 1] as number;
    const length = readU16(octets, at + 2);
    if (length < 4 || at + length > octets.length) throw new Malformed(`length of payload ${type}`);
    payloads.push({
      type,
      body: octets.slice(at + 4, at + length),
      critical: (flags & 0x80) !== 0,
      reserved: flags & 0x7f,
    });
    at += length;
    if (type === Type.SK || type === Type.SKF) break;
    type = next;
  }
  if (at !== octets.length) throw new Malformed("octets after the last payload");
  return payloads;
}

export function isUnknown(type: number): boolean {
  return type < Type.SA || (type > Type.EAP && type !== Type.SKF);
}
