/**
 * The whole of a device that only resumes: no key exchange, no pre-shared key. It wakes, resumes with its ticket,
 * stores the next one, exchanges a packet, and sleeps. `main.ts` gives it the first ticket. Made to be copied.
 *
 *     node device.js GATEWAY STORE
 */

import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { type ChildSa, type Event, receive, type Session, type Step, timeout } from "ikelet";
import { type InboundSa, inboundSa, open, outboundSa, seal } from "ikelet/esp.js";
import { unframe } from "ikelet/nat.js";
import { afterResume, resume, resumeEntropyLength, ticketSurvives } from "ikelet/resumption.js";
import { emitEcho, isEchoReply } from "./echo.ts";
import { makeProfile, makeTraversal } from "./profile.ts";
import { erase, load, now, store } from "./store.ts";

const [gateway = "127.0.0.1", file = "ticket"] = process.argv.slice(2);
const ECHO_WAIT = 3000;
const ECHO_TARGET = [10, 99, 0, 1];

const traversal = makeTraversal(gateway);
const profile = makeProfile(traversal);
const socket = createSocket("udp4");
let { ticket, since } = load(file);
let session: Session;
let inbound: InboundSa | undefined;
let timer: NodeJS.Timeout | undefined;
let cost = { at: performance.now(), trips: 0, octets: 0 };

/** @throws if the ticket has expired, like `load`: the device has to be commissioned again */
function wake(): void {
  perform(resume(profile, ticket, now() - since, randomBytes(resumeEntropyLength(profile))));
}

function perform(step: Step): void {
  session = step.session;
  for (const datagram of step.send) transmit(traversal.frame(session, datagram));
  if (step.wait !== undefined) clearTimeout(timer);
  if (step.wait) timer = setTimeout(() => perform(timeout(profile, session)), step.wait);
  step.events.forEach(handle);
}

function handle(event: Event): void {
  if (!ticketSurvives(event)) erase(file);
  // Before anything else is done: the old one is used up.
  if (event.type === "ticket") store(file, event.ticket);
  if (event.type === "established") {
    report("resumed");
    sendEcho(event.child);
  }
  if (event.type === "closed") {
    const next = afterResume(ticket, event);
    if (next) {
      ticket = next;
      wake();
    } else sleep(`closed: ${event.reason}`);
  }
}

function sendEcho(child: ChildSa): void {
  const packet = emitEcho(child.local[0]!.start, ECHO_TARGET);
  const sealed = seal(profile.child.cipher, outboundSa(child), packet);
  if (sealed.reason) throw new Error(`no echo: ${sealed.reason}`);
  inbound = inboundSa(child);
  transmit(sealed.packet);
  clearTimeout(timer);
  timer = setTimeout(() => sleep("no echo: no answer"), ECHO_WAIT);
}

function transmit(payload: Uint8Array): void {
  cost.octets += payload.length;
  socket.send(payload, 4500, gateway);
}

socket.on("message", (payload) => {
  cost.octets += payload.length;
  cost.trips++;
  const found = unframe(payload);
  if (found?.type === "ike") perform(receive(profile, session, found.datagram));
  if (found?.type !== "esp" || !inbound) return;
  const opened = open(profile.child.cipher, inbound, found.datagram);
  inbound = opened.sa;
  if (opened.reason || !isEchoReply(opened.payload)) return;
  report("echo");
  sleep();
});

function report(what: string): void {
  const ms = (performance.now() - cost.at).toFixed(1);
  const trips = cost.trips === 1 ? "1 round trip" : `${cost.trips} round trips`;
  console.log(`  ${what.padEnd(11)}${trips}, ${cost.octets} octets, ${ms} ms`);
  cost = { at: performance.now(), trips: 0, octets: 0 };
}

/** Without a Delete, which would destroy the ticket. */
function sleep(failure?: string): void {
  clearTimeout(timer);
  socket.close();
  if (!failure) return;
  console.error(failure);
  process.exitCode = 1;
}

wake();
