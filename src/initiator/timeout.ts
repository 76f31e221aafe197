import type { Step } from "../event.ts";
import { DEFAULT_RETRANSMISSION, type Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import { idle } from "./extensions.ts";
import { end, makeStep, sendRequest } from "./step.ts";

/**
 * The time of `step.wait` has passed: repeats the unanswered request, bit for bit, and waits twice as long
 * (RFC 7296 section 2.1); after the last one ends the session with the event `closed`. A call when nothing is
 * unanswered does nothing, but for what an extension wants to send then; a late call repeats once.
 */
export function timeout(profile: Profile, session: Session): Step {
  const { request, sends, state, closeNext } = session;
  if (!request) {
    const due = state === "established" && idle(profile, session);
    return due ? makeStep(session, [], [due.send], due.wait) : makeStep(session);
  }
  return sends < (session.handshake?.sends ?? (profile.retransmission ?? DEFAULT_RETRANSMISSION).sends)
    ? sendRequest(profile, session, sends + 1)
    : end(session, state === "closing" || closeNext ? "requested" : "timeout");
}
