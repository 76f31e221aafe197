/**
 * For a place where somebody listens and may answer IKE_SA_INIT before the gateway does: every first response is taken
 * for good until one of them is proven (RFC 7296 section 2.4). The session that waits is a value, so it can be used for
 * each response; no IV is used twice for that, because the keys come from the response.
 *
 * Each response costs a key exchange and a session of about 1 KB, so their number is bounded.
 */

import { type Profile, receive, type Session, type Step, timeout } from "ikelet";

/** The session that waits for a first response, and one for each that came. */
export type Candidates = readonly [waiting: Session, ...taken: Session[]];

export interface CandidatesStep {
  /** Send, look at the events and set the timer as ever. */
  readonly step: Step;
  /** For the next call; without them `step.session` goes on alone: it is proven, or all is over. */
  readonly candidates?: Candidates;
}

const MOST_CANDIDATES = 4;

const isOver = ({ session }: Step): boolean => session.state === "closed";

/** In place of `receive`, from the step of `initiate` on: `[step.session]` are the first candidates. */
export function receiveAny(profile: Profile, candidates: Candidates, datagram: Uint8Array): CandidatesStep {
  const [waiting, ...taken] = candidates;
  const steps = taken.map((session) => receive(profile, session, datagram));
  const proven = steps.find(
    ({ session }) => session.state !== "authenticating" && session.state !== "closed",
  );
  if (proven) return { step: proven };
  // Who ends a session without a proof need not be the gateway: the others go on.
  const left = steps.filter((step) => !isOver(step)).map(({ session }) => session);
  const first = receive(profile, waiting, datagram);
  const last = steps.find(isOver);
  if (last && !left.length && isOver(first)) return { step: last };
  if (first.session.state !== "authenticating") return { step: first, candidates: [first.session, ...left] };
  const isKnown = left.some(({ handshake }) => Buffer.compare(handshake!.response!, datagram) === 0);
  return isKnown || left.length === MOST_CANDIDATES
    ? { step: { session: waiting, send: [], events: [] }, candidates: [waiting, ...left] }
    : { step: first, candidates: [waiting, ...left, first.session] };
}

/** In place of `timeout`: repeats what each of them has sent last. */
export function timeoutAny(profile: Profile, candidates: Candidates): CandidatesStep {
  const steps = candidates.map((session) => timeout(profile, session));
  if (steps.every(isOver)) return { step: steps.find(({ events }) => events.length) ?? steps[0]! };
  const [first, ...others] = steps as [Step, ...Step[]];
  const left = others.filter((step) => !isOver(step));
  const waits = [first, ...left].flatMap(({ wait }) => wait || []);
  return {
    step: {
      session: first.session,
      send: steps.flatMap(({ send }) => [...send]),
      events: [],
      wait: Math.min(...waits),
    },
    candidates: [first.session, ...left.map(({ session }) => session)],
  };
}
