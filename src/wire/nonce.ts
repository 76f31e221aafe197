/** The Nonce payload (RFC 7296 section 3.9): its body is the nonce. */

const SHORTEST = 16;
const LONGEST = 256;

/** The nonce in the body of a Nonce payload; `undefined` if it is not 16 to 256 octets long. */
export function parseNonce(body: Uint8Array): Uint8Array | undefined {
  return body.length < SHORTEST || body.length > LONGEST ? undefined : body;
}
