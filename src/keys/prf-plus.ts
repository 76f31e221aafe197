import type { KeyedPrf } from "../crypto/contracts.ts";
import { misuse } from "../error.ts";

/** The number of a block is one octet (RFC 7296 section 2.13). */
const MOST_BLOCKS = 255;

/**
 * prf+, the stretched pseudorandom function (RFC 7296 section 2.13).
 *
 * @param prf keyed with K
 * @param seed S
 * @param length octets wanted
 * @throws IkeletError `argument` for more than 255 blocks, for which prf+ is not defined
 */
export function prfPlus(prf: KeyedPrf, seed: Uint8Array, length: number): Uint8Array {
  const stream = new Uint8Array(length);
  let block: Uint8Array = new Uint8Array(0);
  for (let at = 0, n = 1; at < length; at += block.length, n++) {
    if (n > MOST_BLOCKS)
      throw misuse("argument", `prf+: ${length} octets are more than ${MOST_BLOCKS} blocks`);
    const next = prf(block, seed, new Uint8Array([n]));
    block.fill(0);
    block = next;
    stream.set(block.subarray(0, length - at), at);
  }
  block.fill(0);
  return stream;
}
