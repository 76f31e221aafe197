import type { CloseReason, Event, IgnoredReason, Step } from "../event.ts";
import { DEFAULT_RETRANSMISSION, type Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import { FIRST_STATUS, type Notify } from "../wire/notify.ts";
import { concat } from "../wire/octets.ts";

/** A step; without `wait` the timer is left alone. */
export function makeStep(
  session: Session,
  events: readonly Event[] = [],
  send: readonly Uint8Array[] = [],
  wait?: number,
): Step {
  return { session, send, events, wait };
}

/** Nothing happened that matters. */
export function ignore(session: Session, reason: IgnoredReason, notify?: number): Step {
  return makeStep(session, [{ type: "ignored", reason, notify }]);
}

/**
 * Sends the unanswered request of the session, for the n-th time. The random SPI stretches the waits of each session
 * by another part, up to a half, so that a fleet that lost its gateway does not ask for it in step.
 */
export function sendRequest(
  { retransmission = DEFAULT_RETRANSMISSION }: Profile,
  session: Session,
  sends: number = 1,
  events?: readonly Event[],
): Step {
  return makeStep(
    { ...session, sends },
    events,
    [session.request!],
    Math.floor(retransmission.wait * (1 << (sends - 1)) * (1 + session.spiI[7]! / 512)),
  );
}

/** Ends a session: what is left knows no secrets. */
export function end({ spiI, spiR, hint }: Session, reason: CloseReason, notify?: number): Step {
  return makeStep(
    { state: "closed", spiI, spiR, messageId: 0, peerMessageId: 0, ivCounter: 0, sends: 0 },
    [{ type: "closed", reason, notify, hint }],
    [],
    0,
  );
}

/** The events of the errors among notifications in a protected message. */
export function notified(notifies: readonly Notify[]): Event[] {
  return notifies
    .filter(({ type }) => type < FIRST_STATUS)
    .map(({ type, data }) => ({ type: "notified", notify: type, data: concat(data) }));
}
