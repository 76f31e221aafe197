/** The Key Exchange payload (RFC 7296 section 3.4). */

import { concat, octets16, uint16 } from "./octets.ts";

/** The public value in the body of a KE payload; `undefined` if it belongs to another group. */
export function parseKeyExchange(body: Uint8Array, group: number): Uint8Array | undefined {
  return uint16(body, 0) === group ? body.subarray(4) : undefined;
}

/** The body of a KE payload. */
export function emitKeyExchange(group: number, publicValue: Uint8Array): Uint8Array {
  return concat(octets16(group), [0, 0], publicValue);
}
