/** Figures for people, or with --json one object a line. */

import type { Quartiles } from "./measure.ts";

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The design's goal; a figure without one is only shown. */
  readonly budget?: number;
  /** What it may not go beyond with --held, where the goal is not reached. */
  readonly ceiling?: number;
  /** Half the distance of the quartiles, as a part of the value. */
  readonly spread?: number;
  /** The budget is the least that is wanted, not the most. */
  readonly atLeast?: boolean;
  /** What else there is to say. */
  readonly note?: string;
}

export function spread({ lower, median, upper }: Quartiles): number {
  return (upper - lower) / 2 / median;
}

const HELD: boolean = process.argv.includes("--held");

export function holds({ value, budget, ceiling = budget, atLeast }: Figure, held: boolean = HELD): boolean {
  const limit = held ? ceiling : budget;
  return limit === undefined || (atLeast ? value >= limit : value <= limit);
}

const digits = (value: number): string =>
  value >= 1000 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3);

/**
 * Prints a table; the exit code tells whether all budgets hold.
 *
 * @param what stands behind the names with --json, where one work has more figures than one
 */
export function report(title: string, figures: readonly Figure[], json: boolean, what = ""): void {
  const width = Math.max(title.length, ...figures.map(({ name }) => name.length)) + 2;
  if (!json) {
    const spreads = figures.some((figure) => figure.spread !== undefined) ? "  spread" : "";
    const budgets = figures.some((figure) => figure.budget !== undefined) ? "   budget" : "";
    console.log(`\n${title.padEnd(width)}${"".padStart(8)}${spreads}${budgets}`.trimEnd());
  }
  for (const figure of figures) {
    const { name, value, unit, budget, atLeast, note = "" } = figure;
    const result = holds(figure) ? "pass" : "fail";
    if (result === "fail") process.exitCode = 1;
    if (json) {
      const { budget, ceiling } = figure;
      const shown = Number(value.toPrecision(4));
      console.log(JSON.stringify({ name: name + what, result, value: shown, unit, budget, ceiling }));
      continue;
    }
    const cells = [name.padEnd(width), digits(value).padStart(8)];
    if (figure.spread !== undefined)
      cells.push(`±${(100 * figure.spread).toFixed(0).padStart(3)} %`.padStart(8));
    if (budget !== undefined) cells.push(`${atLeast ? "≥" : "≤"} ${digits(budget)}`.padStart(9));
    if (!holds(figure, false)) cells.push("  missed");
    console.log(cells.join("") + (note && `  ${note}`));
  }
}
