/**
 * XS, the engine of Moddable: the worker of `@agoric/xsnap`. It takes and gives netstrings; `e` evaluates a text, `?`
 * calls `handleCommand` with octets, `w` writes a snapshot. Each answer tells what was spent.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Engine } from "./engine.ts";
import { fileOf } from "./packages.ts";

export const WORKER: string = fileOf("@agoric/xsnap/xsnap-native/xsnap/build/bin/lin/release/xsnap-worker");
const ANSWER_MILLISECONDS = 30_000;
/** Octets of a slot, here and in the 32-bit machine of a device. */
const SLOT_LENGTH = 32;
const DEVICE_SLOT_LENGTH = 16;

/** What the engine has spent on the device. */
export interface Meter {
  /** XS's measure of work. */
  computrons: number;
  /** Allocated on the heap, one for every property and value that is no simple one. */
  slots: number;
}

/** What lives on the heap after a garbage collection. */
export interface Heap {
  readonly slots: number;
  /** Octets of strings, buffers and code. */
  readonly chunks: number;
}

export interface Xs extends Engine {
  readonly meter: Meter;
  heap(): Promise<Heap>;
}

interface Spent {
  readonly compute: number;
  readonly currentHeapCount: number;
}

/** What it is in the 32-bit machine of a device, at most: the heads of chunks are smaller there, too. */
export function octetsOf({ slots, chunks }: Heap): number {
  return slots * DEVICE_SLOT_LENGTH + chunks;
}

/** The content of the first netstring, and how long it is as a whole; `undefined` before all of it has come. */
function readNetstring(octets: Buffer): { content: Buffer; length: number } | undefined {
  const start = octets.indexOf(":") + 1;
  const end = start + Number(octets.subarray(0, start - 1));
  return start && octets.length > end ? { content: octets.subarray(start, end), length: end + 1 } : undefined;
}

/** What lives, from a snapshot: a row of atoms in a big one, each with its length and its name before it. */
function readHeap(snapshot: Buffer): Heap {
  const lengths: Record<string, number> = {};
  for (let at = 8; at < snapshot.length; at += snapshot.readUInt32BE(at))
    lengths[snapshot.toString("latin1", at + 4, at + 8)] = snapshot.readUInt32BE(at) - 8;
  return { slots: lengths.HEAP! / SLOT_LENGTH, chunks: lengths.BLOC! };
}

export async function startXs(program: string): Promise<Xs> {
  const worker: ChildProcess = spawn(WORKER, ["ikelet"], {
    stdio: ["ignore", "ignore", "inherit", "pipe", "pipe"],
  });
  const exited = once(worker, "exit");
  const input = worker.stdio[3] as Writable;
  const output = worker.stdio[4] as Readable;
  input.on("error", () => {}); // the worker is gone: the end of its output tells

  let settle: { resolve: (content: Buffer) => void; reject: (error: Error) => void } | undefined;
  let pending: Buffer = Buffer.alloc(0);
  output.on("data", (octets: Buffer) => {
    pending = Buffer.concat([pending, octets]);
    const found = readNetstring(pending);
    if (!found) return;
    pending = pending.subarray(found.length);
    settle?.resolve(found.content);
  });
  output.on("close", () => settle?.reject(new Error("the worker is gone")));

  /** One answer to each request; none may be sent before the one before it has been answered. */
  async function ask(kind: string, octets: Uint8Array): Promise<{ spent: Spent; content: Buffer }> {
    const answered = new Promise<Buffer>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const late = setTimeout(() => settle?.reject(new Error("no answer")), ANSWER_MILLISECONDS);
    input.write(Buffer.concat([Buffer.from(`${octets.length + 1}:${kind}`), octets, Buffer.from(",")]));
    const content = await answered.finally(() => clearTimeout(late));
    const text = content.toString("latin1");
    if (text[0] !== ".") throw new Error(`XS: ${text.slice(1)}`);
    const separator = content.indexOf(1);
    return { spent: JSON.parse(text.slice(1, separator)) as Spent, content: content.subarray(separator + 1) };
  }
  const meter: Meter = { computrons: 0, slots: 0 };
  let heapCount = 0;
  const xs: Xs = {
    meter,
    async command(octets) {
      const { spent, content } = await ask("?", octets);
      meter.computrons += spent.compute;
      meter.slots += spent.currentHeapCount - heapCount;
      heapCount = spent.currentHeapCount;
      return content;
    },
    async heap() {
      const folder = mkdtempSync(join(tmpdir(), "ikelet-"));
      try {
        const file = join(folder, "snapshot");
        const { spent } = await ask("w", Buffer.from(file));
        // The collection before a snapshot is none of the device's business.
        heapCount = spent.currentHeapCount;
        return readHeap(readFileSync(file));
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    async stop() {
      input.end();
      const late = setTimeout(() => worker.kill("SIGKILL"), 1000);
      await exited;
      clearTimeout(late);
    },
  };
  try {
    // The worker calls handleCommand. The buffer of a view may hold more than the view.
    const glue = "handleCommand = (buffer) => command(new Uint8Array(buffer)).slice().buffer;";
    for (const source of [program, glue]) await ask("e", Buffer.from(source));
  } catch (error) {
    await xs.stop();
    throw error;
  }
  return xs;
}
