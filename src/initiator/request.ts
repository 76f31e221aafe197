import { misuse } from "../error.ts";
import type { Event, Step } from "../event.ts";
import type { Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import { emitDelete } from "../wire/delete.ts";
import { INFORMATIONAL } from "../wire/header.ts";
import { INVALID_SYNTAX, parseNotifies } from "../wire/notify.ts";
import type { Payload } from "../wire/payload.ts";
import { idle, read } from "./extensions.ts";
import { request } from "./protect.ts";
import { end, makeStep, notified } from "./step.ts";

/**
 * Tells the gateway that the IKE SA is over. Its Child SA goes with it: a Delete for that one that crosses ours
 * needs none in the answer (RFC 7296 section 2.25.1).
 */
export function requestDelete(profile: Profile, session: Session, events?: readonly Event[]): Step {
  const closing: Session = { ...session, state: "closing", child: undefined };
  return request(profile, closing, INFORMATIONAL, [emitDelete()], events);
}

/** No request is unanswered any more. */
export function rest(profile: Profile, session: Session, events: readonly Event[]): Step {
  return makeStep(session, events, [], idle(profile, session)?.wait ?? 0);
}

/**
 * A request of our own in an INFORMATIONAL exchange.
 *
 * @throws IkeletError `state` if the session is not established, or another request is unanswered
 */
export function requestInformational(profile: Profile, session: Session, payloads: readonly Payload[]): Step {
  if (session.state !== "established" || session.request)
    throw misuse("state", `session: expected established and at rest, got ${session.state}`);
  return request(profile, session, INFORMATIONAL, payloads);
}

/**
 * Asks the gateway whether it is still there (RFC 7296 section 2.4): an empty INFORMATIONAL request. The event
 * `alive` comes with the answer, or `closed` with the reason `timeout`. While another request is unanswered,
 * that one asks already, and nothing is sent.
 *
 * @throws IkeletError `state` if the session is not established
 */
export function checkLiveness(profile: Profile, session: Session): Step {
  return session.state === "established" && session.request
    ? makeStep(session)
    : requestInformational(profile, session, []);
}

/**
 * Closes the session in good order: tells the gateway with a Delete (RFC 7296 section 1.4.1), as soon as no
 * other request is unanswered. The event `closed` comes with the answer. Before the session is established
 * there is nothing to tell, and it ends at once.
 */
export function close(profile: Profile, session: Session): Step {
  if (session.handshake) return end(session, "requested");
  if (session.state !== "established") return makeStep(session);
  return session.request ? makeStep({ ...session, closeNext: true }) : requestDelete(profile, session);
}

/** The response to an INFORMATIONAL request of ours, its integrity good. */
export function receiveResponse(profile: Profile, session: Session, payloads: readonly Payload[]): Step {
  if (session.state === "closing") return end(session, "requested");
  const notifies = parseNotifies(payloads) ?? [];
  // Fatal in both peers: the gateway has dropped the IKE SA without a Delete (RFC 7296 section 2.21.3).
  if (notifies.some(({ type }) => type === INVALID_SYNTAX)) return end(session, "refused", INVALID_SYNTAX);
  const alive: Event[] = [{ type: "alive" }, ...notified(notifies)];
  const answered = { ...session, request: undefined };
  const { session: next, events } = read(profile, INFORMATIONAL, answered, payloads, true, alive);
  return session.closeNext ? requestDelete(profile, next, events) : rest(profile, next, events);
}
