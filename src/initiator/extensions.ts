/** Asks the extensions of the profile, in their order. */

import type { Event } from "../event.ts";
import type { Heard, Idle, Place } from "../extension.ts";
import type { Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import type { Payload } from "../wire/payload.ts";

/** The payloads that they add to a request of ours. */
export function added({ extensions = [] }: Profile, session: Session, place: Place): Payload[] {
  const payloads: Payload[] = [];
  for (const { add } of extensions) if (add) payloads.push(...add(session, place));
  return payloads;
}

/** What they make of what the gateway sent. */
export function read(
  { extensions = [] }: Profile,
  exchange: number,
  session: Session,
  payloads: readonly Payload[],
  events: readonly Event[] = [],
): Heard {
  return extensions.reduce<Heard>((heard, { read }) => (read ? read(heard, exchange) : heard), {
    session,
    payloads,
    events,
  });
}

/** What is to be sent while no request is unanswered. */
export function idle({ extensions = [] }: Profile, session: Session): Idle | undefined {
  return extensions.map(({ idle }) => idle?.(session)).find((found) => found);
}
