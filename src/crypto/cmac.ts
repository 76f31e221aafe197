import type { BlockCipher, KeyedPrf, Prf } from "./contracts.ts";

/** Multiplies by x in GF(2^128) (RFC 4493 section 2.3). */
function double(octets: Uint8Array): void {
  const carry = octets[0]! >> 7;
  for (let i = 0; i < 16; i++) octets[i] = (octets[i]! << 1) | ((octets[i + 1] ?? 0) >> 7);
  octets[15]! ^= carry * 0x87;
}

/**
 * AES-CMAC (RFC 4493) as PRF_AES128_CMAC (8), RFC 4615, over any block cipher of 16 octets. noble's AES has it as
 * `aesCmac` of `ikelet/crypto/aes-cmac.js`, where keys and nonces are explained; this one takes `aesSmall`, or the
 * AES of a chip, and expands the key once.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { aesSmall } from "ikelet/crypto/aes-small.js";
 * import { cmac } from "ikelet/crypto/cmac.js";
 *
 * const prf = cmac(aesSmall()).keyed(new Uint8Array([1, 2, 3]));
 * assert.equal(prf(new Uint8Array([4])).length, 16);
 * assert.deepEqual(prf(new Uint8Array([4]), new Uint8Array([5])), prf(new Uint8Array([4, 5])));
 * ```
 */
export function cmac(block: BlockCipher): Prf {
  const keyed = (key: Uint8Array): KeyedPrf => {
    const encrypt = block(key);
    const subkey = new Uint8Array(16);
    encrypt(subkey);
    double(subkey);
    const subkeyOfPart = new Uint8Array(subkey);
    double(subkeyOfPart);
    return (...chunks) => {
      const mac = new Uint8Array(16);
      let filled = 0;
      for (const chunk of chunks)
        for (let i = 0; i < chunk.length; i++) {
          // Not before there is more: the last block is not encrypted as it is.
          if (filled === 16) {
            encrypt(mac);
            filled = 0;
          }
          mac[filled++]! ^= chunk[i]!;
        }
      if (filled < 16) mac[filled]! ^= 0x80;
      for (let i = 0; i < 16; i++) mac[i]! ^= (filled < 16 ? subkeyOfPart : subkey)[i]!;
      encrypt(mac);
      return mac;
    };
  };
  return {
    transformId: 8,
    keyLength: 16,
    outputLength: 16,
    nonceKeyLength: 8,
    // RFC 4615 section 3.
    keyed: (key) => keyed(key.length === 16 ? key : keyed(new Uint8Array(16))(key)),
  };
}
