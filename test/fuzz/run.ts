/**
 * npm run fuzz -- [--seconds N] [--seed N] [--keep] [--json]
 *
 * Looks for octets that break the library, guided by the branches that they take. Exit code 1 when it found some;
 * they are printed, and stand in test/fuzz/corpus as soon as they are mended, so that `npm test` tries them again.
 * With --keep the corpus becomes what this run found to be the fewest inputs that take all branches.
 *
 * The method is libFuzzer's. (Jazzer.js, which brings libFuzzer itself, wants glibc 2.38; Debian 12 has 2.36.)
 */

import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import type { Report, Task } from "./loop.ts";

/** Also for a machine that has other things to do. */
const HANG_MILLISECONDS = 30_000;
const MEGABYTES = 512;
const LONGEST = 1024;

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    keep: { type: "boolean" },
    json: { type: "boolean" },
  },
});
const milliseconds = Number(options.seconds) * 1000;
const seed = Number(options.seed);
if (!(milliseconds > 0) || !Number.isInteger(seed)) throw new Error("--seconds and --seed are numbers");
const { readCorpus, writeCorpus } = await import("./corpus.ts");
const { TARGETS } = await import("./targets/index.ts");

const task: Task = {
  milliseconds,
  seed,
  corpus: readCorpus(),
  current: new SharedArrayBuffer(3 + LONGEST),
  beats: new SharedArrayBuffer(4),
};
let findings = 0;
let isOver = false;

function found(target: string, input: Uint8Array, error: string): void {
  findings++;
  const hex = Buffer.from(input).toString("hex");
  if (options.json) console.log(JSON.stringify({ name: target, result: "fail", input: hex, error }));
  else console.log(`\n${target}: ${hex}\n${error}`);
}

/** What the worker was at when it was lost. */
function lost(error: string): void {
  const shown = new Uint8Array(task.current);
  found(TARGETS[shown[0]!]!.name, shown.slice(3, 3 + (shown[1]! << 8) + shown[2]!), error);
  isOver = true;
}

function figures(report: Extract<Report, { executions: number }>): string {
  const { executions, reached, total, inputs } = report;
  const percent = ((100 * reached) / total).toFixed(1);
  return `${executions} executions, ${reached} of ${total} branches (${percent} %), ${inputs} inputs`;
}

const worker = new Worker(new URL("./worker.mjs", import.meta.url), {
  workerData: task,
  resourceLimits: { maxOldGenerationSizeMb: MEGABYTES },
});
let beats = -1;
const watch = setInterval(() => {
  const now = new Int32Array(task.beats)[0]!;
  // Before the first input the worker is being loaded.
  if (now && now === beats) {
    lost(`no end after ${HANG_MILLISECONDS} ms`);
    void worker.terminate();
  }
  beats = now;
}, HANG_MILLISECONDS);

worker.on("message", (report: Report) => {
  if (report.type === "finding") found(report.target, report.input, report.error);
  else if (report.type === "corpus") {
    if (options.keep) writeCorpus(report.target, report.inputs);
  } else if (report.type === "progress") {
    if (process.stdout.isTTY && !options.json) process.stdout.write(`\r${figures(report)}`);
  } else {
    isOver = true;
    const { executions, reached, total } = report;
    const result = findings ? "fail" : "pass";
    if (options.json)
      for (const [name, value, unit] of [
        ["executions", executions, "executions"],
        ["branches reached", reached, "branches"],
        ["branches", total, "branches"],
      ])
        console.log(JSON.stringify({ name, result, value, unit }));
    else
      console.log(
        `${process.stdout.isTTY ? "\r" : ""}${figures(report)}, ${findings} findings, seed ${seed}`,
      );
  }
});
worker.on("error", (error) => {
  if (!isOver) lost(String(error));
});
worker.on("exit", () => {
  clearInterval(watch);
  process.exitCode = findings || !isOver ? 1 : 0;
});
