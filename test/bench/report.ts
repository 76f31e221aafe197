/** Figures for people, or with --json one object a line. */

import type { Quartiles } from "./measure.ts";

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What is allowed; a figure without one is only shown. */
  readonly budget?: number;
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

export function holds({ value, budget, atLeast }: Figure): boolean {
  return budget === undefined || (atLeast ? value >= budget : value <= budget);
}

const digits = (value: number): string =>
  value >= 1000 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3);

/** Prints a table; the exit code tells whether all budgets hold. */
export function report(title: string, figures: readonly Figure[], json: boolean): void {
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
      const limit = budget === undefined ? {} : { budget };
      console.log(JSON.stringify({ name, result, value: Number(value.toPrecision(4)), unit, ...limit }));
      continue;
    }
    const cells = [name.padEnd(width), digits(value).padStart(8)];
    if (figure.spread !== undefined)
      cells.push(`±${(100 * figure.spread).toFixed(0).padStart(3)} %`.padStart(8));
    if (budget !== undefined) cells.push(`${atLeast ? "≥" : "≤"} ${digits(budget)}`.padStart(9));
    if (result === "fail") cells.push("  missed");
    console.log(cells.join("") + (note && `  ${note}`));
  }
}
