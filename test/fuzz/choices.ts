/** Octets as a row of choices: what a fuzzer makes of them decides what a test does. */

export interface Choices {
  /** Whether there are any left; behind the end all choices are 0. */
  readonly left: () => boolean;
  readonly octet: () => number;
  /** 0 to `count` - 1. */
  readonly below: (count: number) => number;
  /** True about once in `times`; false behind the end. */
  readonly once: (times: number) => boolean;
  readonly among: <T>(list: readonly T[]) => T;
  /** So many octets at most. */
  readonly octets: (most: number) => Uint8Array;
}

export function choicesOf(input: Uint8Array): Choices {
  let at = 0;
  const octet = (): number => input[at++] ?? 0;
  const below = (count: number): number => (count > 0x100 ? (octet() << 8) | octet() : octet()) % count;
  return {
    left: () => at < input.length,
    octet,
    below,
    once: (times) => octet() % times === times - 1,
    among: (list) => list[below(list.length)]!,
    octets: (most) => {
      const length = below(most + 1);
      const taken = new Uint8Array(length);
      taken.set(input.subarray(at, at + length));
      at += length;
      return taken;
    },
  };
}
