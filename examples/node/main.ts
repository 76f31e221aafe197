/** `npm start`: one IKE SA from the first message to the last, with a gateway on loopback or a real one. */

import { lookup } from "node:dns/promises";
import type { Event, Profile } from "ikelet";
import { sha1 } from "ikelet/crypto/sha1.js";
import { addressText, explain } from "ikelet/explain.js";
import { nat } from "ikelet/nat.js";
import { crashOptions, tellCrash, withRecovery } from "./crash.ts";
import { type ConnectError, connect } from "./driver.ts";
import { startGateway } from "./loopback-gateway.ts";
import { addressOctets, HELP, readSettings, type Settings, UsageError } from "./options.ts";
import { createPinger } from "./ping.ts";
import { quiet, report, strong } from "./report.ts";
import { createTrace } from "./trace.ts";

/** What is no news for somebody who reads the messages and the lines between them. */
const EXPECTED: readonly Event["type"][] = ["established", "alive", "child-failed", "closed"];

/** Connects, asks whether the gateway is alive, closes; resolves with the exit code. */
async function run(
  profile: Profile,
  host: string,
  port: number,
  showKeys: boolean,
  destination: Uint8Array | undefined,
): Promise<number> {
  const start = performance.now();
  const since = (then: number): string => `${(performance.now() - then).toFixed(1)} ms`;
  const trace = createTrace(profile, (line) => console.log(quiet(line)));
  const rounds = (): string => `${trace.requests()} round trips, ${since(start)}`;
  const onEvent = (event: Event): void => {
    if (!EXPECTED.includes(event.type)) console.log(`          ${explain(profile, event)}`);
  };

  const pinger = createPinger(profile);
  const { onDatagram } = trace;
  const connection = await connect(profile, { host, port, onEvent, onDatagram, onPacket: pinger.onPacket });
  console.log(`\n${strong("established")}  ${rounds()}\n`);
  console.log(`${report(profile, connection, showKeys)}\n`);

  const asked = performance.now();
  const alive = await connection.checkLiveness();
  if (alive) console.log(`\n${strong("alive")}  answered in ${since(asked)}\n`);
  let unanswered: string | undefined;
  if (destination) {
    const sent = performance.now();
    const echo = await pinger.ping(connection, destination);
    const target = addressText(destination);
    if (typeof echo === "string") unanswered = `${target} did not answer: ${echo}.`;
    else
      console.log(
        `${strong("echo")}  ${target} answered in ${since(sent)}, ${echo.join(" and ")} octets of ESP\n`,
      );
  }
  const closed = await connection.close();
  if (closed.reason !== "requested") return fail(explain(profile, closed));
  console.log(`\n${strong("closed")}  ${rounds()}`);
  return unanswered ? fail(unanswered) : 0;
}

function fail(sentence: string): number {
  console.error(`\n${strong("failed")}  ${sentence}`);
  return 1;
}

/** What to do about an error of `connect`. */
function advise(profile: Profile, error: ConnectError | NodeJS.ErrnoException): string {
  const socket = error.cause instanceof Error ? ` The socket said: ${error.cause.message}.` : "";
  if ("event" in error) return explain(profile, error.event) + socket;
  if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN")
    return `The name of the gateway is not known (${error.code}): check --gateway, or give its address.`;
  return error.message;
}

/** ESP from a program goes inside of UDP: the gateway has to believe in a NAT, and all goes to port 4500. */
async function withUdp(profile: Profile, host: string): Promise<Profile> {
  const { address } = await lookup(host);
  const remote = { address: addressOctets(address), port: 4500 };
  return { ...profile, extensions: [nat({ sha1, remote, force: true })] };
}

async function main({ profile: given, gateway, showKeys, ping, crash }: Settings): Promise<number> {
  const { psk, remote } = given;
  const loopback = gateway
    ? undefined
    : await startGateway(
        {
          psk: psk!,
          ...(remote ? { local: { type: remote.type, data: remote.data } } : {}),
          ...(crash ? crashOptions() : {}),
        },
        !!ping,
      );
  const host = gateway?.host ?? loopback!.address;
  const port = ping ? 4500 : (gateway?.port ?? loopback!.port);
  const profile = ping ? await withUdp(given, host) : given;
  console.log(`${strong("ikelet")}  ${host} port ${port}${loopback ? ", loopback" : ""}\n`);
  console.log(quiet("      ms    exchange        message  octets  payloads"));
  try {
    if (crash) {
      await tellCrash(withRecovery(profile), loopback!, ping!);
      return 0;
    }
    return await run(profile, host, port, showKeys, ping);
  } catch (error) {
    return fail(advise(profile, error as ConnectError));
  } finally {
    loopback?.close();
  }
}

try {
  const settings = readSettings(process.argv.slice(2));
  if (settings === "help") console.log(HELP);
  else process.exitCode = await main(settings);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}. More with --help.`);
  process.exitCode = 2;
}
