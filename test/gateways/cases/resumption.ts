// Session resumption with libreswan, the one gateway here that has it.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChildSa, Event, IkeletError } from "ikelet";
import { afterResume, resumption, type Ticket, ticketSurvives } from "ikelet/resumption.js";
import { loadTicket, saveTicket } from "ikelet/storage.js";
import { type Device, eventually, type StartOptions } from "../device.ts";
import type { Kind } from "../lab.ts";
import { wordsFor } from "../profile.ts";
import { openTraffic } from "../traffic.ts";
import { type Case, gatewayConfig, type Lab, start, type Words } from "./case.ts";
import { checkEstablished } from "./checks.ts";

const IKE_SA_INIT = 34;
const AUTHENTICATION_FAILED = 24;
const TICKET_NACK = 16412;
const secondInMilliseconds = 1000;
const retransmission = { wait: 200, sends: 3 };
/**
 * With INITIAL_CONTACT the gateway forgets the session before. Otherwise it keeps both, and of two SAs that are of one
 * second Linux sends through the older one.
 */
const alone: Words = { retransmission, initialContact: true };
const config = gatewayConfig({ resumption: true });

type Closed = Extract<Event, { readonly type: "closed" }>;

const begin = (lab: Lab, options: StartOptions = {}): Device =>
  start(lab, alone, { extensions: [resumption({ grace: 200 })], ...options });

const present = (lab: Lab, ticket: Ticket): Device => begin(lab, { ticket });

interface Up {
  readonly device: Device;
  readonly child: ChildSa;
  readonly ticket: Ticket;
}

/** The session is there, its traffic flows, and there is a new ticket. */
async function up(lab: Lab, device: Device): Promise<Up> {
  const { child, remote } = await device.until("established");
  const { ticket } = await device.until("ticket");
  await checkEstablished(lab, wordsFor(lab.config), remote, child);
  await openTraffic({ device, child }).echo();
  return { device, child, ticket };
}

/** A full handshake, which brings the first ticket. */
async function first(lab: Lab): Promise<Up> {
  const found = await up(lab, begin(lab));
  assert.equal(found.device.sent[0]![18], IKE_SA_INIT, "a full handshake");
  assert.equal(found.ticket.signed, "rfc", "nobody knows yet what this gateway signs");
  return found;
}

/** A ticket that knows what this gateway signs. */
async function resumed(lab: Lab): Promise<Up> {
  const { ticket } = await first(lab);
  return up(lab, present(lab, await learned(lab, ticket)));
}

/** The RFC's octets are refused, so that the next attempt is with those of libreswan. */
async function learned(lab: Lab, ticket: Ticket): Promise<Ticket> {
  const end = await present(lab, ticket).until("closed");
  assert.equal(end.reason, "refused", "the RFC's octets");
  assert.equal(end.notify, AUTHENTICATION_FAILED, "why");
  const next = afterResume(ticket, end);
  assert.equal(next?.signed, "first-message", "the other octets");
  return next;
}

/** The end of an attempt in vain. The hint is there if TICKET_NACK came. */
async function refusedTicket(lab: Lab, ticket: Ticket): Promise<Closed> {
  const device = present(lab, ticket);
  const end = await device.until("closed");
  assert.equal(end.reason, "timeout", "reason");
  assert.equal(end.hint?.notify, TICKET_NACK, "the gateway refused it in the clear");
  assert.equal(device.sent.length, 1, "nothing is repeated");
  assert.equal(afterResume(ticket, end), undefined, "a full handshake is due");
  return end;
}

/** Each resumption brings the ticket for the next. */
async function chain(lab: Lab): Promise<void> {
  let { ticket } = await resumed(lab);
  for (let resumption = 2; resumption <= 10; resumption++)
    ({ ticket } = await up(lab, present(lab, ticket)).catch((error: Error) => {
      throw new Error(`resumption ${resumption}: ${error.message}`, { cause: error });
    }));
}

async function restarted(lab: Lab): Promise<void> {
  const { ticket } = await resumed(lab);
  await lab.gateway.configure(lab.config);
  await refusedTicket(lab, ticket);
  // All of it again.
  const { ticket: next } = await resumed(lab);
  await up(lab, present(lab, next));
}

async function lostResponse(lab: Lab): Promise<void> {
  const { ticket } = await resumed(lab);
  const device = present(lab, ticket);
  device.lose.in = 1;
  const end = await device.until("closed");
  assert.equal(end.reason, "timeout", "reason");
  assert.equal(end.hint, undefined, "no hint");
  assert.ok(ticketSurvives(end), "the ticket is still good");
  assert.equal(device.sent.length, 3, "requests");
  assert.equal(device.received.length, 1, "a repeated request gets no answer");
  const again = afterResume(ticket, end);
  assert.equal(again?.attempts, 1, "attempts in vain");
  await up(lab, present(lab, again));
}

async function damaged(lab: Lab): Promise<void> {
  const { ticket } = await resumed(lab);
  // In front stand four octets for the number of the key, of which libreswan 5.2 does not survive the number 0, and
  // four of padding at 12.
  for (const at of [1, 8, 20, ticket.ticket.length >> 1, ticket.ticket.length - 1]) {
    const bytes = ticket.ticket.slice();
    bytes[at]! ^= 1;
    await refusedTicket(lab, { ...ticket, ticket: bytes });
  }
  await refusedTicket(lab, { ...ticket, ticket: ticket.ticket.slice(0, -1) });
  await up(lab, present(lab, ticket));
}

/** The key that stands in for the one of the IKE SA is not the one in the ticket. */
async function wrongKey(lab: Lab): Promise<void> {
  const { ticket } = await resumed(lab);
  const skD = ticket.skD.slice();
  skD[0]! ^= 1;
  const end = await present(lab, { ...ticket, skD }).until("closed");
  assert.equal(end.reason, "timeout", "the gateway cannot read IKE_AUTH");
}

async function expired(lab: Lab): Promise<void> {
  const { ticket } = await first(lab);
  const { lifetime } = ticket;
  assert.ok(lifetime > 0 && lifetime <= 3600, `lifetime ${lifetime} s`);
  assert.throws(() => present(lab, { ...ticket, lifetime: 0 }), {
    name: "IkeletError",
    code: "ticket",
  } as IkeletError);
}

async function stored(lab: Lab): Promise<void> {
  const { ticket } = await resumed(lab);
  const octets = saveTicket(ticket);
  const { ticket: next } = await up(lab, present(lab, loadTicket(octets)));
  await up(lab, present(lab, structuredClone(next)));
}

async function closed(lab: Lab): Promise<void> {
  const { device, child } = await resumed(lab);
  device.close();
  assert.equal(ticketSurvives(await device.until("closed")), false, "the ticket goes with the session");
  await checkForgotten(lab, child);
}

async function initialContact(lab: Lab): Promise<void> {
  const { child, ticket } = await resumed(lab);
  await up(lab, present(lab, ticket));
  await checkForgotten(lab, child);
}

async function withoutInitialContact(lab: Lab): Promise<void> {
  const { child, ticket } = await resumed(lab);
  await sleep(secondInMilliseconds);
  await up(lab, start(lab, { retransmission }, { extensions: [resumption()], ticket }));
  const spis = (await lab.gateway.xfrmState()).map(({ spi }) => spi);
  assert.ok(
    spis.includes(child.inbound.spi) && spis.includes(child.outbound.spi),
    "the SA before is there, too",
  );
}

async function checkForgotten(lab: Lab, { inbound, outbound }: ChildSa): Promise<void> {
  await eventually("the SA is gone from the gateway's kernel", async () =>
    (await lab.gateway.xfrmState()).every(({ spi }) => spi !== inbound.spi && spi !== outbound.spi),
  );
}

export function resumptions(kind: Kind): Case[] {
  const skip = kind === "libreswan" ? undefined : "libreswan alone has session resumption";
  const rows: readonly [name: string, run: Case["run"]][] = [
    ["ten in a chain", chain],
    ["gateway restarted", restarted],
    ["IKE_SESSION_RESUME response lost", lostResponse],
    ["ticket damaged", damaged],
    ["wrong key with the ticket", wrongKey],
    ["ticket expired", expired],
    ["ticket stored", stored],
    ["session closed", closed],
    ["initial contact", initialContact],
    ["no initial contact", withoutInitialContact],
  ];
  return rows.map(([name, run]) => ({ name: `resumption, ${name}`, config, skip, run }));
}
