import { expandKey, makeSbox, mixColumn, readWord, substitute, writeWord } from "./aes.ts";
import type { BlockCipher } from "./contracts.ts";

/**
 * AES (FIPS 197) with a single table of 256 octets, for devices without an AES of their own: to be put behind `gcm`,
 * `ccm`, `cmac`, and with `aesSmallInverse` behind `cbc`. Keys of 16, 24 or 32 octets; a keyed function holds 176 to
 * 240 octets. Blocks may begin anywhere.
 *
 * The time of a table look-up tells its index to whoever shares a data cache with the device.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { aesSmall } from "ikelet/crypto/aes-small.js";
 * import { gcm } from "ikelet/crypto/gcm.js";
 *
 * const aes = aesSmall(); // makes the table: once in a firmware
 * const block = new Uint8Array(16);
 * aes(new Uint8Array(16))(block);
 * assert.equal(block[0], 0x66);
 *
 * const cipher = gcm(aes, 128); // for `cipher` of a profile
 * assert.equal(cipher.encryptionId, 20);
 * ```
 */
export function aesSmall(): BlockCipher {
  const sbox = makeSbox();
  return (key) => {
    const words = expandKey(sbox, key);
    const last = words.length - 4;
    return (block) => {
      let a = readWord(block, 0) ^ words[0]!;
      let b = readWord(block, 4) ^ words[1]!;
      let c = readWord(block, 8) ^ words[2]!;
      let d = readWord(block, 12) ^ words[3]!;
      for (let i = 4; ; i += 4) {
        let e = substitute(sbox, a, b, c, d);
        let f = substitute(sbox, b, c, d, a);
        let g = substitute(sbox, c, d, a, b);
        let h = substitute(sbox, d, a, b, c);
        if (i < last) {
          e = mixColumn(e);
          f = mixColumn(f);
          g = mixColumn(g);
          h = mixColumn(h);
        }
        a = e ^ words[i]!;
        b = f ^ words[i + 1]!;
        c = g ^ words[i + 2]!;
        d = h ^ words[i + 3]!;
        if (i === last) break;
      }
      writeWord(block, 0, a);
      writeWord(block, 4, b);
      writeWord(block, 8, c);
      writeWord(block, 12, d);
    };
  };
}
