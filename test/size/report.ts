/** How tables of figures are printed: for a person, or with --json one object a line. */

/** ID type of the smallest identity (RFC 7296 section 3.5). */
export const KEY_ID = 11;

export interface OctetsOnTheWire {
  readonly name: string;
  readonly value: number;
  readonly budget: number;
}

export interface Size extends Omit<OctetsOnTheWire, "budget"> {
  /** The design's goal. */
  readonly budget?: number;
  /** What it may not grow beyond: where it stands, where the goal is not reached. */
  readonly ceiling?: number;
  /** The same cryptography by noble alone. */
  readonly floor?: number;
  /** The same, compressed by Brotli at its best; all else speaks of gzip. */
  readonly brotli: number;
  /** What weighs most, minified. */
  readonly modules: readonly (readonly [name: string, octets: number])[];
}

const SHOWN_MODULES = 8;
const JSON_LINES: boolean = process.argv.includes("--json");

/** Of the core and the first complete device; of all with --modules. */
const ALWAYS_BY_MODULE = 2;

function shortName(module: string): string {
  return module.replace(/^dist\//, "").replace(/^node_modules\//, "");
}

function column(text: unknown, width = 7): string {
  return String(text ?? "").padStart(width);
}

function over(value: number, budget: number | undefined): string {
  return budget && value > budget ? `  ${value - budget} above the budget` : "";
}

function line(row: object): void {
  console.log(JSON.stringify(row));
}

/**
 * Prints the sizes.
 *
 * @param held judge by the ceilings in place of the budgets
 */
export function reportSizes(sizes: readonly Size[], held: boolean): void {
  const limit = ({ budget, ceiling }: Size): number => (held ? (ceiling ?? budget) : budget) ?? Infinity;
  const fails = sizes.filter((size) => size.value > limit(size));
  if (JSON_LINES)
    for (const { modules: _, ...size } of sizes)
      line({ ...size, unit: "octets", result: size.value > limit(size as Size) ? "fail" : "pass" });
  else {
    console.log(`${"minified, octets".padEnd(60)}    gzip  brotli   floor  budget  (floor, budget: gzip)`);
    for (const { name, value, brotli, floor, budget } of sizes)
      console.log(
        `${name.padEnd(60)} ${column(value)} ${column(brotli)} ${column(floor)} ${column(budget)}${over(value, budget)}`.trimEnd(),
      );
    for (const { name, modules } of sizes.slice(0, ALWAYS_BY_MODULE)) {
      const weights = modules.slice(0, SHOWN_MODULES).map(([file, octets]) => `${shortName(file)} ${octets}`);
      console.log(`\nheaviest modules of ${name}, minified:\n  ${weights.join(", ")}`);
    }
    if (process.argv.includes("--modules"))
      for (const { name, modules } of sizes) {
        console.log(`\n${name}: heaviest modules, minified`);
        for (const [module, octets] of modules.slice(0, SHOWN_MODULES))
          console.log(`${column(octets)}  ${module}`);
      }
  }
  if (fails.length) {
    process.exitCode = 1;
    for (const size of fails) console.error(`too big: ${size.name}, ${size.value} of ${limit(size)} octets`);
  }
}

export function reportOctets(rows: readonly OctetsOnTheWire[]): void {
  if (!JSON_LINES) console.log(`\n${"on the wire, octets".padEnd(60)}    size                  budget`);
  for (const { name, value, budget } of rows) {
    if (JSON_LINES) line({ name, value, unit: "octets", budget, result: value > budget ? "fail" : "pass" });
    else
      console.log(
        `${name.padEnd(60)} ${column(value)} ${column("")} ${column("")} ${column(budget)}${over(value, budget)}`,
      );
    if (value > budget) process.exitCode = 1;
  }
}
