/** The Security Association payload with its one proposal (RFC 7296 section 3.3, RFC 7815 appendix A.3). */

import { emitBlock, parseBlocks } from "./block.ts";
import { concat, equalOctets, octets16 } from "./octets.ts";

/** Protocol IDs (RFC 7296 section 3.3.1). */
export const PROTOCOL_IKE = 1;
export const PROTOCOL_ESP = 3;

/** Transform types (RFC 7296 section 3.3.2). */
export const TRANSFORM_ENCRYPTION = 1;
export const TRANSFORM_PRF = 2;
export const TRANSFORM_INTEGRITY = 3;
export const TRANSFORM_KEY_EXCHANGE = 4;
export const TRANSFORM_ESN = 5;

const MORE_TRANSFORMS = 3;
const HEADER_LENGTH = 8;
const PROPOSAL_NUMBER = 1;
/** The Key Length attribute in its only form, type and value (RFC 7296 section 3.3.5). */
const KEY_LENGTH = 0x800e;

/** One transform as it is on the wire, marked as the last one. */
export function emitTransform(type: number, id: number, keyBits?: number): Uint8Array {
  return emitBlock(
    0,
    0,
    [type, 0],
    octets16(id),
    keyBits ? concat(octets16(KEY_LENGTH), octets16(keyBits)) : [],
  );
}

/**
 * The body of an SA payload with a single proposal, number 1.
 *
 * @param spi empty for the IKE SA of an initial exchange, 4 octets for ESP
 * @param transforms from `emitTransform`, one of each type
 */
export function emitProposal(
  protocol: number,
  spi: ArrayLike<number>,
  transforms: readonly Uint8Array[],
): Uint8Array {
  const list = transforms.map((transform, i) =>
    concat([transforms[i + 1] ? MORE_TRANSFORMS : 0], transform.subarray(1)),
  );
  return emitBlock(0, 0, [PROPOSAL_NUMBER, protocol, spi.length, list.length], spi, ...list);
}

/**
 * Checks the body of the peer's SA payload against the offer: one proposal with the same number and protocol,
 * and exactly the offered transforms, in any order (RFC 7296 sections 2.7 and 3.3.6).
 *
 * @param spiLength octets of the SPI of the peer: 0 or 4
 * @returns the SPI, or `undefined` if the answer is malformed or was not offered
 */
export function acceptedSpi(
  body: Uint8Array,
  protocol: number,
  spiLength: number,
  offer: readonly Uint8Array[],
): Uint8Array | undefined {
  const end = HEADER_LENGTH + spiLength;
  const transforms = parseBlocks(body.subarray(end), HEADER_LENGTH);
  const proposal = emitBlock(
    0,
    0,
    [PROPOSAL_NUMBER, protocol, spiLength, offer.length],
    body.subarray(HEADER_LENGTH),
  );
  // All that both proposals share is equal, less the RESERVED octet.
  return transforms?.length === offer.length &&
    equalOctets(concat([body[0]!, 0], body.subarray(2)), proposal) &&
    transforms.every((transform, i) => transform[0] === (transforms[i + 1] ? MORE_TRANSFORMS : 0)) &&
    offer.every((wanted) =>
      transforms.some((transform) =>
        equalOctets(concat([0, 0], transform.subarray(2, 5), [0], transform.subarray(6)), wanted),
      ),
    )
    ? body.subarray(HEADER_LENGTH, end)
    : undefined;
}
