/** Asks the extensions of the profile, in their order. */

import type { Event, Step } from "../event.ts";
import type { Heard, Idle, InitialExchange, Place } from "../extension.ts";
import type { Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import type { Message } from "../wire/message.ts";
import type { Payload } from "../wire/payload.ts";

/** The payloads that they add to a request of ours. */
export function added({ extensions = [] }: Profile, session: Session, place: Place): Payload[] {
  const payloads: Payload[] = [];
  for (const { add } of extensions) if (add) payloads.push(...add(session, place));
  return payloads;
}

/** What they make of what the gateway sent. */
export function read(
  profile: Profile,
  exchange: number,
  session: Session,
  payloads: readonly Payload[],
  isResponse: boolean,
  events: readonly Event[] = [],
): Heard {
  let heard: Heard = { session, payloads, events };
  for (const { read } of profile.extensions ?? [])
    if (read) heard = read(profile, heard, exchange, isResponse);
  return heard;
}

/** The first answer that one of them has to a message in the clear. */
export function clear(profile: Profile, session: Session, message: Message): Step | undefined {
  let step: Step | undefined;
  for (const { clear } of profile.extensions ?? []) step ??= clear?.(profile, session, message);
  return step;
}

/** The one that brings an initial exchange of this type. */
export function initialExchange({ extensions = [] }: Profile, exchange: number): InitialExchange | undefined {
  return extensions.find(({ initial }) => initial?.exchange === exchange)?.initial;
}

/** What is to be sent while no request is unanswered. */
export function idle({ extensions = [] }: Profile, session: Session): Idle | undefined {
  return extensions.map(({ idle }) => idle?.(session)).find((found) => found);
}
