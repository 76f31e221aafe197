/** A whole message in the clear: header and payloads. */

import { emitHeader, HEADER_LENGTH, type Header, type IkeSpis, parseHeader } from "./header.ts";
import { concat } from "./octets.ts";
import { emitPayloads, type Payload, parsePayloads } from "./payload.ts";

/** A message as it came: what is inside an Encrypted payload is still inside. */
export interface Message extends Header {
  readonly payloads: readonly Payload[];
}

/** Takes a datagram (without the non-ESP marker) apart; `undefined` if it is no well-formed IKEv2 message. */
export function parseMessage(datagram: Uint8Array): Message | undefined {
  const header = parseHeader(datagram);
  const payloads = header && parsePayloads(header.nextPayload, datagram.subarray(HEADER_LENGTH));
  return payloads && { ...header, payloads };
}

/** A message of at least one payload in the clear. */
export function emitMessage(
  spis: IkeSpis,
  exchange: number,
  flags: number,
  messageId: number,
  payloads: readonly Payload[],
): Uint8Array {
  const chain = emitPayloads(payloads);
  return concat(emitHeader(spis, payloads[0]!.type, exchange, flags, messageId, chain.length), chain);
}
