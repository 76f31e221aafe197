/** `npm start -- --crash`: the gateway loses its state, and the device is back in round trips, not in minutes. */

import { randomBytes } from "node:crypto";
import { checkLiveness, type Event, type Profile, type Session, timeout } from "ikelet";
import { addressText, explain } from "ikelet/explain.js";
import { qcd } from "ikelet/qcd.js";
import { resumption, type Ticket } from "ikelet/resumption.js";
import type { Options } from "../../test/responder/index.ts";
import { type Connection, type ConnectOptions, connect } from "./driver.ts";
import type { LoopbackGateway } from "./loopback-gateway.ts";
import { createPinger } from "./ping.ts";
import { quiet, strong } from "./report.ts";
import { createTrace } from "./trace.ts";

/** What the gateway has to do: tickets that it need not remember, and tokens that it can make again. */
export function crashOptions(): Partial<Options> {
  return { tickets: { form: "value" }, qcd: { secrets: [new Uint8Array(randomBytes(32))] } };
}

/** What the device has to do. */
export function withRecovery(profile: Profile): Profile {
  return { ...profile, extensions: [...(profile.extensions ?? []), resumption(), qcd()] };
}

/**
 * How long a device that knows no tokens asks a dead gateway, in milliseconds. The library has no clock: nothing keeps
 * us from living through that time at once. What would be sent is thrown away.
 */
function patience(profile: Profile, session: Session): number {
  let step = checkLiveness(profile, session);
  let waited = 0;
  while (step.session.state !== "closed") {
    waited += step.wait ?? 0;
    step = timeout(profile, step.session);
  }
  return waited;
}

/** Resolves when all has gone well. */
export async function tellCrash(
  profile: Profile,
  { address: host, responder }: LoopbackGateway,
  destination: Uint8Array,
): Promise<void> {
  const trace = createTrace(profile, (line) => console.log(quiet(line)));
  const pinger = createPinger(profile);
  let latest: { ticket: Ticket; at: number } | undefined;
  const options: ConnectOptions = {
    host,
    port: 4500,
    onDatagram: trace.onDatagram,
    onPacket: pinger.onPacket,
    onEvent(event: Event) {
      if (event.type === "ticket") latest = { ticket: event.ticket, at: performance.now() };
    },
  };
  const echo = async (connection: Connection): Promise<void> => {
    const answer = await pinger.ping(connection, destination);
    if (typeof answer === "string") throw new Error(`${addressText(destination)} did not answer: ${answer}`);
    console.log(`\n${strong("echo")}  ${addressText(destination)} answered through the tunnel`);
  };

  const before = await connect(profile, options);
  const { session } = before;
  await echo(before);

  responder.crash();
  const crash = { at: performance.now(), requests: trace.requests() };
  console.log(
    `\n${strong("restart")}  the gateway has lost its state, the device asks whether it is alive\n`,
  );
  if (await before.checkLiveness()) throw new Error("the gateway has lost nothing");
  const closed = await before.closed;
  console.log(`\n${strong(closed.reason)}  ${explain(profile, closed)}\n`);

  // As after a sleep: the ticket, and how old it is.
  const { ticket, at } = latest!;
  const elapsed = (performance.now() - at) / 1000;
  const after = await connect(profile, { ...options, resume: { ticket, elapsed } });
  const ms = performance.now() - crash.at;
  const trips = trace.requests() - crash.requests;
  await echo(after);

  console.log(`\n${strong("recovered")}  ${trips} round trips, ${ms.toFixed(1)} ms after the restart`);
  console.log(
    `           without crash detection the device would have asked for ${Math.round(patience(profile, session) / 1000)} s first\n`,
  );
  await after.close();
}
