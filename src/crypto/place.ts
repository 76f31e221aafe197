/**
 * Moves a result to where the caller wants it, for algorithms that cannot write there themselves, and wipes the
 * copy, which may be plaintext.
 *
 * @param output as long as `result`, if given
 * @returns `output`, or `result` where there is none
 */
export function place(result: Uint8Array, output: Uint8Array | undefined): Uint8Array {
  if (!output) return result;
  output.set(result);
  result.fill(0);
  return output;
}
