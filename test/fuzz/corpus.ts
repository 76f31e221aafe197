/** Inputs that are kept: one in hexadecimal a line, a file for each target. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { TARGETS } from "./targets/index.ts";

function fileOf(target: string): URL {
  return new URL(`corpus/${target}.txt`, import.meta.url);
}

export function readCorpus(): Record<string, Uint8Array[]> {
  const corpus: Record<string, Uint8Array[]> = {};
  for (const { name } of TARGETS)
    corpus[name] = existsSync(fileOf(name))
      ? readFileSync(fileOf(name), "utf8")
          .split("\n")
          .filter((line) => line)
          .map((line) => new Uint8Array(Buffer.from(line, "hex")))
      : [];
  return corpus;
}

export function writeCorpus(target: string, inputs: readonly Uint8Array[]): void {
  const lines = inputs.map((input) => Buffer.from(input).toString("hex")).filter((line) => line);
  writeFileSync(fileOf(target), `${lines.sort().join("\n")}\n`);
}
