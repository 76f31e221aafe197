import { cmac } from "@noble/ciphers/aes.js";
import type { Prf } from "./contracts.ts";

const KEY_LENGTH = 16;

/**
 * PRF_AES128_CMAC (8), RFC 4615: AES-CMAC whose key may have any length; 16 octets of output. A key of other than
 * 16 octets first goes through AES-CMAC under the zero key (section 3).
 *
 * SKEYSEED takes 8 octets of each nonce as its key (RFC 7296 section 2.14), hence `nonceKeyLength`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { aesCmac } from "ikelet/crypto/aes-cmac.js";
 *
 * const prf = aesCmac.keyed(new Uint8Array([1, 2, 3]));
 * assert.equal(prf(new Uint8Array([4])).length, 16);
 * assert.deepEqual(prf(new Uint8Array([4]), new Uint8Array([5])), prf(new Uint8Array([4, 5])));
 * ```
 */
export const aesCmac: Prf = {
  transformId: 8,
  keyLength: KEY_LENGTH,
  outputLength: 16,
  nonceKeyLength: 8,
  keyed: (key) => {
    // A copy, as for a hashed key: what is done to the caller's buffer later must not change the function.
    const cipherKey = key.length === KEY_LENGTH ? new Uint8Array(key) : cmac(key, new Uint8Array(KEY_LENGTH));
    return (...chunks) => {
      // noble's CMAC cannot be copied, so the AES key is expanded for each call.
      const mac = cmac.create(cipherKey);
      for (const chunk of chunks) mac.update(chunk);
      return mac.digest();
    };
  },
};
