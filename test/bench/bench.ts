/**
 * What the library costs beside its cryptography: handshakes, ESP, storage, parsing, against noble alone doing the
 * same. All by turns in one process; shown are medians, and how far the middle half of the runs lies apart. Fails where
 * a budget is missed; with --held where a figure is above its ceiling, which holds what has not reached its budget.
 *
 *     npm run bench [-- --quick] [-- --held] [-- --json]
 *     npm run bench -- --wire [--json]      octets of each message, in place of times
 */

import { makeProgress } from "../progress.ts";
import { chores } from "./chores.ts";
import { countCompressions } from "./compressions.ts";
import { espWorks } from "./esp.ts";
import { fullHandshakes, resumptions } from "./handshake.ts";
import { type Comparison, compare, measure, type Quartiles } from "./measure.ts";
import { type Figure, report, spread } from "./report.ts";
import { reportWire } from "./wire.ts";

const has = (option: string): boolean => process.argv.includes(option);
const json = has("--json");

/** Milliseconds for each comparison. */
const PATIENCE = has("--quick") ? 300 : 1100;
const HANDSHAKE_BUDGET = 1.1;
const RESUMPTION_BUDGET = has("--held") ? 1.6 : 1.15;
const RESUMPTION_TO_HANDSHAKE_BUDGET = 1 / 6;
const ESP_BUDGET = has("--held") ? 0.8 : 0.9;

function benchmark(): void {
  const progress = makeProgress();
  const ratios: Figure[] = [];
  const times: Figure[] = [];
  const compressions: Figure[] = [];
  const contest = (name: string, first: () => void, second: () => void, share = 1): Comparison => {
    progress.show(`measuring ${name}`);
    return compare(first, second, PATIENCE * share);
  };
  const ratio = (name: string, quartiles: Quartiles, unit: string, more: Partial<Figure>): void => {
    ratios.push({ name, value: quartiles.median, spread: spread(quartiles), unit, ...more });
  };
  const time = (name: string, quartiles: Quartiles, note = ""): void => {
    times.push({ name, value: quartiles.median, spread: spread(quartiles), unit: "µs", note });
  };
  const short = ({ median }: Quartiles): string => median.toFixed(median < 100 ? 1 : 0);

  const full = fullHandshakes();
  const resumed = resumptions();
  for (const { name, ours, floor } of full) {
    const title = `full handshake, ${name}`;
    const { ratio: quartiles, first, second } = contest(title, ours, floor);
    ratio(title, quartiles, "× the time of noble alone", { budget: HANDSHAKE_BUDGET });
    time(title, first, `noble ${short(second)}`);
  }
  resumed.forEach(({ name, ours, floor }, i) => {
    const title = `resumption, ${name}`;
    const { ratio: quartiles, first, second } = contest(title, ours, floor);
    // noble has no CCM: CTR and CBC over whole messages are another kind of floor.
    ratio(
      title,
      quartiles,
      "× the time of noble alone",
      name.includes("CCM") ? {} : { budget: RESUMPTION_BUDGET },
    );
    time(title, first, `noble ${short(second)}`);
    const toFull = contest(title, ours, full[i]!.ours, 0.5).ratio;
    ratio(`resumption to full handshake, ${full[i]!.name}`, toFull, "× the time of the full handshake", {
      budget: RESUMPTION_TO_HANDSHAKE_BUDGET,
    });
  });
  for (const { name, ours, noble, node, approximate } of espWorks()) {
    const title = `ESP seal and open, ${name}`;
    const { ratio: quartiles, first, second } = contest(title, noble, ours);
    ratio(title, quartiles, "× the speed of noble alone", {
      atLeast: true,
      ...(!approximate && { budget: ESP_BUDGET }),
    });
    const native = measure(node, PATIENCE / 4);
    time(title, second, `noble ${short(first)}, node:crypto ${short(native)}`);
  }
  for (const { name, work } of chores()) {
    progress.show(`measuring ${name}`);
    time(name, measure(work, PATIENCE / 2));
  }
  // Last: a function that is exchanged to count calls is slower ever after.
  for (const [kind, works] of [
    ["full handshake", full],
    ["resumption", resumed],
  ] as const)
    for (const { name, ours, floor } of works) {
      const value = countCompressions(ours);
      const note = `noble alone, each key keyed once, ${countCompressions(floor)}`;
      if (value) compressions.push({ name: `${kind}, ${name}`, value, unit: "compressions", note });
    }
  progress.clear();
  report("of the time of noble alone; of ESP, of its speed", ratios, json);
  report("microseconds", times, json);
  report("compressions of SHA-2", compressions, json);
}

if (has("--wire")) reportWire(json);
else benchmark();
