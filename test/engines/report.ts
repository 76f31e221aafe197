/** The table: for people, or with --json one object a line. */

import { readFileSync, writeFileSync } from "node:fs";

export interface Row {
  /** Begins with the name of the engine. */
  readonly name: string;
  readonly result: "pass" | "fail" | "skip";
  readonly reason?: string;
  readonly value?: number;
  readonly unit?: string;
  /** What the value may not exceed. */
  readonly budget?: number;
}

export type Note = (row: Row) => void;

/** Prints a row at once, so that one sees how far it has got. */
export function print({ name, result, reason, value, unit, budget }: Row, json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ name, result, reason, value, unit, budget }));
    return;
  }
  const figure = value === undefined ? "" : `${value} ${unit}`;
  const most = budget === undefined ? "" : `  at most ${budget}`;
  const said = `${result}  ${name.padEnd(44)}${figure.padStart(20)}${most}`.trimEnd();
  console.log(reason ? `${said}  ${reason.split("\n")[0]}` : said);
}

const FILE = new URL("figures.json", import.meta.url);
/** A figure may grow by so much before somebody has to look. */
const GROWTH = 0.05;

export interface Figures {
  /** The row of a figure that is the same in every run: it fails when the figure has grown. */
  held(name: string, value: number, unit: string): Row;
  /** What has been measured takes the place of what was recorded. */
  record(): void;
}

/** @param recording nothing is held against what was recorded */
export function readFigures(recording: boolean): Figures {
  const recorded = JSON.parse(readFileSync(FILE, "utf8")) as Record<string, number>;
  const measured: Record<string, number> = {};
  return {
    held(name, value, unit) {
      measured[name] = value;
      if (recording) return { name, result: "pass", value, unit };
      const before = recorded[name];
      if (before === undefined)
        return { name, result: "fail", value, unit, reason: "no recorded figure: run with --record" };
      const budget = Math.floor(before * (1 + GROWTH));
      return { name, result: value > budget ? "fail" : "pass", value, unit, budget };
    },
    record: () => writeFileSync(FILE, `${JSON.stringify({ ...recorded, ...measured }, null, 2)}\n`),
  };
}
