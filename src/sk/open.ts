import type { Cipher } from "../crypto/contracts.ts";
import { PAYLOAD_SK, type Payload, parsePayloads } from "../wire/payload.ts";

/** What became of a message: `payloads` only if its integrity is good and what is inside makes sense. */
export interface Opened {
  readonly payloads: readonly Payload[] | undefined;
}

/**
 * Opens the Encrypted payload of a message (RFC 7296 section 3.14, RFC 5282 section 3): checks its integrity,
 * then decrypts. Payloads in the clear before it are passed over.
 *
 * @param key SK_e ‖ SK_a of the peer
 * @param datagram the whole message
 * @param sk its last payload, which is the Encrypted one
 * @returns `undefined` if the integrity check failed
 */
export function openMessage(
  cipher: Cipher,
  key: Uint8Array,
  datagram: Uint8Array,
  { body, next }: Payload,
): Opened | undefined {
  const { ivLength } = cipher;
  if (body.length < ivLength + cipher.icvLength) return;
  const plaintext = cipher.open(
    key,
    body.subarray(0, ivLength),
    datagram.subarray(0, datagram.length - body.length),
    body.subarray(ivLength),
  );
  if (!plaintext) return;
  // Any padding is accepted (RFC 7296 section 3.14).
  const end = plaintext.length - 1 - plaintext[plaintext.length - 1]!;
  const payloads = end >= 0 ? parsePayloads(next!, plaintext.subarray(0, end)) : undefined;
  // An Encrypted payload inside of another one has no place in the protocol.
  return { payloads: payloads?.some(({ type }) => type === PAYLOAD_SK) ? undefined : payloads };
}
