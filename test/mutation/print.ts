/** The verdict as a table for a person, or one JSON object a line. */

import { LOWEST_SCORE, type Score, type Survivor, type Verdict } from "./judge.ts";

const line = (row: object): void => console.log(JSON.stringify(row));

const change = ({ file, at, code, replacement }: Survivor): string =>
  `${file}:${at}: ${code} → ${replacement}`;

function printLines({ files, all, skipped, survivors, stale }: Verdict): void {
  const result = (good: boolean): string => (good ? "pass" : "fail");
  for (const { name, score, survivors } of files)
    line({ name, result: result(!survivors), value: score, unit: "%" });
  for (const survivor of survivors) line({ name: change(survivor), result: "fail" });
  for (const { file, line: code } of stale)
    line({ name: `${file}: ${code}`, result: "fail", reason: "explained, but no survivor" });
  if (skipped) line({ name: "run at load", result: "skip", value: skipped, unit: "mutants" });
  const good = all.score >= LOWEST_SCORE && all.mutants > 0;
  line({ name: all.name, result: result(good), value: all.score, unit: "%", budget: LOWEST_SCORE });
}

function row({ name, score, ...counts }: Score): string {
  const { mutants, killed, timedOut, errorTexts, explained, survivors } = counts;
  const columns = [mutants, killed, timedOut, errorTexts, explained, survivors];
  return `${name.padEnd(34)}${columns.map((n) => String(n).padStart(10)).join("")}${score.toFixed(1).padStart(8)} %`;
}

function printTable({ files, all, skipped, survivors, stale }: Verdict): void {
  const heads = ["mutants", "killed", "by time", "texts", "explained", "survivors", "score"];
  console.log(`${" ".repeat(34)}${heads.map((head) => head.padStart(10)).join("")}`);
  for (const file of [...files, all]) console.log(row(file));
  console.log(
    "\ntexts: the wording of an error, of which the tests know the code and the field that it names",
  );
  if (skipped) console.log(`${skipped} skipped: what runs when a module is loaded`);
  for (const survivor of survivors) console.log(`survives, and is not explained: ${change(survivor)}`);
  for (const { file, line: code } of stale) console.log(`explained, but no survivor: ${file}: ${code}`);
  if (all.score < LOWEST_SCORE) console.log(`the score is below ${LOWEST_SCORE} %`);
}

export function print(verdict: Verdict, json: boolean): void {
  if (json) printLines(verdict);
  else printTable(verdict);
}
