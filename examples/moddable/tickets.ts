/** What outlives the sleep: the ticket, and when it came. It contains a key. */

import type { Store } from "embedded:storage/key-value";
import type { Ticket } from "ikelet/resumption.js";
import { loadTicket, saveTicket } from "ikelet/storage.js";

const KEY = "ticket";
const TIME_LENGTH = 8;

/** One value under one key: the storage replaces it as a whole or not at all. */
export function storeTicket(store: Store, ticket: Ticket, since: number): void {
  const saved = saveTicket(ticket);
  const record = new Uint8Array(TIME_LENGTH + saved.length);
  new DataView(record.buffer).setFloat64(0, since);
  record.set(saved, TIME_LENGTH);
  store.write(KEY, record);
}

/** Nothing, if there is no ticket or a damaged one. */
export function loadStored(store: Store): { ticket: Ticket; since: number } | undefined {
  const record = store.read(KEY);
  if (!record || record.byteLength < TIME_LENGTH) return undefined;
  try {
    const ticket = loadTicket(new Uint8Array(record, TIME_LENGTH));
    return { ticket, since: new DataView(record).getFloat64(0) };
  } catch {
    return undefined;
  }
}

export function eraseTicket(store: Store): void {
  store.delete(KEY);
}
