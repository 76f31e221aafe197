// Tries the lab itself, without the library: node --import tsx test/gateways/smoke.ts [strongswan|libreswan|iked]...

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { capture } from "./capture.ts";
import type { GatewayConfig } from "./config.ts";
import { type Gateway, type Kind, rootfs, startGateway } from "./lab.ts";
import { openSocket } from "./sockets.ts";

const config: GatewayConfig = {
  ike: [{ cipher: "aes128gcm16", prf: "sha256", group: 31 }],
  esp: [{ cipher: "aes256cbc", integrity: "sha512" }],
};
const versions = {
  strongswan: "swanctl --version",
  libreswan: "ipsec --version",
  iked: "iked -V 2>&1 || true",
};

let before = performance.now();
function lap(what: string): void {
  const now = performance.now();
  console.log(`${(now - before).toFixed(0).padStart(6)} ms  ${what}`);
  before = now;
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not so: ${what}`);
  lap(what);
}

/** An IKE header of version 3, which strongSwan and libreswan answer with INVALID_MAJOR_VERSION and OpenIKED not at all. */
function junk(): Uint8Array {
  const header = new Uint8Array(28).fill(1);
  header.set([0, 0x30, 34, 0x08, 0, 0, 0, 0, 0, 0, 0, 28], 16);
  return header;
}

async function tryUdp(gateway: Gateway, localAddress: string): Promise<void> {
  const socket = await openSocket(gateway, { localAddress, localPort: 500 });
  lap(`socket on ${localAddress} port ${socket.localPort}`);
  socket.send(junk());
  const answer = await socket.receive(300);
  check(
    (answer?.length === 36) === (gateway.kind !== "iked"),
    `junk sent, answer of ${answer?.length ?? 0} octets`,
  );
  await socket.close();
}

/** Both directions of ESP without UDP, under keys set by hand. */
async function tryEsp(gateway: Gateway, localAddress: string, remoteAddress: string): Promise<void> {
  const socket = await openSocket(gateway, { protocol: "esp", localAddress });
  const unknown = "awk '/XfrmInNoStates/ { print $2 }' /proc/net/xfrm_stat";
  const echo = localAddress.includes(":") ? "58 type 128" : "1";
  await gateway.exec(`
    ip xfrm state add src ${remoteAddress} dst ${localAddress} proto esp spi 0x12345678 mode transport \
      aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128
    ip xfrm policy add src ${remoteAddress} dst ${localAddress} proto ${echo} dir out tmpl proto esp mode transport`);
  const [state] = await gateway.xfrmState();
  check(state?.spi === 0x12345678 && state.algorithms[0]?.key.length === 20, "xfrm state read back");
  await gateway.tryExec(`ping -c 1 -W 1 ${localAddress} > /dev/null 2>&1 &`);
  const packet = await socket.receive(2000);
  check(packet?.[0] === 0x12 && packet[3] === 0x78, `raw ESP from the gateway to ${localAddress}`);
  const count = Number(await gateway.exec(unknown));
  socket.send(new Uint8Array(64).fill(9));
  await sleep(20);
  check(Number(await gateway.exec(unknown)) === count + 1, "raw ESP to the gateway");
  await gateway.exec("ip xfrm state flush; ip xfrm policy flush");
  await socket.close();
}

async function tryDaemon(kind: Kind, root: string): Promise<void> {
  const gateway = await startGateway(kind, config, root);
  lap(`${kind} started`);
  try {
    lap(`version: ${(await gateway.exec(versions[kind])).split("\n")[0]}`);
    check((await gateway.xfrmState()).length === 0, "no xfrm state");
    const endCapture = await capture(gateway, "/dev/null");
    lap("capture begun");
    await tryUdp(gateway, gateway.deviceAddress);
    await tryUdp(gateway, gateway.deviceAddress6);
    await tryEsp(gateway, gateway.deviceAddress, gateway.gatewayAddress);
    await tryEsp(gateway, gateway.deviceAddress6, gateway.gatewayAddress6);
    await endCapture();
    lap("capture ended");
    await gateway.configure(config);
    lap("configured again");
  } finally {
    await gateway.stop();
    lap("stopped");
  }
}

/** Processes that carry our mark in their environment, as everything that a gateway starts does. */
function survivors(mark: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(mark);
    } catch {
      return false; // it ended meanwhile
    }
  });
}

/** Namespaces, devices and mounts of a gateway live exactly as long as its processes, so processes are what is counted. */
async function tryKilling(signal: "SIGTERM" | "SIGINT" | "SIGKILL", milliseconds: number): Promise<void> {
  const mark = `IKELET_SMOKE=${process.pid}-${Math.random()}`;
  const program = [...process.execArgv, fileURLToPath(import.meta.url), "strongswan"];
  const env = { ...process.env, IKELET_SMOKE: mark.slice("IKELET_SMOKE=".length) };
  const child = spawn(process.execPath, program, { stdio: "ignore", env });
  await sleep(milliseconds);
  const running = survivors(mark).length;
  child.kill(signal);
  for (const end = Date.now() + 1000; survivors(mark).length > 0 && Date.now() < end; ) await sleep(20);
  check(
    survivors(mark).length === 0,
    `${signal} after ${milliseconds} ms: of ${running} processes none is left`,
  );
}

const chosen = process.argv.slice(2) as Kind[];
const root = await rootfs();
lap(`root file system ${root}`);
for (const kind of chosen.length > 0 ? chosen : (Object.keys(versions) as Kind[]))
  await tryDaemon(kind, root);
if (chosen.length === 0) {
  for (const signal of ["SIGTERM", "SIGINT", "SIGKILL"] as const) {
    await tryKilling(signal, 1000); // in the middle of the boot
    await tryKilling(signal, 2500); // in the middle of the tests
  }
}
