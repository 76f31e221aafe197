/**
 * In place of the native functions of Espruino's module `crypto`: SHA-256 (FIPS 180-4), and AES of single blocks. noble's
 * SHA-256 would need more of the engine than ES5 has.
 */

import { aesSmall } from "ikelet/crypto/aes-small.js";
import type { EspruinoAes } from "ikelet/providers/espruino.js";

/** The first 32 bits of the fractional parts of the roots of the first primes. */
function fractions(count: number, exponent: number): number[] {
  const words: number[] = [];
  for (let n = 2; words.length < count; n++) {
    let isPrime = true;
    for (let factor = 2; factor * factor <= n; factor++) if (n % factor === 0) isPrime = false;
    const root = n ** exponent;
    if (isPrime) words.push(((root - Math.floor(root)) * 4294967296) | 0);
  }
  return words;
}

const ROUND_CONSTANTS = fractions(64, 1 / 3);
const INITIAL = fractions(8, 1 / 2);

const rotated = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

export function SHA256(message: Uint8Array): ArrayBuffer {
  const bits = message.length * 8;
  const padded = new Uint8Array((((message.length + 8) >> 6) + 1) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  for (let i = 1; i <= 4; i++) padded[padded.length - i] = bits >>> (8 * (i - 1));

  const state = INITIAL.slice();
  const w: number[] = [];
  for (let at = 0; at < padded.length; at += 64) {
    let [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number];
    for (let i = 0; i < 64; i++) {
      if (i < 16) {
        const j = at + 4 * i;
        w[i] = (padded[j]! << 24) | (padded[j + 1]! << 16) | (padded[j + 2]! << 8) | padded[j + 3]!;
      } else {
        const [x, y] = [w[i - 15]!, w[i - 2]!];
        const s0 = rotated(x, 7) ^ rotated(x, 18) ^ (x >>> 3);
        const s1 = rotated(y, 17) ^ rotated(y, 19) ^ (y >>> 10);
        w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
      }
      const sum1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
      const t1 = (h + sum1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[i]! + w[i]!) | 0;
      const sum0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
      const t2 = (sum0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    const next = [a, b, c, d, e, f, g, h];
    for (let i = 0; i < 8; i++) state[i] = (state[i]! + next[i]!) | 0;
  }
  const digest = new Uint8Array(32);
  for (let i = 0; i < 32; i++) digest[i] = state[i >> 2]! >>> (24 - 8 * (i & 3));
  return digest.buffer;
}

const aes = aesSmall();

export const AES: EspruinoAes = {
  encrypt: (message, key) => {
    const block = new Uint8Array(message);
    aes(key)(block);
    return block.buffer;
  },
  // For CBC alone.
  decrypt: () => undefined,
};
