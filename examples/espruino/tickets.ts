/**
 * The one thing that outlives a loss of power: the ticket, and when it came. It contains a key.
 *
 * Espruino erases a file before it writes its successor, so there are two, in turns: whenever the power fails, one is
 * whole. The first octet of a record counts them, the next four are the time in seconds.
 */

import type { Ticket } from "ikelet/resumption.js";
import { loadTicket, saveTicket } from "ikelet/storage.js";
import type { EspruinoStorage } from "./platform.ts";

export const NAMES = ["ike.a", "ike.b"] as const;
const HEAD_LENGTH = 5;

export interface Stored {
  readonly name: string;
  readonly generation: number;
  readonly since: number;
  readonly ticket: Ticket;
}

export function makeRecord(ticket: Ticket, since: number, generation: number): Uint8Array {
  const saved = saveTicket(ticket);
  const record = new Uint8Array(HEAD_LENGTH + saved.length);
  record[0] = generation;
  for (let i = 1; i < HEAD_LENGTH; i++) record[i] = since >>> (8 * (HEAD_LENGTH - 1 - i));
  record.set(saved, HEAD_LENGTH);
  return record;
}

/** Nothing, if there is no record under this name or a damaged one. */
function loadRecord(storage: EspruinoStorage, name: string): Stored | undefined {
  const buffer = storage.readArrayBuffer(name);
  if (!buffer) return undefined;
  const record = new Uint8Array(buffer);
  let since = 0;
  for (let i = 1; i < HEAD_LENGTH; i++) since = since * 256 + record[i]!;
  try {
    return { name, generation: record[0]!, since, ticket: loadTicket(record.subarray(HEAD_LENGTH)) };
  } catch {
    return undefined;
  }
}

/** The newer of both. */
export function loadStored(storage: EspruinoStorage): Stored | undefined {
  const a = loadRecord(storage, NAMES[0]);
  const b = loadRecord(storage, NAMES[1]);
  if (!a || !b) return a || b;
  return ((a.generation - b.generation) & 255) < 128 ? a : b;
}

/** The old ticket is erased when the new one is in flash. */
export function storeTicket(storage: EspruinoStorage, ticket: Ticket, since: number): void {
  const old = loadStored(storage);
  const generation = old ? old.generation + 1 : 0;
  const name = old && old.name === NAMES[0] ? NAMES[1] : NAMES[0];
  if (!storage.write(name, makeRecord(ticket, since, generation))) throw new Error("storage: flash is full");
  if (old) storage.erase(old.name);
}

export function eraseTickets(storage: EspruinoStorage): void {
  for (let i = 0; i < NAMES.length; i++) storage.erase(NAMES[i]!);
}
