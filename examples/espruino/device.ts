/**
 * A badge that only ever resumes: it wakes, presents its ticket, stores the next one, sends an echo through the tunnel
 * in place of what it has to say, and is done. Its cryptography is native but for GCM and HMAC.
 */

import { type Event, receive, type Session, type Step, timeout } from "ikelet";
import { type InboundSa, inboundSa, open, outboundSa, seal } from "ikelet/esp.js";
import { unframe } from "ikelet/nat.js";
import { afterResume, resume, resumeEntropyLength, type Ticket, ticketSurvives } from "ikelet/resumption.js";
import { emitEcho, isEchoReply } from "../commission/echo.ts";
import type { Platform } from "./platform.ts";
import { ECHO_TARGET, GATEWAY, makeProfile, makeTraversal } from "./settings.ts";
import { eraseTickets, loadStored, storeTicket } from "./tickets.ts";

const NAT_PORT = 4500;
const ECHO_WAIT = 3000;

/** @param onDone called once, when there is no more to do: time to sleep */
export function wake(platform: Platform, onDone: () => void): void {
  const { crypto, Storage, E, entropy, now, log } = platform;
  const stored = loadStored(Storage);
  if (!stored) {
    log("no ticket: to be commissioned");
    onDone();
    return;
  }
  const traversal = makeTraversal(crypto);
  const profile = makeProfile(crypto, traversal);
  const socket = platform.dgram.createSocket("udp4");
  let ticket: Ticket = stored.ticket;
  let session: Session;
  let inbound: InboundSa | undefined;
  let timer: number | undefined;
  let isDone = false;

  /** The one timer: 0 stops it. */
  const setTimer = (wait: number, callback: () => void): void => {
    if (timer !== undefined) platform.clearTimeout(timer);
    timer = undefined;
    if (wait)
      timer = platform.setTimeout(() => {
        timer = undefined;
        callback();
      }, wait);
  };

  /** What finds no memory is lost like any other datagram: it will be repeated. */
  const transmit = (payload: Uint8Array): void => {
    const text = E.toString(payload);
    if (text) socket.send(text, NAT_PORT, GATEWAY.join("."));
  };

  /** Without a Delete, which would destroy the ticket. */
  const done = (result: string): void => {
    isDone = true;
    setTimer(0, onDone);
    socket.close();
    log(result);
    onDone();
  };

  const sendEcho = ({ child }: Extract<Event, { type: "established" }>): void => {
    log("resumed");
    const packet = emitEcho(child.local[0]!.start, ECHO_TARGET);
    const sealed = seal(profile.child.cipher, outboundSa(child), packet);
    if (sealed.reason) {
      done(`no echo: ${sealed.reason}`);
      return;
    }
    inbound = inboundSa(child);
    transmit(sealed.packet);
    setTimer(ECHO_WAIT, () => done("no echo"));
  };

  // Functions are not hoisted on Espruino; these two need each other.
  let handle: (event: Event) => void;
  const perform = (step: Step): void => {
    session = step.session;
    for (const datagram of step.send) transmit(traversal.frame(session, datagram));
    if (step.wait !== undefined) setTimer(step.wait, () => perform(timeout(profile, session)));
    for (const event of step.events) handle(event);
  };

  const present = (): void => {
    // A clock that was set back must not stop the device: the gateway knows how old the ticket is.
    const elapsed = Math.max(0, now() - stored.since);
    if (elapsed >= ticket.lifetime) {
      done("ticket expired: to be commissioned");
      return;
    }
    perform(resume(profile, ticket, elapsed, entropy(resumeEntropyLength(profile))));
  };

  handle = (event) => {
    if (!ticketSurvives(event)) eraseTickets(Storage);
    // Before anything else is done: the old one is used up.
    if (event.type === "ticket") storeTicket(Storage, event.ticket, now());
    if (event.type === "established") sendEcho(event);
    if (event.type !== "closed") return;
    const next = afterResume(ticket, event);
    if (next) {
      ticket = next;
      present();
    } else done(`closed: ${event.reason}`);
  };

  socket.on("message", (message) => {
    if (isDone) return;
    const payload = E.toUint8Array(message);
    const found = payload && unframe(payload);
    if (found?.type === "ike") perform(receive(profile, session, found.datagram));
    if (found?.type !== "esp" || !inbound) return;
    const opened = open(profile.child.cipher, inbound, found.datagram);
    inbound = opened.sa;
    if (!opened.reason && isEchoReply(opened.payload)) done("echo");
  });
  present();
}
