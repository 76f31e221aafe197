/** How a table of figures is printed: for a person, or with --json one object a line. */

export interface Figure {
  readonly name: string;
  readonly result: "pass" | "fail";
  readonly value: number;
  readonly unit: string;
  readonly floor?: number;
  readonly budget?: number;
  /** What weighs most, minified. */
  readonly modules: readonly (readonly [name: string, octets: number])[];
}

const SHOWN_MODULES = 8;

export function report(figures: readonly Figure[]): void {
  if (process.argv.includes("--json")) {
    for (const { modules: _, ...figure } of figures) console.log(JSON.stringify(figure));
  } else {
    const column = (text: unknown, width: number): string => String(text ?? "").padStart(width);
    console.log(`${"minified and gzipped, octets".padEnd(60)}    size   floor  budget`);
    for (const { name, value, floor, budget, result } of figures)
      console.log(
        `${name.padEnd(60)} ${column(value, 7)} ${column(floor, 7)} ${column(budget, 7)} ${result === "fail" ? ` ${value - budget!} too many` : ""}`,
      );
    if (process.argv.includes("--modules"))
      for (const { name, modules } of figures) {
        console.log(`\n${name}: heaviest modules, minified`);
        for (const [module, octets] of modules.slice(0, SHOWN_MODULES))
          console.log(`${column(octets, 7)}  ${module}`);
      }
  }
  if (figures.some(({ result }) => result === "fail")) process.exitCode = 1;
}
