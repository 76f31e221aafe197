/**
 * The form that payloads, proposals, transforms and traffic selectors share: two octets of their own, their
 * length in two octets, and the rest.
 */

import { concat, octets16, uint16 } from "./octets.ts";

const BLOCK_HEADER_LENGTH = 4;

/** A block: its two first octets, and what follows the length. */
export function emitBlock(first: number, second: number, ...rest: ArrayLike<number>[]): Uint8Array {
  const block = concat([first, second, 0, 0], ...rest);
  block.set(octets16(block.length), 2);
  return block;
}

/**
 * Splits a row of blocks.
 *
 * @param shortest the least octets of a block
 * @returns `undefined` if the lengths do not add up
 */
export function parseBlocks(
  octets: Uint8Array,
  shortest: number = BLOCK_HEADER_LENGTH,
): Uint8Array[] | undefined {
  const blocks: Uint8Array[] = [];
  let at = 0;
  while (at < octets.length) {
    // Behind the end there are zeros to read, so a length that is cut off is too short.
    const length = uint16(octets, at + 2);
    if (length < shortest || at + length > octets.length) return;
    blocks.push(octets.subarray(at, at + length));
    at += length;
  }
  return blocks;
}
