// Real IKEv2 gateways for the tests: boots a daemon in a user-mode Linux and talks to it.
// boot.sh, init.sh and control.py are the other sides of this file.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Duplex, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { GatewayConfig } from "./config.ts";
import { startIked } from "./iked.ts";
import { startLibreswan } from "./libreswan.ts";
import { startStrongswan } from "./strongswan.ts";
import { parseXfrmPolicy, parseXfrmState, type XfrmPolicy, type XfrmState } from "./xfrm.ts";

export type Kind = "strongswan" | "libreswan" | "iked";

export interface Gateway {
  readonly kind: Kind;
  readonly deviceAddress: "10.9.0.1";
  readonly gatewayAddress: "10.9.0.2";
  readonly deviceAddress6: "fd09::1";
  readonly gatewayAddress6: "fd09::2";
  /** The root file system, for tools that run on the device's side. */
  readonly rootfs: string;
  /** The device's network namespace, for `nsenter --net=…`. */
  readonly namespace: string;
  /** Starts the daemon anew with another configuration; no SA survives. */
  configure(config: GatewayConfig): Promise<void>;
  /** Runs a shell command inside the gateway; rejects when it fails. Calls may overlap. */
  exec(command: string, milliseconds?: number): Promise<string>;
  /** The same, for commands that may fail. */
  tryExec(command: string, milliseconds?: number): Promise<Output>;
  /** Starts a program of the root file system on the device's side of the link. Ends with the gateway at the latest. */
  spawnOnDevice(command: string, ...args: string[]): ChildProcess;
  /** What the gateway's console has said so far: the daemon's log. */
  log(): string;
  /** Waits until the log, from `offset` on, matches. */
  logged(pattern: RegExp, offset?: number, milliseconds?: number): Promise<RegExpMatchArray>;
  xfrmState(): Promise<XfrmState[]>;
  xfrmPolicy(): Promise<XfrmPolicy[]>;
  stop(): Promise<void>;
}

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Finds the root file system, or builds it (about a minute, once). */
export async function rootfs(): Promise<string> {
  const script = fileURLToPath(new URL("build-rootfs.sh", import.meta.url));
  const { stdout } = await promisify(execFile)(script, { timeout: 15 * 60_000, maxBuffer: 1 << 26 });
  return stdout.trim();
}

const starters = { strongswan: startStrongswan, libreswan: startLibreswan, iked: startIked };

const bootMilliseconds = 30_000;
const commandMilliseconds = 10_000;

export async function startGateway(kind: Kind, config: GatewayConfig, root?: string): Promise<Gateway> {
  const machine = await bootMachine(root ?? (await rootfs()));

  async function exec(command: string, milliseconds?: number): Promise<string> {
    const { code, stdout, stderr } = await machine.run(command, milliseconds);
    if (code !== 0) throw new Error(`exit code ${code} in the gateway: ${command}\n${stdout}${stderr}`);
    return stdout;
  }

  const gateway: Gateway = {
    kind,
    deviceAddress: "10.9.0.1",
    gatewayAddress: "10.9.0.2",
    deviceAddress6: "fd09::1",
    gatewayAddress6: "fd09::2",
    rootfs: machine.root,
    namespace: `/proc/${machine.pid}/ns/net`,
    configure: (next) => starters[kind](gateway, next),
    exec,
    tryExec: machine.run,
    spawnOnDevice: machine.spawnBeside,
    log: machine.log,
    async logged(pattern, offset = 0, milliseconds = 5000) {
      for (const end = Date.now() + milliseconds; ; await sleep(5)) {
        const match = machine.log().slice(offset).match(pattern);
        if (match) return match;
        if (Date.now() > end)
          throw new Error(`the gateway's log never matched ${pattern}:\n${machine.log().slice(offset)}`);
      }
    },
    xfrmState: async () => parseXfrmState(await exec("ip -d xfrm state")),
    xfrmPolicy: async () => parseXfrmPolicy(await exec("ip xfrm policy")),
    stop: machine.stop,
  };

  try {
    await gateway.configure(config);
  } catch (error) {
    await machine.stop();
    throw new Error(`${kind} did not start; its log:\n${machine.log()}`, { cause: error });
  }
  return gateway;
}

interface Machine {
  readonly root: string;
  readonly pid: number;
  run(command: string, milliseconds?: number): Promise<Output>;
  spawnBeside(command: string, ...args: string[]): ChildProcess;
  log(): string;
  stop(): Promise<void>;
}

async function bootMachine(root: string): Promise<Machine> {
  const script = fileURLToPath(new URL("boot.sh", import.meta.url));
  // Detached, so that a Ctrl-C at the terminal reaches only the test program; the lifeline does the rest.
  const child = spawn("unshare", ["--net", "--mount", "--pid", "--fork", "--kill-child", script, root], {
    detached: true,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const serial = child.stdio[3] as Duplex;

  let log = "";
  for (const stream of [child.stdout, child.stderr] as Readable[]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      log += text.replaceAll("\r", "");
    });
  }

  interface Waiting {
    resolve(output: Output): void;
    reject(why: string): void;
  }
  const waiting = new Map<number, Waiting>();
  const lines = createInterface({ input: serial }).on("line", (line) => {
    const { id, ...output } = JSON.parse(line) as Output & { id: number };
    waiting.get(id)?.resolve(output);
  });
  lines.on("error", () => {}); // it is gone: "exit" tells
  for (const stream of [serial, child.stdin!]) stream.on("error", () => {});
  child.on("exit", () => {
    for (const { reject } of waiting.values()) reject("the gateway is gone");
  });

  function reply(id: number, milliseconds: number, what: string): Promise<Output> {
    const answered = new Promise<Output>((resolve, reject) => {
      waiting.set(id, {
        resolve,
        reject: (why) => reject(new Error(`${what.slice(0, 200)}: ${why}; log:\n${log.slice(-4000)}`)),
      });
    });
    const timer = setTimeout(() => waiting.get(id)?.reject(`nothing for ${milliseconds} ms`), milliseconds);
    return answered.finally(() => {
      clearTimeout(timer);
      waiting.delete(id);
    });
  }

  let pid = 0;
  let lastId = 0;
  async function run(command: string, milliseconds = commandMilliseconds): Promise<Output> {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error("the gateway is stopped");
    const id = ++lastId;
    const file = `/proc/${pid}/root${root}/lab/${id}`; // as process 1 of the gateway sees its root
    await writeFile(file, command);
    serial.write(`${id} ${milliseconds / 1000}\n`);
    const output = await reply(id, milliseconds + 2000, command); // the gateway's own limit comes first
    await rm(file, { force: true });
    return output;
  }

  async function stop(): Promise<void> {
    child.stdin!.end();
    // Nothing in there is worth an orderly shutdown: all that it wrote is in memory.
    const timer = setTimeout(() => child.kill("SIGKILL"), 2000);
    if (child.exitCode === null && child.signalCode === null) await exited;
    clearTimeout(timer);
  }

  try {
    await reply(0, bootMilliseconds, "boot");
  } catch (error) {
    await stop();
    throw error;
  }
  pid = Number(/^boot: process (\d+)/m.exec(log)![1]);

  function spawnBeside(command: string, ...args: string[]): ChildProcess {
    const enter = ["--target", String(pid), "--net", "--mount", "--pid", "chroot", root, command, ...args];
    return spawn("nsenter", enter, { detached: true, stdio: ["pipe", "pipe", "pipe"] });
  }

  return { root, pid, run, spawnBeside, log: () => log, stop };
}
