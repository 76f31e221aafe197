/** Numbers that look random and are the same in every run. */

export type Random = (below: number) => number;

/** xorshift32. */
export function randomOf(seed: number): Random {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
