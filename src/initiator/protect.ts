import type { Event, Step } from "../event.ts";
import type { Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import { sealMessage } from "../sk/seal.ts";
import { FLAG_INITIATOR, FLAG_RESPONSE } from "../wire/header.ts";
import type { Payload } from "../wire/payload.ts";
import { end, makeStep, sendRequest } from "./step.ts";

const HIGHEST_MESSAGE_ID = 0xffffffff;

function protect(
  { suite }: Profile,
  session: Session,
  exchange: number,
  flags: number,
  messageId: number,
  payloads: readonly Payload[],
): Uint8Array {
  const { skI } = session.keys!;
  return sealMessage(suite.cipher, skI, session.ivCounter, session, exchange, flags, messageId, payloads);
}

/** Sends a protected request of ours, or ends the session if it has no Message ID left (RFC 7296 section 2.2). */
export function request(
  profile: Profile,
  session: Session,
  exchange: number,
  payloads: readonly Payload[],
  events?: readonly Event[],
): Step {
  const { messageId, ivCounter } = session;
  if (messageId > HIGHEST_MESSAGE_ID) return end(session, "exhausted");
  const datagram = protect(profile, session, exchange, FLAG_INITIATOR, messageId, payloads);
  const next = { ...session, messageId: messageId + 1, ivCounter: ivCounter + 1, request: datagram };
  return sendRequest(profile, next, 1, events);
}

/** Answers the request of the gateway that is due, and keeps the answer for its repetition. */
export function respond(
  profile: Profile,
  session: Session,
  exchange: number,
  payloads: readonly Payload[],
  events?: readonly Event[],
): Step {
  const { peerMessageId, ivCounter } = session;
  const flags = FLAG_INITIATOR | FLAG_RESPONSE;
  const response = protect(profile, session, exchange, flags, peerMessageId, payloads);
  const next = { ...session, peerMessageId: peerMessageId + 1, ivCounter: ivCounter + 1, response };
  return makeStep(next, events, [response]);
}
