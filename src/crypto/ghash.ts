import { readWord, writeWord } from "./aes.ts";

/**
 * GHASH over associated data and ciphertext, each filled up with zeros, and their lengths (NIST SP 800-38D section
 * 7.1). It takes four bits at a time, with a table of the hash key's 16 multiples: 256 octets as long as a message
 * is in work.
 *
 * @param key 16 octets, the hash subkey H
 */
export function ghash(key: Uint8Array, associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  // Bit 8 of a nibble is the lowest power: multiple 8 is H, 4 is H times x. The first bit of word 0 is the lowest, too.
  const multiples = new Int32Array(64);
  for (let i = 0; i < 4; i++) multiples[32 + i] = readWord(key, 4 * i);
  for (let bit = 4; bit; bit >>= 1) {
    let carry = -(multiples[8 * bit + 3]! & 1) & 0xe1;
    for (let i = 0; i < 4; i++) {
      const word = multiples[8 * bit + i]!;
      multiples[4 * bit + i] = (word >>> 1) ^ (i ? carry << 31 : carry << 24);
      carry = word & 1;
    }
  }
  for (let n = 3; n < 16; n++) {
    const high = n >= 8 ? 8 : n >= 4 ? 4 : 2;
    for (let i = 0; i < 4; i++)
      multiples[4 * n + i] = multiples[4 * high + i]! ^ multiples[4 * (n - high) + i]!;
  }

  const y = new Uint8Array(16);
  const multiply = (): void => {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let i = 31; i >= 0; i--) {
      const octet = y[i >> 1]!;
      const at = (i & 1 ? octet & 15 : octet >> 4) << 2;
      const out = d & 15;
      d = ((d >>> 4) | (c << 28)) ^ multiples[at + 3]!;
      c = ((c >>> 4) | (b << 28)) ^ multiples[at + 2]!;
      b = ((b >>> 4) | (a << 28)) ^ multiples[at + 1]!;
      // What was shifted out comes back times x^7 + x^2 + x + 1.
      a = (a >>> 4) ^ (out << 28) ^ (out << 27) ^ (out << 26) ^ (out << 21) ^ multiples[at]!;
    }
    writeWord(y, 0, a);
    writeWord(y, 4, b);
    writeWord(y, 8, c);
    writeWord(y, 12, d);
  };

  const lengths = new Uint8Array(16);
  for (const [part, at] of [
    [associatedData, 0],
    [ciphertext, 8],
  ] as const) {
    for (let i = 0; i < part.length; i++) {
      y[i % 16]! ^= part[i]!;
      if (i % 16 === 15 || i === part.length - 1) multiply();
    }
    writeWord(lengths, at, part.length / 0x20000000);
    writeWord(lengths, at + 4, part.length << 3);
  }
  for (let i = 0; i < 16; i++) y[i]! ^= lengths[i]!;
  multiply();
  return y;
}
