/**
 * The worker of `run.ts`: mutates inputs, keeps those that take branches in a new way, and hands over what it found.
 * It runs in a thread of its own, so that one input that takes too long or too much memory can be told.
 */

import { parentPort, workerData } from "node:worker_threads";
import { coverageOf } from "./coverage.ts";
import { mutate } from "./mutate.ts";
import { randomOf } from "./random.ts";
import { TARGETS } from "./targets/index.ts";

/** What the thread that watches gives. */
export interface Task {
  readonly milliseconds: number;
  readonly seed: number;
  /** Inputs to begin with, by target. */
  readonly corpus: Readonly<Record<string, readonly Uint8Array[]>>;
  /** Where the current input stands: the target's index, the length, and the octets. */
  readonly current: SharedArrayBuffer;
  /** Counts inputs; whoever sees it stand still kills the thread. */
  readonly beats: SharedArrayBuffer;
}

export type Report =
  | {
      readonly type: "progress" | "end";
      readonly executions: number;
      readonly reached: number;
      readonly total: number;
      readonly inputs: number;
    }
  | { readonly type: "finding"; readonly target: string; readonly input: Uint8Array; readonly error: string }
  /** At the end: the fewest inputs that were found to take all branches. */
  | { readonly type: "corpus"; readonly target: string; readonly inputs: readonly Uint8Array[] };

const PROGRESS_MILLISECONDS = 2000;
const { milliseconds, seed, corpus, current, beats } = workerData as Task;
const random = randomOf(seed);
const shown = new Uint8Array(current);
const beat = new Int32Array(beats);
const coverage = coverageOf(globalThis as never);
const report = (message: Report): void => parentPort!.postMessage(message);

interface Kept {
  readonly input: Uint8Array;
  readonly features: readonly number[];
}

const kept: Kept[][] = TARGETS.map(() => []);
const lottery = TARGETS.flatMap(({ share }, index) => new Array<number>(share).fill(index));
const known: Record<string, true> = {};
let executions = 0;
let printed = Date.now();
const end = printed + milliseconds;

function execute(index: number, input: Uint8Array): void {
  const { name, fuzz } = TARGETS[index]!;
  shown[0] = index;
  shown[1] = input.length >> 8;
  shown[2] = input.length & 0xff;
  shown.set(input, 3);
  Atomics.add(beat, 0, 1);
  try {
    fuzz(input);
  } catch (error) {
    const { stack = String(error) } = error as Error;
    const place = stack.split("\n").filter((line) => line.includes("/"))[0] ?? stack;
    // One input a place is enough.
    if (!known[place]) report({ type: "finding", target: name, input, error: stack });
    known[place] = true;
  }
  executions++;
  const { isNew, features } = coverage.take();
  if (isNew) kept[index]!.push({ input, features });
}

function progress(type: "progress" | "end"): void {
  const inputs = kept.reduce((sum, { length }) => sum + length, 0);
  report({ type, executions, reached: coverage.reached(), total: coverage.total(), inputs });
}

/** Takes inputs, those with the most features first, as long as one adds a feature. */
function fewest(all: readonly Kept[]): Uint8Array[] {
  const seen: Record<number, true> = {};
  return [...all]
    .sort((a, b) => b.features.length - a.features.length || a.input.length - b.input.length)
    .filter(({ features }) => {
      const fresh = features.filter((feature) => !seen[feature]);
      for (const feature of fresh) seen[feature] = true;
      return fresh.length > 0;
    })
    .map(({ input }) => input);
}

TARGETS.forEach(({ name }, index) => {
  for (const input of [new Uint8Array(0), ...(corpus[name] ?? [])]) execute(index, input);
});
while (Date.now() < end) {
  const index = lottery[random(lottery.length)]!;
  const list = kept[index]!;
  // The newest are the least explored.
  const newest = random(2) ? 0 : Math.max(0, list.length - 16);
  const pick = () => list[newest + random(list.length - newest)]?.input ?? new Uint8Array(0);
  execute(index, mutate(random, pick(), pick()));
  if (Date.now() - printed > PROGRESS_MILLISECONDS) {
    printed = Date.now();
    progress("progress");
  }
}
progress("end");
TARGETS.forEach(({ name }, index) => {
  report({ type: "corpus", target: name, inputs: fewest(kept[index]!) });
});
