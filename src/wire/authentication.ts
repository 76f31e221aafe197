/** The Authentication payload (RFC 7296 section 3.8). */

import { concat } from "./octets.ts";

/** Auth Method: Shared Key Message Integrity Code. */
export const AUTH_SHARED_KEY = 2;

/** Reads the body of an AUTH payload; `undefined` if it is too short or of a method other than the shared key. */
export function parseAuthentication(body: Uint8Array): Uint8Array | undefined {
  return body[0] === AUTH_SHARED_KEY && body.length > 3 ? body.subarray(4) : undefined;
}

/** The body of an AUTH payload for the method of the shared key. */
export function emitAuthentication(mic: Uint8Array): Uint8Array {
  return concat([AUTH_SHARED_KEY, 0, 0, 0], mic);
}
