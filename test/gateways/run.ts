// Runs the cases against the real gateways: npm run test:gateways -- [--json] [words that a name must contain…]
// With --record transcripts or --record packets it makes these vectors anew instead.
// One row per case; exit code 1 when one failed or when none ran.

import { parseArgs } from "node:util";
import type { Case, Lab } from "./cases/case.ts";
import { casesOf } from "./cases/index.ts";
import { openDevices } from "./device.ts";
import { type Kind, rootfs, startGateway } from "./lab.ts";
import { recordPackets } from "./record-packets.ts";
import { recordTranscripts } from "./record-transcripts.ts";

interface Result {
  readonly name: string;
  readonly result: "pass" | "fail" | "skip";
  readonly reason?: string;
}

const kinds: readonly Kind[] = ["strongswan", "libreswan", "iked"];
const caseMilliseconds = 15_000;
const logTail = 6000;

const { values: options, positionals: words } = parseArgs({
  options: { json: { type: "boolean" }, record: { type: "string" } },
  allowPositionals: true,
});

function print(result: Result, milliseconds: number): void {
  if (options.json) console.log(JSON.stringify(result));
  else {
    const row = `${result.result}  ${milliseconds.toFixed(0).padStart(5)} ms  ${result.name}`;
    console.log(result.reason ? `${row}: ${result.reason.split("\n")[0]}` : row);
  }
}

async function bounded(run: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${caseMilliseconds} ms`)), caseMilliseconds);
  });
  await Promise.race([run, late]).finally(() => clearTimeout(timer));
}

async function runKind(kind: Kind, root: string): Promise<Result[]> {
  const chosen = casesOf(kind)
    .map((it) => ({ ...it, name: `${kind} ${it.name}` }))
    .filter(({ name }) => words.every((word) => name.includes(word)));
  const runnable = chosen.filter(({ skip }) => !skip);
  const results: Result[] = [];
  const note = (result: Result, milliseconds = 0) => {
    results.push(result);
    print(result, milliseconds);
  };
  for (const { name, skip } of chosen) if (skip) note({ name, result: "skip", reason: skip });
  if (runnable.length === 0) return results;

  const gateway = await startGateway(kind, runnable[0]!.config, root);
  const devices = await openDevices(gateway);
  let configured: Case["config"] | undefined = runnable[0]!.config;
  const tries = runnable.slice();
  const repeated = new Set<string>();
  for (const one of tries) {
    const { name, config, run } = one;
    const begin = performance.now();
    let logged = gateway.log().length;
    try {
      const lab: Lab = { kind, gateway, devices, config };
      await bounded(
        (async () => {
          if (config !== configured) await gateway.configure(config);
          logged = gateway.log().length;
          await run(lab);
        })(),
      );
      configured = config;
      const reason = repeated.has(name) ? { reason: "at the second try" } : {};
      note({ name, result: "pass", ...reason }, performance.now() - begin);
    } catch (error) {
      configured = undefined; // whatever it left behind ends with the daemon
      const reason = error instanceof Error ? error.message : String(error);
      // Three machines on two cores lose a datagram now and then: a failure that counts happens twice.
      if (repeated.has(name)) note({ name, result: "fail", reason }, performance.now() - begin);
      else tries.push(one);
      repeated.add(name);
      console.error(`${name}: ${(error as Error).stack}\n${gateway.log().slice(logged).slice(-logTail)}\n`);
    } finally {
      devices.reset();
    }
  }
  await gateway.stop();
  return results;
}

const begin = performance.now();
const root = await rootfs();
if (options.record === "transcripts") await recordTranscripts(root);
else if (options.record === "packets") await recordPackets(root);
else if (options.record) throw new Error(`--record ${options.record}: expected transcripts or packets`);
else {
  const perKind = await Promise.all(
    kinds.map((kind) =>
      runKind(kind, root).catch((error: Error): Result[] => {
        console.error(error);
        const result: Result = { name: kind, result: "fail", reason: error.message };
        print(result, 0);
        return [result];
      }),
    ),
  );
  const results = perKind.flat();
  const count = (wanted: Result["result"]) => results.filter(({ result }) => result === wanted).length;
  if (!options.json) {
    const seconds = ((performance.now() - begin) / 1000).toFixed(0);
    console.log(`${count("pass")} passed, ${count("fail")} failed, ${count("skip")} skipped, ${seconds} s`);
  }
  if (count("fail") > 0 || count("pass") === 0) process.exitCode = 1;
}
