import type { Step } from "../event.ts";
import type { Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import { openMessage } from "../sk/open.ts";
import { FLAG_INITIATOR, FLAG_RESPONSE } from "../wire/header.ts";
import { parseMessage } from "../wire/message.ts";
import { equalOctets } from "../wire/octets.ts";
import { PAYLOAD_SK } from "../wire/payload.ts";
import { receiveAuth } from "./auth.ts";
import { clear } from "./extensions.ts";
import { receiveInitial } from "./initial.ts";
import { receivePeerRequest } from "./peer-request.ts";
import { receiveResponse } from "./request.ts";
import { end, ignore, makeStep } from "./step.ts";

/**
 * A datagram has come. Whatever it is, this returns: what does not belong to the session, or is damaged, or
 * forged, leaves session and timer as they are and gives the event `ignored` with the reason.
 *
 * @param datagram one UDP payload, without the non-ESP marker of port 4500; its memory may be used again
 *   afterwards
 */
export function receive(profile: Profile, session: Session, datagram: Uint8Array): Step {
  const { state, keys, request, response, lastPeerRequest } = session;
  if (lastPeerRequest && equalOctets(datagram, lastPeerRequest)) return makeStep(session, [], [response!]);
  const message = parseMessage(datagram);
  if (!message) return ignore(session, "malformed");
  const { flags, exchange, messageId, payloads } = message;
  const sk = payloads[payloads.length - 1];
  const isProtected = sk?.type === PAYLOAD_SK;
  const step = isProtected ? undefined : clear(profile, session, message);
  if (step) return step;
  // Messages to us are from the responder, and for our SPI (RFC 7296 section 2.6).
  if (
    flags & FLAG_INITIATOR ||
    !equalOctets(message.spiI, session.spiI) ||
    !(state === "initiating" || equalOctets(message.spiR, session.spiR))
  )
    return ignore(session, "foreign");

  const isResponse = flags & FLAG_RESPONSE;
  const ahead = messageId - session.peerMessageId;
  if (
    isResponse
      ? // It has the exchange type and the Message ID of the request that it answers.
        !request || exchange !== request[18] || messageId !== session.messageId - 1
      : // One at a time, and after the initial exchanges only (RFC 7296 sections 2.3 and 1.4).
        session.handshake || !(ahead === 0 || (ahead === -1 && response))
  )
    return ignore(session, "unexpected");
  if (state === "initiating") return receiveInitial(profile, session, datagram, message);

  if (!keys || !isProtected) return ignore(session, "unprotected");
  const opened = openMessage(profile.suite.cipher, keys.skR, datagram, sk);
  if (!opened) return ignore(session, "integrity");
  if (!isResponse)
    return ahead
      ? makeStep(session, [], [response!])
      : receivePeerRequest(profile, session, datagram, exchange, opened.payloads);
  const inside = opened.payloads;
  // Nothing may be said about a bad response (RFC 7296 section 2.21); a gateway that sends one is beyond help. None may
  // have a critical payload (section 2.5).
  if (!inside || inside.some(({ critical }) => critical))
    return end(session, state === "closing" ? "requested" : "malformed");
  return state === "authenticating"
    ? receiveAuth(profile, session, inside)
    : receiveResponse(profile, session, inside);
}
