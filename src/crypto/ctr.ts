/**
 * Counter mode (NIST SP 800-38A section 6.5): encrypts and decrypts.
 *
 * @param streamBlock the key stream block of a number from 0 on
 * @param output as long as `input`; may be the same
 */
export function ctr(
  streamBlock: (number: number) => Uint8Array,
  input: Uint8Array,
  output: Uint8Array,
): Uint8Array {
  let stream = input;
  for (let i = 0; i < input.length; i++) {
    if (i % 16 === 0) stream = streamBlock(i / 16);
    output[i] = input[i]! ^ stream[i % 16]!;
  }
  return output;
}
