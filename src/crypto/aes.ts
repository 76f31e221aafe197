/**
 * What the cipher and the inverse cipher of FIPS 197 have in common. A column of the state is a 32-bit word, its first
 * octet the highest; words are signed, because an engine for small devices keeps others as floating point.
 */

import { misuse } from "../error.ts";

/** The column at an offset, which need not be a multiple of 4. */
export function readWord(octets: Uint8Array, offset: number): number {
  return (
    (octets[offset]! << 24) | (octets[offset + 1]! << 16) | (octets[offset + 2]! << 8) | octets[offset + 3]!
  );
}

/** Writes a column to an offset; of a fraction, its whole part. */
export function writeWord(octets: Uint8Array, offset: number, word: number): void {
  octets[offset] = word >>> 24;
  octets[offset + 1] = word >>> 16;
  octets[offset + 2] = word >>> 8;
  octets[offset + 3] = word;
}

/** Multiplies four elements of GF(2^8) by x (section 4.2). */
export function double(word: number): number {
  return ((word & 0x7f7f7f7f) << 1) ^ (((word >>> 7) & 0x01010101) * 0x1b);
}

/** MixColumns (section 5.1.3). */
export function mixColumn(word: number): number {
  const doubled = double(word);
  const tripled = doubled ^ word;
  return (
    doubled ^
    ((tripled << 8) | (tripled >>> 24)) ^
    ((word << 16) | (word >>> 16)) ^
    ((word << 24) | (word >>> 8))
  );
}

/**
 * The S-box (section 5.1.1): 256 octets. Computed, because the code is a third of the table's size, and by a caller
 * that keeps it, because no module holds state.
 */
export function makeSbox(): Uint8Array {
  const sbox = new Uint8Array(256);
  let x = 1;
  let inverse = 1;
  sbox[0] = 0x63;
  do {
    // All elements but 0 are powers of 3, and their inverses are powers of its inverse, 0xf6.
    x ^= double(x);
    inverse ^= inverse << 1;
    inverse ^= inverse << 2;
    inverse ^= inverse << 4;
    inverse = (inverse & 255) ^ ((inverse >> 7) & 1 && 9);
    const twice = inverse | (inverse << 8);
    sbox[x] = 0x63 ^ twice ^ (twice >> 4) ^ (twice >> 5) ^ (twice >> 6) ^ (twice >> 7);
  } while (x !== 1);
  return sbox;
}

/** Substitutes the octets on one diagonal of the state and makes a column of them: SubBytes and ShiftRows. */
export function substitute(sbox: Uint8Array, a: number, b: number, c: number, d: number): number {
  return (
    (sbox[a >>> 24]! << 24) | (sbox[(b >>> 16) & 255]! << 16) | (sbox[(c >>> 8) & 255]! << 8) | sbox[d & 255]!
  );
}

/**
 * The key schedule (section 5.2).
 *
 * @throws IkeletError `argument` for a key that is not of 16, 24 or 32 octets
 */
export function expandKey(sbox: Uint8Array, key: Uint8Array): Int32Array {
  const length = key.length / 4;
  if (length !== 4 && length !== 6 && length !== 8)
    throw misuse("argument", `key: expected 16, 24 or 32 octets, got ${key.length}`);
  const words = new Int32Array(4 * length + 28);
  let constant = 1;
  for (let i = 0; i < words.length; i++) {
    if (i < length) {
      words[i] = readWord(key, 4 * i);
      continue;
    }
    let word = words[i - 1]!;
    if (i % length === 0) {
      word = (word << 8) | (word >>> 24);
      word = substitute(sbox, word, word, word, word) ^ (constant << 24);
      constant = double(constant);
    } else if (length === 8 && i % 8 === 4) word = substitute(sbox, word, word, word, word);
    words[i] = words[i - length]! ^ word;
  }
  return words;
}
