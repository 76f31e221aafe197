import type { CloseReason, Event, IgnoredReason } from "../event.ts";
import { DEFAULT_RETRANSMISSION, type Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import { FIRST_STATUS, type Notify } from "../wire/notify.ts";
import { concat } from "../wire/octets.ts";

/** The result of every transition. */
export interface Step {
  /** The next session. The one that was passed in must not be used again. */
  readonly session: Session;
  /** Datagrams for the gateway, in this order, without the non-ESP marker of port 4500. */
  readonly send: readonly Uint8Array[];
  readonly events: readonly Event[];
  /**
   * The one timer. A number of milliseconds: set it anew, and call `timeout` when it ends. 0: stop it. Absent:
   * leave it as it runs; whatever arrives, an unanswered request must be repeated in time.
   */
  readonly wait?: number | undefined;
}

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

/** Sends the unanswered request of the session, for the n-th time. */
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
    retransmission.wait * (1 << (sends - 1)),
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
