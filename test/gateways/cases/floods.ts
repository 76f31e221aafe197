// A thousand packets each way over a bad line: whatever is lost, doubled or late, nothing is taken twice.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../device.ts";
import type { Kind } from "../lab.ts";
import { addressText, wordsFor } from "../profile.ts";
import { checkReply, openTraffic, type Way } from "../traffic.ts";
import { type Case, connect, gatewayConfig, type Lab } from "./case.ts";
import { checkKernel } from "./checks.ts";

const COUNT = 1000;
/** So many at a time, so that no queue on the way is ever full. */
const BATCH = 10;
const MOST_ON_THE_WAY = 40;
/** Packets by which one may be late: within every replay window. */
const LATEST = 8;

/** Numbers from 0 to 1, always the same ones (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

interface BadLine {
  readonly way: Way;
  /** Lets everything through from now on; what is held back comes with the next packet. */
  end(): void;
  readonly lost: number;
  readonly doubled: number;
  readonly late: number;
}

/** Of a hundred packets five are lost, five doubled, five late. */
function badLine(seed: number): BadLine {
  const random = seeded(seed);
  const count = { lost: 0, doubled: 0, late: 0 };
  let held: { packet: Uint8Array; wait: number }[] = [];
  let isBad = true;
  const way: Way = (packet) => {
    const now: Uint8Array[] = [];
    const chance = random();
    if (!isBad || chance >= 0.15) now.push(packet);
    else if (chance < 0.05) count.lost++;
    else if (chance < 0.1) {
      count.doubled++;
      // The second one at once, or some time later.
      now.push(packet);
      if (random() < 0.5) now.push(packet);
      else held.push({ packet, wait: LATEST });
    } else {
      count.late++;
      held.push({ packet, wait: 1 + Math.floor(random() * LATEST) });
    }
    for (const it of held) it.wait--;
    now.push(...held.filter(({ wait }) => !isBad || wait <= 0).map((it) => it.packet));
    held = held.filter(({ wait }) => isBad && wait > 0);
    return now;
  };
  return {
    way,
    end: () => {
      isBad = false;
    },
    get lost() {
      return count.lost;
    },
    get doubled() {
      return count.doubled;
    },
    get late() {
      return count.late;
    },
  };
}

/** Requests of the device, replies of the kernel. */
async function fromDevice(lab: Lab): Promise<void> {
  const [there, back] = [badLine(1), badLine(2)];
  const { device, child } = await connect(lab);
  const traffic = openTraffic({ device, child }, { out: there.way, in: back.way });
  const { arrived, refused } = traffic;
  for (let sequence = 1; sequence <= COUNT; sequence++) {
    traffic.request(sequence);
    if (sequence % BATCH) continue;
    const enough = 0.8 * sequence - MOST_ON_THE_WAY;
    await eventually("replies", () => arrived.length >= enough);
    await sleep(1);
  }
  there.end();
  back.end();
  for (let sequence = COUNT + 1; sequence <= COUNT + 2; sequence++) {
    traffic.request(sequence);
    await eventually("the last replies", () => arrived.some((echo) => echo.sequence === sequence));
  }
  // What has been doubled on the way there is answered once, so what is left of it is what was doubled on the way back.
  assert.equal(arrived.length, COUNT + 2 - there.lost - back.lost, "replies");
  assert.equal(new Set(arrived.map(({ sequence }) => sequence)).size, arrived.length, "each of them once");
  for (const reply of arrived) checkReply(reply, child.local[0]!.start, child.remote[0]!.start);
  assert.deepEqual(new Set(refused), new Set(["replayed"]), "why packets were refused");
  assert.equal(refused.length, back.doubled, "those that came twice");
  await checkKernel(lab, wordsFor(lab.config), child);
  const replays = Number(
    /stats:\s*\n\s*replay-window \d+ replay (\d+)/.exec(await statistics(lab, child.outbound.spi))?.[1],
  );
  assert.equal(replays, there.doubled, "what the kernel refused");
  assert.ok(Math.min(there.lost, there.doubled, there.late, back.lost, back.doubled, back.late) > COUNT / 50);
}

const statistics = ({ gateway }: Lab, spi: number): Promise<string> =>
  gateway.exec(`ip -s xfrm state get dst ${gateway.gatewayAddress} proto esp spi 0x${spi.toString(16)}`);

/** Requests of the gateway, replies of the device; `ping` counts what came, and what came twice. */
async function fromGateway(lab: Lab): Promise<void> {
  const [there, back] = [badLine(3), badLine(4)];
  const { device, child } = await connect(lab);
  const { arrived, refused } = openTraffic({ device, child }, { out: back.way, in: there.way });
  const [source, destination] = [child.remote, child.local].map(([only]) => addressText(only!.start));
  const { stdout } = await lab.gateway.tryExec(
    `ping -q -c ${COUNT} -i 0.002 -W 1 -I ${source} ${destination}`,
    12_000,
  );
  const sent = new Set(arrived.map(({ sequence }) => sequence));
  assert.equal(sent.size, arrived.length, "each request once");
  assert.deepEqual(new Set(refused), new Set(["replayed"]), "why packets were refused");
  const [, transmitted, received] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? [];
  assert.equal(Number(transmitted), COUNT, stdout);
  assert.doesNotMatch(stdout, /duplicates/);
  // At the end some are held back for ever.
  assert.ok(
    arrived.length <= COUNT - there.lost && arrived.length >= COUNT - there.lost - LATEST,
    "requests",
  );
  assert.ok(refused.length <= there.doubled && refused.length >= there.doubled - LATEST, "doubled requests");
  const most = arrived.length - back.lost;
  assert.ok(Number(received) <= most && Number(received) >= most - LATEST, `replies: ${received} of ${most}`);
}

export function floods(kind: Kind): Case[] {
  const skip = kind === "iked" ? "the kernel is the same, and one suite has been enough" : undefined;
  const config = gatewayConfig({ esp: [{ cipher: "aes128gcm16" }] });
  return [
    { name: "1000 packets each way, bad line, requests of the device", config, skip, run: fromDevice },
    { name: "1000 packets each way, bad line, requests of the gateway", config, skip, run: fromGateway },
  ];
}
