/**
 * Compares two secrets, ICVs or MACs. The time depends on the lengths only, as far as JavaScript lets a program
 * decide that: there is no early exit at the first difference.
 *
 * @param a what was computed
 * @param b what was received, of any length
 * @returns whether both have the same length and the same octets
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { equalSecrets } from "ikelet/crypto/equal.js";
 *
 * assert.equal(equalSecrets(new Uint8Array([1, 2]), new Uint8Array([1, 2])), true);
 * assert.equal(equalSecrets(new Uint8Array([1, 2]), new Uint8Array([1, 3])), false);
 * ```
 */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
