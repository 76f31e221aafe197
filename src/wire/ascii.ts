import { misuse } from "../error.ts";

/**
 * The octets of a text in ASCII, one a character, with no terminator.
 *
 * @throws IkeletError `argument` for a character outside ASCII: nobody could know which encoding was meant
 * @example
 * ```ts
 * import { ascii } from "ikelet";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(ascii("gw"), new Uint8Array([0x67, 0x77]));
 * ```
 */
export function ascii(text: string): Uint8Array {
  const octets = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    octets[i] = text.charCodeAt(i);
    if (text.charCodeAt(i) > 0x7f) throw misuse("argument", `text: expected ASCII, got a "${text[i]}"`);
  }
  return octets;
}
