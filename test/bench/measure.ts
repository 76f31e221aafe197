/** Two ways to do the same work, by turns in one process. */

/** The middle half of the runs, and what lies in its middle. */
export interface Quartiles {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

export interface Comparison {
  /** Of the first one's time to the second one's, within each turn. */
  readonly ratio: Quartiles;
  /** Microseconds of one round of each. */
  readonly first: Quartiles;
  readonly second: Quartiles;
}

/** Short runs: what else the machine does then falls on all sides alike. */
const MILLISECONDS_PER_RUN = 2;
const FEWEST_RUNS = 11;
const WARM_UP_SHARE = 0.2;
/** Milliseconds: before that, nothing is compiled. */
const SHORTEST_WARM_UP = 120;
const WARM_UP_ROUNDS = 3;

function quartiles(values: readonly number[]): Quartiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)]!;
  return { lower: at(0.25), median: at(0.5), upper: at(0.75) };
}

/** Microseconds of one round, over one run of so many rounds: of the processor's time, whatever else the machine does. */
function time(round: () => void, rounds: number): number {
  const start = process.cpuUsage();
  for (let i = 0; i < rounds; i++) round();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / rounds;
}

/** Does the work until that share of the time is over, and says how many rounds make a run. */
function warmUp(works: readonly (() => void)[], milliseconds: number): number {
  const start = performance.now();
  let slowest: number;
  do slowest = Math.max(1, ...works.map((work) => time(work, WARM_UP_ROUNDS)));
  while (performance.now() - start < Math.max(SHORTEST_WARM_UP, milliseconds * WARM_UP_SHARE));
  return Math.ceil((MILLISECONDS_PER_RUN * 1000) / slowest);
}

/**
 * Runs two works by turns, each going first in every second turn, until the time is over. Never more than two: each
 * pays for the garbage of the one before it.
 *
 * @param milliseconds for all of it, roughly
 */
export function compare(first: () => void, second: () => void, milliseconds: number): Comparison {
  const start = performance.now();
  const rounds = warmUp([first, second], milliseconds);
  const times: [number[], number[]] = [[], []];
  for (let run = 0; run < FEWEST_RUNS || performance.now() - start < milliseconds; run++) {
    const early = run % 2 ? time(first, rounds) : 0;
    times[1].push(time(second, rounds));
    times[0].push(early || time(first, rounds));
  }
  return {
    ratio: quartiles(times[0].map((value, run) => value / times[1][run]!)),
    first: quartiles(times[0]),
    second: quartiles(times[1]),
  };
}

/** Microseconds of one round. */
export function measure(work: () => void, milliseconds: number): Quartiles {
  const start = performance.now();
  const rounds = warmUp([work], milliseconds);
  const times: number[] = [];
  while (times.length < FEWEST_RUNS || performance.now() - start < milliseconds)
    times.push(time(work, rounds));
  return quartiles(times);
}
