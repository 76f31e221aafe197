/** What is run on each engine, and the rows that come of it. */

import { existsSync } from "node:fs";
import { bundle } from "./bundle.ts";
import { FORGET } from "./commands.ts";
import { startDuktape } from "./duktape.ts";
import { startHere, tell } from "./engine.ts";
import { installDuktape } from "./install.ts";
import { lower } from "./lower.ts";
import { startQuickjs } from "./quickjs.ts";
import { meetGateway, whyNoGateway } from "./real-gateway.ts";
import type { Figures, Note, Row } from "./report.ts";
import { commission, makeScene, RESUMING, SCENARIOS, type Scenario, type Scene, sleep } from "./scenarios.ts";
import { octetsOf, startXs, WORKER } from "./xs.ts";

/** Whether there is a reason not to try. */
function skip(note: Note, name: string, reason: string | undefined): boolean {
  if (reason) note({ name, result: "skip", reason });
  return reason !== undefined;
}

/** What stands behind a row: an error makes it a failure. */
async function attempt(note: Note, name: string, run: () => Promise<readonly Row[]>): Promise<boolean> {
  try {
    (await run()).forEach(note);
    return true;
  } catch (error) {
    console.error(error);
    note({ name, result: "fail", reason: (error as Error).message });
    return false;
  }
}

/** The scenarios follow one another: none is tried behind one that has failed. */
async function runScenarios(
  note: Note,
  engine: string,
  scene: Scene,
  scenarios: readonly Scenario[],
  measured: (name: string, run: () => Promise<void>) => Promise<readonly Row[]>,
): Promise<boolean> {
  for (const { name, run } of scenarios)
    if (!(await attempt(note, `${engine} ${name}`, () => measured(`${engine} ${name}`, () => run(scene)))))
      return false;
  return true;
}

async function timed(name: string, run: () => Promise<void>): Promise<Row[]> {
  const begin = performance.now();
  await run();
  return [{ name, result: "pass", value: Math.round(performance.now() - begin), unit: "ms" }];
}

const whyNoXs = (): string | undefined => (existsSync(WORKER) ? undefined : "needs a C compiler and make");

export async function runXs(note: Note, figures: Figures): Promise<void> {
  if (skip(note, "xs", whyNoXs())) return;
  const empty = await startXs("");
  const bare = octetsOf(await empty.heap().finally(empty.stop));
  const xs = await startXs(await bundle("full.ts"));
  try {
    const loaded = octetsOf(await xs.heap());
    const scene = makeScene(xs);
    const metered = async (name: string, run: () => Promise<void>): Promise<Row[]> => {
      await xs.heap();
      const { computrons, slots } = xs.meter;
      await run();
      return [
        figures.held(name, xs.meter.computrons - computrons, "computrons"),
        figures.held(`${name}, allocated`, xs.meter.slots - slots, "slots"),
      ];
    };
    if (!(await runScenarios(note, "xs", scene, SCENARIOS, metered))) return;
    await attempt(note, "xs memory", async () => {
      const connected = octetsOf(await xs.heap());
      const stored = await sleep(scene);
      const established = octetsOf(await xs.heap());
      await tell(xs, FORGET);
      const resting = octetsOf(await xs.heap());
      return [
        figures.held("xs program in memory", loaded - bare, "octets"),
        figures.held("xs established session", established - resting, "octets"),
        figures.held("xs established session with ESP", connected - resting, "octets"),
        figures.held("xs stored session", stored.length, "octets"),
        figures.held("xs stored ticket", scene.ticket.length, "octets"),
      ];
    });
  } finally {
    await xs.stop();
  }
}

export async function runQuickjs(note: Note): Promise<void> {
  const engine = await startQuickjs(await bundle("full.ts"));
  await runScenarios(note, "quickjs", makeScene(engine), SCENARIOS, timed).finally(engine.stop);
}

/** A device without BigInt: a host has made the handshake for it. */
export async function runDuktape(note: Note): Promise<void> {
  if (skip(note, "duktape", installDuktape())) return;
  const host = startHere(await bundle("host.ts"));
  const engine = await startDuktape(await lower(await bundle("bare.ts")));
  const resuming = async (): Promise<void> => {
    await runScenarios(note, "duktape", await commission(host, engine), RESUMING, timed);
  };
  await resuming().finally(engine.stop);
}

export async function runGateway(note: Note): Promise<void> {
  const name = "xs real gateway";
  if (skip(note, name, whyNoXs() ?? whyNoGateway())) return;
  const xs = await startXs(await bundle("full.ts"));
  await attempt(note, name, () => timed(name, () => meetGateway(xs))).finally(xs.stop);
}
