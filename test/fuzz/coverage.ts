/** Which branches were taken, and about how often: what libFuzzer calls features. */

interface Counters {
  readonly b: Readonly<Record<string, number[]>>;
  readonly f: Record<string, number>;
}

const FREQUENT = 128;

/** A bit for 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, and more. */
const BIT_OF = new Uint8Array(FREQUENT + 1).map((_, n) =>
  n < 4 ? (1 << n) >> 1 : n < 8 ? 8 : n < 16 ? 16 : n < 32 ? 32 : n < FREQUENT ? 64 : 128,
);

export interface Coverage {
  /** Forgets what was counted since the last call, and says whether some of it is new, or belongs to `mine`. */
  readonly take: () => { readonly isNew: boolean; readonly features: readonly number[] };
  readonly reached: () => number;
  readonly total: () => number;
}

export function coverageOf(global: { readonly __branches__?: Readonly<Record<string, Counters>> }): Coverage {
  const files = Object.values(global.__branches__ ?? {});
  const branches = files.flatMap(({ b }) => Object.values(b));
  const total = branches.reduce((sum, { length }) => sum + length, 0);
  const seen = new Uint8Array(total);
  return {
    take: () => {
      let isNew = false;
      let at = 0;
      const features: number[] = [];
      for (const branch of branches)
        for (let way = 0; way < branch.length; way++, at++) {
          const count = branch[way]!;
          if (!count) continue;
          const bit = BIT_OF[Math.min(count, FREQUENT)]!;
          features.push(at * 0x100 + bit);
          if (!(seen[at]! & bit)) isNew = true;
          seen[at]! |= bit;
          branch[way] = 0;
        }
      return { isNew, features };
    },
    reached: () => seen.filter((bits) => bits).length,
    total: () => total,
  };
}
