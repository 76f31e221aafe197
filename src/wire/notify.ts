/** The Notify payload (RFC 7296 section 3.10). */

import { concat, octets16, uint16 } from "./octets.ts";
import { PAYLOAD_NOTIFY, type Payload } from "./payload.ts";

/** Notify message types: errors (RFC 7296 section 3.10.1). */
export const UNSUPPORTED_CRITICAL_PAYLOAD = 1;
export const INVALID_SYNTAX = 7;
export const NO_ADDITIONAL_SAS = 35;
/** Types below are errors, the others status. */
export const FIRST_STATUS = 16384;

/** Notify message types: status (RFC 7296 section 3.10.1). */
export const INITIAL_CONTACT = 16384;
export const COOKIE = 16390;
export const USE_TRANSPORT_MODE = 16391;

/** A notification; its SPI, which none of those that matter here has, is passed over. */
export interface Notify {
  readonly type: number;
  readonly data: Uint8Array;
}

/** The notifications of a chain; `undefined` if one of them is malformed. */
export function parseNotifies(payloads: readonly Payload[]): Notify[] | undefined {
  const notifies: Notify[] = [];
  for (const { type, body } of payloads)
    if (type === PAYLOAD_NOTIFY) {
      const start = 4 + body[1]!;
      if (!(start <= body.length)) return;
      notifies.push({ type: uint16(body, 2), data: body.subarray(start) });
    }
  return notifies;
}

/** The first error among notifications. */
export function firstError(notifies: readonly Notify[]): Notify | undefined {
  return notifies.find(({ type }) => type < FIRST_STATUS);
}

/** The first notification of a type. */
export function findNotify(notifies: readonly Notify[], wanted: number): Notify | undefined {
  return notifies.find(({ type }) => type === wanted);
}

/** A Notify payload that concerns the IKE SA, and so has no SPI. */
export function emitNotify(type: number, data: ArrayLike<number> = []): Payload {
  return { type: PAYLOAD_NOTIFY, body: concat([0, 0], octets16(type), data) };
}
