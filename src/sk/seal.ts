import type { Cipher } from "../crypto/contracts.ts";
import { emitHeader, type IkeSpis } from "../wire/header.ts";
import { concat, octets16, octets32 } from "../wire/octets.ts";
import { emitPayloads, PAYLOAD_SK, type Payload } from "../wire/payload.ts";

const TWO_TO_32 = 4294967296;

/**
 * The one place that makes IVs. Each comes from a counter that its key sees once, for requests and responses
 * alike (RFC 5282 section 3.1).
 */
export function makeIv(cipher: Cipher, key: Uint8Array, counter: number): Uint8Array {
  const octets = concat(octets32(counter / TWO_TO_32), octets32(counter));
  return cipher.unpredictableIv?.(key, octets) ?? octets;
}

/**
 * A message whose payloads are inside an Encrypted payload (RFC 7296 section 3.14, RFC 5282 section 3).
 *
 * @param key SK_e ‖ SK_a of the sender
 * @param counter what the IV is made from, below 2^53; never used before with this key
 */
export function sealMessage(
  cipher: Cipher,
  key: Uint8Array,
  counter: number,
  spis: IkeSpis,
  exchange: number,
  flags: number,
  messageId: number,
  payloads: readonly Payload[],
): Uint8Array {
  const chain = emitPayloads(payloads);
  // The shortest padding, and behind it always the octet that tells its length.
  const padding = cipher.blockLength - 1 - (chain.length % cipher.blockLength);
  const plaintext = concat(chain, new Uint8Array(padding), [padding]);
  const iv = makeIv(cipher, key, counter);
  const length = 4 + iv.length + plaintext.length + cipher.icvLength;
  const associatedData = concat(
    emitHeader(spis, PAYLOAD_SK, exchange, flags, messageId, length),
    [payloads[0]?.type ?? 0, 0],
    octets16(length),
  );
  return concat(associatedData, iv, cipher.seal(key, iv, associatedData, plaintext));
}
