/**
 * npm run networks -- [--seeds N] [--first N] [--json]
 *
 * Lives of devices over bad links, N of each weather. A life that breaks a rule is printed with its seed: `--seeds 1
 * --first SEED` lives it once more.
 */

import { parseArgs } from "node:util";
import { live } from "./life.ts";
import { WEATHERS } from "./link.ts";

const { values: options } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    first: { type: "string", default: "0" },
    json: { type: "boolean" },
  },
});
const first = Number(options.first);
const end = first + Number(options.seeds);
if (!(end > first)) throw new Error("--seeds and --first are numbers");

for (const weather of WEATHERS) {
  const ends: Record<string, number> = {};
  let hours = 0;
  let failures = 0;
  for (let seed = first; seed < end; seed++)
    try {
      const life = live(seed, weather);
      hours += life.time / 3_600_000;
      for (const reason of life.ends) ends[reason] = (ends[reason] ?? 0) + 1;
    } catch (error) {
      failures++;
      console.error(`${weather.name}, seed ${seed}: ${(error as Error).stack}`);
    }
  if (failures) process.exitCode = 1;
  const result = failures ? "fail" : "pass";
  if (options.json)
    console.log(JSON.stringify({ name: weather.name, result, value: end - first, unit: "lives", ends }));
  else {
    const parts = Object.entries(ends).map(([reason, count]) => `${count} ${reason}`);
    console.log(
      `${result}  ${weather.name.padEnd(29)} ${hours.toFixed(0).padStart(6)} h  ${parts.join("; ")}`,
    );
  }
}
