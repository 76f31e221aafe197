/**
 * A fleet that comes back after its gateway has crashed, in virtual time: without extensions, with crash detection,
 * with resumption, with both; then after a power cut that takes the devices down as well. The same seed gives the same
 * figures. Fails if a device does not come back.
 *
 *     npm run simulate [-- --devices 10000] [-- --seed 7] [-- --json]
 *
 * Writes fleet.svg beside this file, unless --devices or --seed is given.
 */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { makeProgress } from "../progress.ts";
import { connectFleet, type Fleet, type Outcome, simulate, VARIANTS, type Variant, WORLD } from "./fleet.ts";
import { type Curve, plot } from "./plot.ts";

const SVG = new URL("fleet.svg", import.meta.url);
const DEVICES = 10_000;
const MOST_DEVICES = 1_000_000;
const SEED = 7;
const SMALLER = [100, 1000];
const COLOURS = ["#8c8c8c", "#d55e00", "#0072b2", "#009e73"];

const { values } = parseArgs({
  options: {
    devices: { type: "string" },
    seed: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const devices = Number(values.devices ?? DEVICES);
const seed = Number(values.seed ?? SEED);
if (!(devices >= 1 && devices <= MOST_DEVICES) || !Number.isInteger(seed)) {
  console.error(`--devices: 1 to ${MOST_DEVICES}; --seed: a whole number`);
  process.exit(2);
}

const progress = makeProgress();
const show = (text: string): void => progress.show(text);

interface Row {
  readonly name: string;
  readonly size: number;
  readonly outcome: Outcome;
}

const after = ({ recovered }: Outcome, share: number): number =>
  (recovered[Math.max(0, Math.ceil(recovered.length * share) - 1)] ?? Number.NaN) / 1000;

function print(title: string, rows: readonly Row[]): void {
  progress.clear();
  if (!values.json) {
    console.log(`\n${title}`);
    console.log(
      `${"".padEnd(56)} devices   median      99 %      last   DH ops  messages  dropped  octets/device`,
    );
  }
  for (const { name, size, outcome } of rows) {
    const { recovered, operations, messages, dropped, octets } = outcome;
    const result = recovered.length === size ? "pass" : "fail";
    if (result === "fail") process.exitCode = 1;
    const figures = [
      ["median time to recovery", after(outcome, 0.5), "s"],
      ["time to recovery of 99 %", after(outcome, 0.99), "s"],
      ["time to recovery of the last device", after(outcome, 1), "s"],
      ["Diffie-Hellman operations of the gateway", operations, "operations"],
      ["messages to the gateway", messages, "messages"],
      ["messages dropped by the gateway", dropped, "messages"],
      ["octets for each device", Math.round(octets / size), "octets"],
    ] as const;
    if (values.json)
      for (const [what, value, unit] of figures)
        console.log(
          JSON.stringify({ name: `${title}, ${name}, ${size} devices: ${what}`, result, value, unit }),
        );
    else {
      const [median, most, last, ...counts] = figures.map(([, value]) => value);
      const times = [median!, most!, last!].map((value) => `${value.toFixed(1)} s`.padStart(10)).join("");
      const widths = [9, 10, 9, 15];
      const rest = counts.map((value, i) => String(value).padStart(widths[i]!)).join("");
      const missing = size - recovered.length;
      console.log(
        `${name.padEnd(56)} ${String(size).padStart(7)}${times.slice(1)}${rest}${missing ? `  ${missing} are not back` : ""}`,
      );
    }
  }
}

function crash(fleet: Fleet): Row[] {
  return VARIANTS.map((variant) => ({
    name: variant.name,
    size: fleet.members.length,
    outcome: simulate(fleet, variant, WORLD, show),
  }));
}

/** The power of a district comes back: nobody has a session, those with resumption have their tickets. */
function powerCut(fleet: Fleet): Row[] {
  const [none, , resumption] = VARIANTS as [Variant, Variant, Variant];
  const together = { ...WORLD, checkEvery: 0, outage: 0 };
  const worlds = [
    ["in step, if nothing stretched the waits", { ...together, jitter: false }],
    ["as the library does", together],
    ["begun within 30 s", { ...together, spread: 30_000 }],
  ] as const;
  return [none, resumption].flatMap((variant) =>
    worlds.map(([name, world]) => ({
      name: `${variant === none ? "full handshake" : "resumption"}, ${name}`,
      size: fleet.members.length,
      outcome: simulate(fleet, variant, world, show),
    })),
  );
}

/** Dashed where another curve lies below. */
function curves(rows: readonly Row[], dashed: readonly Row[]): Curve[] {
  return rows.map((row, i) => ({
    name: row.name,
    times: row.outcome.recovered,
    colour: COLOURS[i]!,
    dashed: dashed.includes(row),
  }));
}

if (!values.json) {
  console.log(`Devices: the library, with algorithms that compute nothing and are as long as ChaCha20-Poly1305,
HMAC-SHA2-256 and X25519. Gateway: ${WORLD.operationsPerSecond} Diffie-Hellman operations and ${WORLD.messagesPerSecond} messages a second, ${WORLD.backlog}
datagrams in its queue; back ${WORLD.outage / 1000} s after the crash, with the keys of its tickets and tokens. Network: 10 to
60 ms one way, ${100 * WORLD.loss} % lost. Each device asks for liveness every ${WORLD.checkEvery / 1000} s. Times count from the gateway's return.`);
}
const sizes = values.devices ? [devices] : [...SMALLER, devices];
const fleets = sizes.map((size) => connectFleet(size, seed, show));
const fleet = fleets[fleets.length - 1]!;
const crashes = fleets.map(crash);
print(
  "the gateway crashes",
  VARIANTS.flatMap((_, i) => crashes.map((rows) => rows[i]!)),
);
const cuts = powerCut(fleet);
print("power cut, all devices begin anew", cuts);
if (!values.devices && !values.seed) {
  const largest = crashes[crashes.length - 1]!;
  const [, full, fullSpread, , resumed, resumedSpread] = cuts as [Row, Row, Row, Row, Row, Row];
  const title = `${devices} devices`;
  writeFileSync(
    SVG,
    plot(`How ${title} come back`, [
      { title: `The gateway crashes: ${title}, back after`, curves: curves(largest, largest.slice(2)) },
      {
        title: `A power cut ends: ${title}, back after`,
        curves: curves([fullSpread, full, resumed, resumedSpread], [resumedSpread]),
      },
    ]),
  );
}
