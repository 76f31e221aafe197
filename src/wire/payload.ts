/** The chain of payloads (RFC 7296 section 3.2). */

import { emitBlock, parseBlocks } from "./block.ts";
import { concat } from "./octets.ts";

/** Payload types (RFC 7296 section 3.2). */
export const PAYLOAD_SA = 33;
export const PAYLOAD_KE = 34;
export const PAYLOAD_IDI = 35;
export const PAYLOAD_IDR = 36;
export const PAYLOAD_AUTH = 39;
export const PAYLOAD_NONCE = 40;
export const PAYLOAD_NOTIFY = 41;
export const PAYLOAD_DELETE = 42;
export const PAYLOAD_TSI = 44;
export const PAYLOAD_TSR = 45;
export const PAYLOAD_SK = 46;
const LAST_KNOWN_PAYLOAD = 48;

const CRITICAL = 0x80;

/** A payload, its generic header taken off. */
export interface Payload {
  readonly type: number;
  /** What follows the generic header. */
  readonly body: Uint8Array;
  /** As received: marked critical, and of a type that RFC 7296 does not define. Never sent. */
  readonly critical?: boolean;
  /** The Next Payload field as received: of SK, the type of the first payload inside. */
  readonly next?: number;
}

/**
 * Takes a chain apart.
 *
 * @param type the type of the first payload; 0 for an empty chain
 * @param octets the chain and nothing else
 * @returns `undefined` if lengths and types do not agree, or something follows the Encrypted payload
 */
export function parsePayloads(type: number, octets: Uint8Array): Payload[] | undefined {
  const payloads: Payload[] = [];
  const blocks = parseBlocks(octets);
  if (!blocks) return;
  for (const block of blocks) {
    if (!type) return;
    const next = block[0]!;
    // Of the types that RFC 7296 defines the Critical bit is ignored (section 2.5).
    const critical = block[1]! >= CRITICAL && (type < PAYLOAD_SA || type > LAST_KNOWN_PAYLOAD);
    payloads.push({ type, body: block.subarray(4), critical, next });
    // What the Next Payload of SK names is inside of it, and nothing may follow (RFC 7296 section 3.14).
    type = type === PAYLOAD_SK ? 0 : next;
  }
  return type ? undefined : payloads;
}

/** Puts a chain together. Its first type goes into the header, or into the Encrypted payload. */
export function emitPayloads(payloads: readonly Payload[]): Uint8Array {
  return concat(...payloads.map(({ body }, i) => emitBlock(payloads[i + 1]?.type ?? 0, 0, body)));
}

/** The body of the payload of a type that may occur once; `undefined` if there is none, or more than one. */
export function solePayload(payloads: readonly Payload[], type: number): Uint8Array | undefined {
  const [found, more] = payloads.filter((payload) => payload.type === type);
  return more ? undefined : found?.body;
}
