/** Session resumption (RFC 5723): `ikelet/resumption.js`. */

import type { Suite } from "./crypto/contracts.ts";
import { misuse } from "./error.ts";
import type { Event, Step, Ticket } from "./event.ts";
import { type Extension, keep, kept } from "./extension.ts";
import { begin, beginLength } from "./initiator/begin.ts";
import { request } from "./initiator/protect.ts";
import { ignore } from "./initiator/step.ts";
import { authentication } from "./keys/auth.ts";
import type { Profile } from "./profile.ts";
import type { Session } from "./session.ts";
import { ascii } from "./wire/ascii.ts";
import { FLAG_RESPONSE, IKE_AUTH, INFORMATIONAL } from "./wire/header.ts";
import { emitIdentification, type Identification, parseIdentification } from "./wire/identification.ts";
import { parseNonce } from "./wire/nonce.ts";
import { emitNotify, findNotify, parseNotifies } from "./wire/notify.ts";
import { concat, equalOctets, uint32 } from "./wire/octets.ts";
import { PAYLOAD_IDR, PAYLOAD_NONCE, solePayload } from "./wire/payload.ts";

export type { Ticket } from "./event.ts";

/** Exchange type (RFC 5723 section 4.3.2). */
const IKE_SESSION_RESUME = 38;

/** Notify message types (RFC 5723 section 7). */
const TICKET_LT_OPAQUE = 16409;
const TICKET_REQUEST = 16410;
const TICKET_ACK = 16411;
const TICKET_NACK = 16412;
const TICKET_OPAQUE = 16413;
const AUTHENTICATION_FAILED = 24;

const NAME = "resumption";
const LIFETIME_LENGTH = 4;
/** What stands in front of the nonces under SK_d (RFC 5723 section 5.1). */
const LABEL = "Resumption";
/** How long the right answer may still come after a refusal in the clear, in milliseconds. */
const GRACE = 1000;

/** How often and how long to try. */
export interface ResumptionOptions {
  /**
   * How often IKE_SESSION_RESUME is sent: some gateways never answer a repeated one, so that a fresh attempt has
   * better prospects than one more repetition. Default: 3, in 7 s.
   */
  readonly sends?: number;
  /** How often a ticket is presented in vain before a full handshake is due. Default: 2. */
  readonly attempts?: number;
}

/** What the extension keeps in the session. */
interface Kept {
  /** Until the gateway has authenticated itself: what we resume from. */
  readonly from?: Ticket | undefined;
  /** Who the gateway is. */
  readonly remote?: Identification | undefined;
  readonly signed: Ticket["signed"];
  /** A ticket was asked for in INFORMATIONAL. */
  readonly asked?: boolean;
}

function keptIn(session: Session): Kept {
  return (kept(session, NAME) as Kept | undefined) ?? { signed: "rfc" };
}

/** The transforms of the IKE SA, which go with the ticket (RFC 5723 section 5). */
function algorithms({
  cipher,
  prf,
}: Suite): Pick<Ticket, "encryptionId" | "keyBits" | "integrityId" | "prfId"> {
  const { encryptionId, keyBits, integrityId } = cipher;
  return { encryptionId, keyBits, integrityId, prfId: prf.transformId };
}

function sameIdentification(a: Identification, b: Identification): boolean {
  return equalOctets(emitIdentification(a), emitIdentification(b));
}

/**
 * Asks for a ticket in IKE_AUTH, and presents one with `resume`. The event `ticket` brings a new one, after a
 * full handshake as after a resumption.
 *
 * @example
 * ```ts
 * import { resumption } from "ikelet/resumption.js";
 * import assert from "node:assert/strict";
 *
 * assert.equal(resumption().name, "resumption"); // for `extensions` of the profile
 * ```
 */
export function resumption(): Extension {
  return {
    name: NAME,
    add: (_, place) => (place === "end" ? [emitNotify(TICKET_REQUEST)] : []),

    read: (profile, heard, exchange, isResponse) => {
      const old = keptIn(heard.session);
      const idR = solePayload(heard.payloads, PAYLOAD_IDR);
      const auth = exchange === IKE_AUTH;
      if (!auth && !(exchange === INFORMATIONAL && isResponse && old.asked)) return heard;
      const { signed, remote = idR && parseIdentification(concat(idR)) } = old;
      const session = keep(heard.session, NAME, { signed, remote } satisfies Kept);
      const notifies = parseNotifies(heard.payloads) ?? [];
      const granted = findNotify(notifies, TICKET_LT_OPAQUE)?.data;
      const events: Event[] = [];
      const lifetime = granted && granted.length > LIFETIME_LENGTH && uint32(granted, 0);
      if (lifetime)
        events.push({
          type: "ticket",
          ticket: {
            ticket: concat(granted.subarray(LIFETIME_LENGTH)),
            lifetime,
            skD: session.keys!.skD,
            ...algorithms(profile.suite),
            local: profile.local,
            remote: remote!,
            signed,
            attempts: 0,
          },
        });
      else
        events.push({
          type: "no-ticket",
          reason: findNotify(notifies, TICKET_ACK) ? "later" : "refused",
        });
      return { ...heard, session, events: heard.events.concat(events) };
    },

    // A refusal in the clear is a hint: the gateway gets a little more time to say otherwise.
    clear: (_, session, { payloads }) => {
      const { state, request, hint } = session;
      if (state !== "initiating" || request![18] !== IKE_SESSION_RESUME || hint?.notify === TICKET_NACK)
        return;
      if (!findNotify(parseNotifies(payloads) ?? [], TICKET_NACK) || solePayload(payloads, PAYLOAD_NONCE))
        return;
      const given = {
        ...session,
        sends: session.handshake!.sends!,
        hint: { notify: TICKET_NACK, data: new Uint8Array(0) },
      };
      return { ...ignore(given, "hint", TICKET_NACK), wait: GRACE };
    },

    initial: {
      exchange: IKE_SESSION_RESUME,
      agree: ({ suite }, session, payloads) => {
        const nonceR = solePayload(payloads, PAYLOAD_NONCE);
        if (!nonceR) return "malformed";
        if (!parseNonce(nonceR)) return "nonce";
        const { nonceI } = session.handshake!;
        const { skD } = keptIn(session).from!;
        return { seed: suite.prf.keyed(skD)(ascii(LABEL), nonceI, nonceR), nonceR: concat(nonceR) };
      },
      sign: ({ suite: { prf } }, session, message, peerNonce, skP, identification) => {
        const { from } = keptIn(session);
        // IDr has to be that of the ticket (RFC 5723 section 4.3.3); what cannot be right equals no AUTH.
        const who = parseIdentification(identification)!;
        if (message[19]! & FLAG_RESPONSE && !sameIdentification(who, from!.remote)) return new Uint8Array(0);
        return from!.signed === "rfc"
          ? authentication(prf, skP, message, peerNonce, skP, identification)
          : prf.keyed(skP)(message);
      },
    },
  };
}

/** How many octets of entropy `resume` takes; 28 with HMAC-SHA2-256. */
export function resumeEntropyLength(profile: Profile): number {
  return beginLength(profile, 0);
}

/**
 * Starts an IKE SA with a ticket: IKE_SESSION_RESUME in place of IKE_SA_INIT, no key exchange, no pre-shared key
 * (RFC 5723 section 4.3.2). Goes on like `initiate`. Of what the event `closed` then means for the ticket,
 * `afterResume` knows.
 *
 * @param profile with the extension `resumption`; its suite and `local` are those of the ticket
 * @param elapsed seconds since the event `ticket`, by the caller's clock
 * @param entropy at least `resumeEntropyLength(profile)` octets from a cryptographic random generator, never
 *   used before
 * @throws IkeletError `ticket` if it is expired or does not fit the profile; `entropy` as `initiate`
 */
export function resume(
  profile: Profile,
  ticket: Ticket,
  elapsed: number,
  entropy: Uint8Array,
  { sends = 3 }: ResumptionOptions = {},
): Step {
  const { local, remote, suite } = profile;
  if (!(elapsed >= 0 && elapsed < ticket.lifetime))
    throw misuse("ticket", `ticket: good for ${ticket.lifetime} s, got it after ${elapsed}`);
  const ours = algorithms(suite);
  for (const name of Object.keys(ours) as (keyof typeof ours)[])
    if (ours[name] !== ticket[name])
      throw misuse("ticket", `suite: expected ${name} ${ticket[name]}, got ${ours[name]}`);
  if (!sameIdentification(local, ticket.local) || (remote && !sameIdentification(remote, ticket.remote)))
    throw misuse("ticket", "local, remote: expected those of the ticket, got others");
  const { signed } = ticket;
  return begin(
    profile,
    entropy,
    IKE_SESSION_RESUME,
    0,
    () => [],
    [emitNotify(TICKET_OPAQUE, ticket.ticket)],
    sends,
    { [NAME]: { from: ticket, remote: ticket.remote, signed } satisfies Kept },
  );
}

/**
 * Asks for a ticket in an exchange of its own (RFC 5723 section 4.1), after the event `no-ticket` with the reason
 * `later`, or before one expires.
 *
 * @throws IkeletError `state` if the session is not established, or another request is unanswered
 */
export function requestTicket(profile: Profile, session: Session): Step {
  if (session.state !== "established" || session.request)
    throw misuse("state", `session: expected established and at rest, got ${session.state}`);
  const asking = keep(session, NAME, { ...keptIn(session), asked: true } satisfies Kept);
  return request(profile, asking, INFORMATIONAL, [emitNotify(TICKET_REQUEST)]);
}

/**
 * What to do after a session that `resume` started has ended before it was established.
 *
 * @param ticket the one that was presented
 * @param event the last one, of the type `closed`
 * @returns the ticket to present next, or `undefined` when a full handshake is due
 */
export function afterResume(
  ticket: Ticket,
  event: Extract<Event, { type: "closed" }>,
  { attempts = 2 }: ResumptionOptions = {},
): Ticket | undefined {
  const { signed } = ticket;
  const next = { ...ticket, attempts: ticket.attempts + 1 };
  // Said under the keys of the ticket, so by the gateway: it may mean that it signs other octets than we do.
  if (event.reason === "refused" && event.notify === AUTHENTICATION_FAILED && signed === "rfc")
    return { ...next, signed: "first-message" };
  return event.reason === "timeout" && event.hint?.notify !== TICKET_NACK && next.attempts < attempts
    ? next
    : undefined;
}

/**
 * Whether the newest ticket of a session survives an event: a Delete of either side destroys it (RFC 5723
 * section 6.2), the loss of the session does not.
 */
export function ticketSurvives(event: Event): boolean {
  return event.type !== "closed" || (event.reason !== "requested" && event.reason !== "deleted");
}
