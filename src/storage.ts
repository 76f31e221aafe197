/** Sessions, tickets and ESP SAs to octets and back, for flash: `ikelet/storage.js`. */

import { misuse } from "./error.ts";
import type { Ticket } from "./event.ts";
import type { Session } from "./session.ts";
import { concat, octets32, uint32 } from "./wire/octets.ts";

const VERSION = 1;
const CHECK_LENGTH = 4;

/** What a record holds, in its second octet. */
const SESSION = 1;
const TICKET = 2;
const ESP = 3;

/** No Message ID is left: nothing can be asked or answered any more. */
const NO_MESSAGE_ID = 0x1_0000_0000;

/** Above it numbers are not exact. */
const HIGHEST = 9007199254740991;

/** Records in records: a session has four levels, with room for what extensions keep. */
const DEEPEST = 8;

/** How values are marked. */
const UNDEFINED = 0;
const FALSE = 1;
const TRUE = 2;
const NUMBER = 3;
const TEXT = 4;
const OCTETS = 5;
const LIST = 6;
const RECORD = 7;

/** IEEE 802.3, bit by bit: a table would cost more than the time that it saves here. */
function crc32(octets: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < octets.length; i++) {
    crc ^= octets[i]!;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A number below 2^53, seven bits an octet, the lowest first. */
function emitNumber(value: number): number[] {
  const octets: number[] = [];
  while (value > 0x7f) {
    octets.push((value % 0x80) + 0x80);
    value = Math.floor(value / 0x80);
  }
  octets.push(value);
  return octets;
}

function emitText(text: string): number[] {
  const octets = emitNumber(text.length);
  for (let i = 0; i < text.length; i++) octets.push(text.charCodeAt(i));
  return octets;
}

function emit(value: unknown): ArrayLike<number> {
  if (value === undefined) return [UNDEFINED];
  if (typeof value === "boolean") return [value ? TRUE : FALSE];
  if (typeof value === "number") return [NUMBER].concat(emitNumber(value));
  if (typeof value === "string") return [TEXT].concat(emitText(value));
  if (value instanceof Uint8Array) return concat([OCTETS], emitNumber(value.length), value);
  if (Array.isArray(value)) return concat([LIST], emitNumber(value.length), ...value.map(emit));
  const record = value as { readonly [name: string]: unknown };
  const names = Object.keys(record).filter((name) => record[name] !== undefined);
  return concat(
    [RECORD],
    emitNumber(names.length),
    ...names.map((name) => concat(emitText(name), emit(record[name]))),
  );
}

function broken(what: string = "an unknown form"): never {
  throw misuse("storage", `storage: expected a record of this library, got ${what}`);
}

/** Reads a value. */
function parse(octets: Uint8Array): unknown {
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (at + length > octets.length) broken();
    at += length;
    return octets.subarray(at - length, at);
  };
  const number = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const octet = take(1)[0]!;
      value += (octet & 0x7f) * factor;
      if (octet < 0x80) return value <= HIGHEST ? value : broken();
    }
  };
  const text = (): string => {
    let all = "";
    const characters = take(number());
    for (let i = 0; i < characters.length; i++) all += String.fromCharCode(characters[i]!);
    return all;
  };
  const value = (depth: number): unknown => {
    const mark = take(1)[0]!;
    if (mark === UNDEFINED) return undefined;
    if (mark <= TRUE) return mark === TRUE;
    if (mark === NUMBER) return number();
    if (mark === TEXT) return text();
    if (mark === OCTETS) return concat(take(number()));
    const list: unknown[] = [];
    const record: { [name: string]: unknown } = {};
    if (mark > RECORD || depth > DEEPEST) broken();
    for (let count = number(); count; count--)
      if (mark === LIST) list.push(value(depth + 1));
      else {
        const name = text();
        // No field, but a way to what all objects share.
        if (name === "__proto__") broken();
        record[name] = value(depth + 1);
      }
    return mark === LIST ? list : record;
  };
  const all = value(0);
  if (at < octets.length) broken();
  return all;
}

/** Version, kind, the value, and a check against damage: CRC-32 over all before it. */
function save(kind: number, value: unknown): Uint8Array {
  const body = concat([VERSION, kind], emit(value));
  return concat(body, octets32(crc32(body)));
}

function load(kind: number, octets: Uint8Array): unknown {
  const end = octets.length - CHECK_LENGTH;
  const body = octets.subarray(0, Math.max(0, end));
  if (uint32(octets, end) !== crc32(body)) broken("damaged octets");
  if (body[0] !== VERSION || body[1] !== kind || body[2] !== RECORD)
    broken(`version ${body[0]}, kind ${body[1]}`);
  return parse(body.subarray(2));
}

/**
 * A session for flash. **It contains keys**: keep it where nobody reads it.
 *
 * What has been sent after a session was stored must never be sent from the stored one with other content: that would
 * use an IV and a Message ID twice. So a stored session is good for one awakening, and there are two ways to keep this
 * rule even when the power fails:
 *
 * - Store seldom: `saveSession` before the device sleeps; after `loadSession`, and when a session is established,
 *   `saveAwake` before anything is sent.
 * - Store always: `saveSession` after each step, before `step.send` is sent. Then the IKE SA, too, survives a loss of
 *   power at any time.
 *
 * Store only what is established. With more records than one, write the session last: a power cut between two of them
 * leaves a session whose `child` has not the SPIs of the stored SAs. Such a Child SA is lost; so is one that the gateway
 * does not answer any more. Then ask by `checkLiveness`: alive, or `closed`, and a new session, by ticket if there is
 * one, takes its place.
 *
 * @param session established; a request that is unanswered is repeated by `timeout` after the sleep
 * @returns about 340 octets, of which four or five keys of 32 octets are the most
 * @example
 * ```ts
 * import { fqdn, type Session } from "ikelet";
 * import { loadSession, saveAwake, saveSession } from "ikelet/storage.js";
 * import assert from "node:assert/strict";
 *
 * // As the step with the event `established` brings it.
 * const session: Session = {
 *   state: "established",
 *   spiI: new Uint8Array(8).fill(1),
 *   spiR: new Uint8Array(8).fill(2),
 *   messageId: 2,
 *   peerMessageId: 0,
 *   ivCounter: 1,
 *   sends: 1,
 *   keys: { skD: new Uint8Array(32), skI: new Uint8Array(36), skR: new Uint8Array(36) },
 *   child: { spiIn: 0x80000001, spiOut: 0xc0000001 },
 *   extensions: { resumption: { signed: "rfc", remote: fqdn("gw.example") } },
 * };
 * let flash = saveSession(session); // and sleep
 *
 * const awake = loadSession(flash);
 * flash = saveAwake(awake); // before anything is sent
 * assert.deepEqual(awake, session);
 *
 * // A bit that has toppled is noticed.
 * flash[40]! ^= 1;
 * assert.throws(() => loadSession(flash), { name: "IkeletError", code: "storage" });
 * ```
 */
export function saveSession(session: Session): Uint8Array {
  return save(SESSION, session);
}

/**
 * What may lie in flash while the device is awake: the session, its Message IDs moved ahead of all that can be used,
 * to their end, so that no IV can be used either. After a loss of power the Child SA goes on with it; what is asked of
 * the IKE SA ends it with the reason `exhausted`, and what the gateway asks is passed over.
 *
 * @throws IkeletError `state` if the session is not established: there is nothing that could go on
 */
export function saveAwake(session: Session): Uint8Array {
  const { request: _, response: __, ...rest } = session;
  if (session.state !== "established")
    throw misuse("state", `session: expected established, got ${session.state}`);
  return save(SESSION, { ...rest, messageId: NO_MESSAGE_ID, peerMessageId: NO_MESSAGE_ID });
}

/**
 * The session of `saveSession` or `saveAwake`.
 *
 * @throws IkeletError `storage` for octets that are damaged, cut off, or no session
 */
export function loadSession(octets: Uint8Array): Session {
  return load(SESSION, octets) as Session;
}

/**
 * A ticket. **It contains a key.** Store the time of the event `ticket` beside it; the new one takes the place of the
 * old one, which is used up.
 *
 * @example
 * ```ts
 * import { fqdn } from "ikelet";
 * import type { Ticket } from "ikelet/resumption.js";
 * import { loadTicket, saveTicket } from "ikelet/storage.js";
 * import assert from "node:assert/strict";
 *
 * // As the event `ticket` brings it.
 * const ticket: Ticket = {
 *   ticket: new Uint8Array(200),
 *   lifetime: 3600,
 *   skD: new Uint8Array(32),
 *   encryptionId: 28,
 *   keyBits: 0,
 *   integrityId: 0,
 *   prfId: 5,
 *   local: fqdn("sensor-7.example"),
 *   remote: fqdn("gw.example"),
 *   signed: "rfc",
 *   attempts: 0,
 * };
 * assert.deepEqual(loadTicket(saveTicket(ticket)), ticket);
 * ```
 */
export function saveTicket(ticket: Ticket): Uint8Array {
  return save(TICKET, ticket);
}

/**
 * The ticket of `saveTicket`.
 *
 * @throws IkeletError `storage` for octets that are damaged, cut off, or no ticket
 */
export function loadTicket(octets: Uint8Array): Ticket {
  return load(TICKET, octets) as Ticket;
}

/**
 * An SA of `ikelet/esp.js`. **It contains a key.** Store both when the session is established, and after `loadSa`
 * before a packet is sent.
 *
 * @param leap how far the stored sequence number is ahead; 0 for an orderly sleep. Store the SA anew before its own
 *   number gets there. After a loss of power no number up to there is sent again, or of an inbound SA accepted again;
 *   as many new packets of the gateway may then be dropped. An inbound SA with the leap 0 drops none, but can be made to
 *   accept older packets a second time
 * @throws IkeletError `argument` if `leap` is not 0 or more
 */
export function saveSa(
  sa: { readonly sequence: number; readonly window?: Uint8Array },
  leap: number,
): Uint8Array {
  const { window } = sa;
  const sequence = sa.sequence + leap;
  // A leap that is no number would store the number 0, and all would be used again.
  if (!(leap >= 0 && sequence <= HIGHEST))
    throw misuse("argument", `leap: expected a number of packets, got ${leap}`);
  const seen = window && (leap ? new Uint8Array(window.length).fill(0xff) : window);
  return save(ESP, { ...sa, sequence, window: seen });
}

/**
 * The SA of `saveSa`: `loadSa<OutboundSa>(octets)` or `loadSa<InboundSa>(octets)`.
 *
 * @throws IkeletError `storage` for octets that are damaged, cut off, or no SA
 */
export function loadSa<Sa>(octets: Uint8Array): Sa {
  return load(ESP, octets) as Sa;
}
