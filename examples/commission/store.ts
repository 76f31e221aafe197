/** The one thing that outlives the device's sleep: a ticket, and when it came. It contains a key. */

import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Ticket } from "ikelet/resumption.js";
import { loadTicket, saveTicket } from "ikelet/storage.js";

const TIME_LENGTH = 8;

/** Seconds, by a clock that goes on while the device sleeps. The library has none of its own. */
export function now(): number {
  return Date.now() / 1000;
}

/** The new ticket takes the place of the old one as a whole or not at all, whenever the power fails. */
export function store(file: string, ticket: Ticket): void {
  const time = Buffer.alloc(TIME_LENGTH);
  time.writeDoubleBE(now());
  writeFileSync(`${file}.new`, Buffer.concat([time, saveTicket(ticket)]), { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}

/** @throws if there is no ticket, or a damaged one: the device has to be commissioned again */
export function load(file: string): { ticket: Ticket; since: number } {
  const record = readFileSync(file);
  return { ticket: loadTicket(record.subarray(TIME_LENGTH)), since: record.readDoubleBE(0) };
}

export function erase(file: string): void {
  rmSync(file, { force: true });
}
