// Tickets (RFC 5723): what is in them, and how they are given out and taken back.

import { type Bytes, concat, EMPTY, equal, fromHex, hex, readU32, u32 } from "./bytes.ts";
import { cipherOf } from "./ciphers.ts";
import { Notify } from "./numbers.ts";
import { findNotify, type Identity, notify, ticketLifetime } from "./payloads.ts";
import type { Gateway, Sa } from "./state.ts";
import type { Suite } from "./suites.ts";
import type { Payload } from "./wire.ts";

export interface TicketOptions {
  /** The state sealed into the ticket, or kept here under a handle (section 6). By value if left out. */
  form?: "value" | "reference";
  /** Seconds; 3600 if left out. */
  lifetime?: number;
  /** 32 octets that seal tickets by value; zero if left out. */
  key?: Bytes;
  /** Octets added to tickets by value: 856 altogether is what libreswan sends. */
  padding?: number;
  /** The answer to TICKET_REQUEST; granted if left out. */
  answer?: "grant" | "nack" | "ack" | "none";
  /** Where the notify stands in IKE_AUTH: after TSr (section 4.1), or first of all. */
  place?: "last" | "first";
  /** When a ticket counts as used; with the IKE_AUTH that succeeds if left out. */
  spentAt?: "auth" | "resume" | "never";
  /** AUTH over the octets of RFC 5723, or over the first message alone, as libreswan does. */
  signed?: "rfc" | "libreswan";
  /** What comes back for a ticket that is none: TICKET_NACK if left out. */
  malformed?: "nack" | "silence";
  /** SPIr of TICKET_NACK; zero if left out. */
  nackSpiR?: Bytes;
  /** A repeated IKE_SESSION_RESUME request gets no answer. */
  silentOnRepeat?: boolean;
  /** Sends a Delete on the old SA before the IKE_AUTH response, in place of dropping it silently. */
  deleteOldSa?: boolean;
}

/** Ways of libreswan 5, measured. */
export const libreswanTickets: TicketOptions = {
  place: "first",
  signed: "libreswan",
  spentAt: "never",
  nackSpiR: fromHex("0102030405060708"),
  silentOnRepeat: true,
  deleteOldSa: true,
};

export interface TicketState {
  spiI: Bytes;
  spiR: Bytes;
  suite: Suite;
  skD: Bytes;
  idI: Identity;
  idR: Identity;
  expires: number;
}

/** Answers TICKET_REQUEST; nothing if there is none or tickets are off. */
export function answerTicketRequest(gateway: Gateway, sa: Sa, request: readonly Payload[]): Payload[] {
  const options = gateway.options.tickets;
  const asked = findNotify(request, Notify.TICKET_REQUEST);
  if (!options || !asked) return [];
  if (asked.data.length > 0) gateway.violations.push("5723-4.1-a: TICKET_REQUEST has data");
  switch (options.answer ?? "grant") {
    case "nack":
      return [notify(Notify.TICKET_NACK)];
    case "ack":
      return [notify(Notify.TICKET_ACK)];
    case "none":
      return [];
    default: {
      const lifetime = options.lifetime ?? 3600;
      const ticket = makeTicket(gateway, options, sa, lifetime);
      return [notify(Notify.TICKET_LT_OPAQUE, ticketLifetime(lifetime, ticket))];
    }
  }
}

function makeTicket(gateway: Gateway, options: TicketOptions, sa: Sa, lifetime: number): Bytes {
  const state: TicketState = {
    spiI: sa.spiI,
    spiR: sa.spiR,
    suite: sa.suite,
    skD: sa.keys.skD,
    idI: sa.idI as Identity,
    idR: sa.idR as Identity,
    expires: gateway.now + lifetime,
  };
  const octets = encodeState(state);
  if (options.form === "reference") {
    const handle = gateway.random(16);
    gateway.ticketStore[hex(handle)] = octets;
    return handle;
  }
  const iv = gateway.random(8);
  const padded = concat(u32(octets.length), octets, new Uint8Array(options.padding ?? 0));
  return concat(iv, ticketCipher.encrypt(ticketKey(options), iv, padded, EMPTY));
}

/** The state behind a ticket, if it is one of ours and still good. */
export function openTicket(gateway: Gateway, ticket: Bytes): TicketState | "malformed" | "refused" {
  const options = gateway.options.tickets;
  if (!options) return "refused";
  const octets = options.form === "reference" ? gateway.ticketStore[hex(ticket)] : unseal(options, ticket);
  if (!octets) return options.form === "reference" ? "refused" : "malformed";
  const state = decodeState(octets);
  if (state.expires <= gateway.now) return "refused";
  if (gateway.spentTickets[hex(ticket)] || gateway.revoked[hex(state.spiI)]) return "refused";
  return state;
}

function unseal(options: TicketOptions, ticket: Bytes): Bytes | undefined {
  const padded = ticketCipher.decrypt(ticketKey(options), ticket.slice(0, 8), ticket.slice(8), EMPTY);
  return padded?.slice(4, 4 + readU32(padded, 0));
}

const ticketCipher = cipherOf(28, undefined) as NonNullable<ReturnType<typeof cipherOf>>;

function ticketKey(options: TicketOptions): Bytes {
  return concat(options.key ?? new Uint8Array(32), new Uint8Array(4));
}

// The state as JSON, octet strings in hexadecimal: nobody but this gateway reads it.

function encodeState(state: TicketState): Bytes {
  const text = JSON.stringify(state, (_key, value) =>
    value instanceof Uint8Array ? `x${hex(value)}` : value,
  );
  return new TextEncoder().encode(text);
}

function decodeState(octets: Bytes): TicketState {
  return JSON.parse(new TextDecoder().decode(octets), (_key, value) =>
    typeof value === "string" && value.startsWith("x") ? fromHex(value.slice(1)) : value,
  );
}

export function sameIdentity(a: Identity, b: Identity): boolean {
  return a.type === b.type && equal(a.data, b.data);
}
