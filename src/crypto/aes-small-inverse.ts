import { double, expandKey, makeSbox, mixColumn, readWord, substitute, writeWord } from "./aes.ts";
import type { BlockCipher } from "./contracts.ts";

/** InvMixColumns (section 5.3.3): its polynomial is that of MixColumns times 4x^2 + 5. */
function unmixColumn(word: number): number {
  return mixColumn(word ^ double(double(word ^ ((word << 16) | (word >>> 16)))));
}

/**
 * The inverse cipher of `aesSmall` (FIPS 197 section 5.3), which CBC alone needs: decrypts single blocks, in place.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { aesSmall } from "ikelet/crypto/aes-small.js";
 * import { aesSmallInverse } from "ikelet/crypto/aes-small-inverse.js";
 *
 * const key = new Uint8Array(32).fill(1);
 * const block = new Uint8Array(16).fill(2);
 * aesSmall()(key)(block);
 * aesSmallInverse()(key)(block);
 * assert.deepEqual(block, new Uint8Array(16).fill(2));
 * ```
 */
export function aesSmallInverse(): BlockCipher {
  const sbox = makeSbox();
  const inverse = new Uint8Array(256);
  for (let i = 0; i < 256; i++) inverse[sbox[i]!] = i;
  return (key) => {
    const words = expandKey(sbox, key);
    return (block) => {
      let a = readWord(block, 0);
      let b = readWord(block, 4);
      let c = readWord(block, 8);
      let d = readWord(block, 12);
      for (let i = words.length - 4; ; i -= 4) {
        a ^= words[i]!;
        b ^= words[i + 1]!;
        c ^= words[i + 2]!;
        d ^= words[i + 3]!;
        if (i === 0) break;
        if (i < words.length - 4) {
          a = unmixColumn(a);
          b = unmixColumn(b);
          c = unmixColumn(c);
          d = unmixColumn(d);
        }
        const e = substitute(inverse, a, d, c, b);
        const f = substitute(inverse, b, a, d, c);
        const g = substitute(inverse, c, b, a, d);
        d = substitute(inverse, d, c, b, a);
        a = e;
        b = f;
        c = g;
      }
      writeWord(block, 0, a);
      writeWord(block, 4, b);
      writeWord(block, 8, c);
      writeWord(block, 12, d);
    };
  };
}
