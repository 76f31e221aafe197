/**
 * A sensor: it wakes, resumes with the ticket in flash or else makes a full handshake, stores the next ticket, sends an
 * echo through the tunnel in place of a measurement, and sleeps. All that belongs to the platform is passed in.
 */

import type UDP from "embedded:io/socket/udp";
import type { Store } from "embedded:storage/key-value";
import {
  type Event,
  entropyLength,
  type IkeletError,
  initiate,
  receive,
  type Session,
  type Step,
  timeout,
} from "ikelet";
import { type InboundSa, inboundSa, open, outboundSa, seal } from "ikelet/esp.js";
import { unframe } from "ikelet/nat.js";
import type { ModdableCrypt } from "ikelet/providers/moddable.js";
import { afterResume, resume, resumeEntropyLength, type Ticket, ticketSurvives } from "ikelet/resumption.js";
import type Timer from "timer";
import { emitEcho, isEchoReply } from "../commission/echo.ts";
import { ECHO_TARGET, makeProfile, makeTraversal } from "./settings.ts";
import { eraseTicket, loadStored, storeTicket } from "./tickets.ts";

const NAT_PORT = 4500;
const ECHO_WAIT = 3000;

export interface Platform {
  readonly UDP: typeof UDP;
  readonly Timer: typeof Timer;
  readonly crypt: ModdableCrypt;
  readonly store: Store;
  /** Of hardware. */
  readonly entropy: (length: number) => Uint8Array;
  /** Seconds. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/**
 * @param gateway its IPv4 address
 * @param onDone called once, when there is no more to do: time to sleep
 */
export function wake(platform: Platform, gateway: string, onDone: () => void): void {
  const { crypt, store, entropy, now, log } = platform;
  const traversal = makeTraversal(crypt, gateway);
  const profile = makeProfile(crypt, traversal);
  let session: Session;
  let ticket: Ticket | undefined;
  let inbound: InboundSa | undefined;
  let timer: object | undefined;
  let isDone = false;

  const udp = new platform.UDP({
    onReadable(count) {
      for (; count && !isDone; count--) {
        const datagram = this.read();
        if (datagram) take(new Uint8Array(datagram));
      }
    },
  });

  function perform(step: Step): void {
    session = step.session;
    for (const datagram of step.send) transmit(traversal.frame(session, datagram));
    if (step.wait !== undefined) setTimer(step.wait, () => perform(timeout(profile, session)));
    step.events.forEach(handle);
  }

  /** The one timer: 0 stops it. */
  function setTimer(wait: number, callback: () => void): void {
    platform.Timer.clear(timer);
    timer = wait ? platform.Timer.set(callback, wait) : undefined;
  }

  /** What the network does not take now is lost like any other datagram: it will be repeated. */
  function transmit(payload: Uint8Array): void {
    try {
      udp.write(payload, gateway, NAT_PORT);
    } catch (error) {
      log(`not sent: ${error}`);
    }
  }

  function handle(event: Event): void {
    if (!ticketSurvives(event)) eraseTicket(store);
    // Before anything else is done: the old one is used up.
    if (event.type === "ticket") storeTicket(store, event.ticket, now());
    if (event.type === "established") sendEcho(event);
    if (event.type === "closed") {
      const next = ticket && afterResume(ticket, event);
      if (next) present(next, loadStored(store)?.since ?? now());
      else if (ticket) connect();
      else done(`closed: ${event.reason}`);
    }
  }

  function present(next: Ticket, since: number): void {
    // A clock that was set back must not stop the device: the gateway knows how old the ticket is.
    const elapsed = Math.max(0, now() - since);
    let step: Step;
    try {
      step = resume(profile, next, elapsed, entropy(resumeEntropyLength(profile)));
    } catch (error) {
      // It has expired.
      if ((error as IkeletError).code !== "ticket") throw error;
      eraseTicket(store);
      connect();
      return;
    }
    ticket = next;
    perform(step);
  }

  function connect(): void {
    ticket = undefined;
    log("full handshake");
    perform(initiate(profile, entropy(entropyLength(profile))));
  }

  function sendEcho({ child }: Extract<Event, { type: "established" }>): void {
    log(ticket ? "resumed" : "connected");
    const packet = emitEcho(child.local[0]!.start, ECHO_TARGET);
    const sealed = seal(profile.child.cipher, outboundSa(child), packet);
    if (sealed.reason) {
      done(`no echo: ${sealed.reason}`);
      return;
    }
    inbound = inboundSa(child);
    transmit(sealed.packet);
    setTimer(ECHO_WAIT, () => done("no echo"));
  }

  function take(payload: Uint8Array): void {
    const found = unframe(payload);
    if (found?.type === "ike") perform(receive(profile, session, found.datagram));
    if (found?.type !== "esp" || !inbound) return;
    const opened = open(profile.child.cipher, inbound, found.datagram);
    inbound = opened.sa;
    if (!opened.reason && isEchoReply(opened.payload)) done("echo");
  }

  /** Without a Delete, which would destroy the ticket. */
  function done(result: string): void {
    isDone = true;
    setTimer(0, onDone);
    udp.close();
    log(result);
    onDone();
  }

  const stored = loadStored(store);
  if (stored) present(stored.ticket, stored.since);
  else connect();
}
