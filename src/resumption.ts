/** Session resumption (RFC 5723): `ikelet/resumption.js`. */

import type { Suite } from "./crypto/contracts.ts";
import { misuse } from "./error.ts";
import type { Event, Step, Ticket } from "./event.ts";
import { type Extension, keep, kept } from "./extension.ts";
import { begin, beginLength } from "./initiator/begin.ts";
import { requestInformational } from "./initiator/request.ts";
import { ignore } from "./initiator/step.ts";
import { authentication } from "./keys/auth.ts";
import type { Profile } from "./profile.ts";
import type { Session } from "./session.ts";
import { ascii } from "./wire/ascii.ts";
import { FLAG_RESPONSE, IKE_AUTH } from "./wire/header.ts";
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

/**
 * How often and how long to try. With the defaults, IKE_SESSION_RESUME is sent 3 times in 7 to 10 s, then once
 * more as often with another SPI, and after 14 to 21 s of silence a full handshake is due.
 */
export interface ResumptionOptions {
  /**
   * Of `resumption`: for how long the right answer may still come after a refusal in the clear, which anybody can
   * have sent, in milliseconds. Default: 1000.
   */
  readonly grace?: number;
  /**
   * Of `resume`: how often IKE_SESSION_RESUME, and IKE_AUTH after it, is sent, with the waits of the profile. Some
   * gateways never answer a repeated one, so that a fresh attempt has better prospects than one more repetition.
   * Default: 3.
   */
  readonly sends?: number;
  /** Of `afterResume`: how often a ticket is presented in vain before a full handshake is due. Default: 2. */
  readonly attempts?: number;
}

/** What the extension keeps in the session. */
interface Kept {
  /** Until the gateway has authenticated itself: SK_d of the ticket. */
  readonly skD?: Uint8Array;
  /** Who the gateway is; of a ticket, who it has to be. */
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

/** In memory of its own: what a session keeps may be overwritten. */
function copyOf({ type, data }: Identification): Identification {
  return { type, data: concat(data) };
}

function same(a: Identification, b: Identification): boolean {
  return equalOctets(emitIdentification(a), emitIdentification(b));
}

/**
 * Asks for a ticket in IKE_AUTH, and presents one with `resume`. The event `ticket` brings a new one, after a
 * full handshake as after a resumption; `ticketSurvives` says when one has to be erased.
 *
 * @example
 * ```ts
 * import { resumption, ticketSurvives } from "ikelet/resumption.js";
 * import assert from "node:assert/strict";
 *
 * assert.equal(resumption().name, "resumption"); // for `extensions` of the profile
 * assert.equal(ticketSurvives({ type: "closed", reason: "timeout" }), true);
 * assert.equal(ticketSurvives({ type: "closed", reason: "deleted" }), false);
 * ```
 */
export function resumption({ grace = 1000 }: ResumptionOptions = {}): Extension {
  return {
    name: NAME,
    add: (_, place) => (place === "end" ? [emitNotify(TICKET_REQUEST)] : []),

    read: (profile, heard, exchange, isResponse) => {
      const idR = solePayload(heard.payloads, PAYLOAD_IDR);
      const {
        asked,
        signed,
        // The session may have begun without this extension; then the gateway has proved to be this one.
        remote = idR ? parseIdentification(idR) : profile.remote,
      } = keptIn(heard.session);
      if (exchange !== IKE_AUTH && !(isResponse && asked)) return heard;
      const session = keep(heard.session, NAME, { signed, remote: remote && copyOf(remote) } satisfies Kept);
      const notifies = parseNotifies(heard.payloads) ?? [];
      const granted = findNotify(notifies, TICKET_LT_OPAQUE)?.data;
      const lifetime = remote && granted && granted.length > LIFETIME_LENGTH && uint32(granted, 0);
      const event: Event = lifetime
        ? {
            type: "ticket",
            ticket: {
              ticket: concat(granted.subarray(LIFETIME_LENGTH)),
              lifetime,
              // A copy, like that in resume: whoever destroys a ticket may overwrite it.
              skD: concat(session.keys!.skD),
              ...algorithms(profile.suite),
              local: profile.local,
              remote: copyOf(remote),
              signed,
              attempts: 0,
            },
          }
        : { type: "no-ticket", reason: findNotify(notifies, TICKET_ACK) ? "later" : "refused" };
      return { ...heard, session, events: heard.events.concat(event) };
    },

    initial: {
      exchange: IKE_SESSION_RESUME,
      agree: ({ suite }, session, payloads) => {
        const nonceR = solePayload(payloads, PAYLOAD_NONCE);
        if (!nonceR || !parseNonce(nonceR)) return "nonce";
        const { nonceI } = session.handshake!;
        const seed = suite.prf.keyed(keptIn(session).skD!)(ascii("Resumption"), nonceI, nonceR);
        return { seed, nonceR: concat(nonceR) };
      },
      // A hint, too: the gateway gets a little more time to say otherwise. Once: who repeats it cannot put off the end.
      refused: (session, notifies) => {
        if (!findNotify(notifies, TICKET_NACK)) return;
        const sends = session.handshake!.sends! + 1;
        const hint = { notify: TICKET_NACK, data: new Uint8Array(0) };
        return {
          ...ignore({ ...session, sends, hint }, "hint", TICKET_NACK),
          wait: session.sends < sends ? grace : undefined,
        };
      },
      sign: ({ suite: { prf } }, session, message, peerNonce, skP, identification) => {
        const { remote, signed } = keptIn(session);
        // IDr has to be that of the ticket (RFC 5723 section 4.3.3).
        return message[19]! & FLAG_RESPONSE && !same(parseIdentification(identification)!, remote!)
          ? new Uint8Array(0)
          : signed === "rfc"
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
 * @example
 * ```ts
 * import { type Event, fqdn, host, net } from "ikelet";
 * import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
 * import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
 * import { afterResume, resume, resumeEntropyLength, resumption, type Ticket } from "ikelet/resumption.js";
 * import assert from "node:assert/strict";
 * import { randomBytes } from "node:crypto";
 *
 * // A device that only resumes: no key exchange, no pre-shared key.
 * const profile = {
 *   suite: { cipher: chacha20Poly1305, prf: hmacSha256 },
 *   local: fqdn("sensor-7.example"),
 *   remote: fqdn("gw.example"),
 *   child: {
 *     cipher: chacha20Poly1305,
 *     mode: "tunnel" as const,
 *     local: host([10, 1, 0, 7]),
 *     remote: net([10, 99, 0, 0], 16),
 *   },
 *   extensions: [resumption()],
 * };
 * // As the event `ticket` brought it, ten minutes ago.
 * const ticket: Ticket = {
 *   ticket: randomBytes(200),
 *   lifetime: 3600,
 *   skD: randomBytes(32),
 *   encryptionId: 28,
 *   keyBits: 0,
 *   integrityId: 0,
 *   prfId: 5,
 *   local: profile.local,
 *   remote: profile.remote,
 *   signed: "rfc",
 *   attempts: 0,
 * };
 * const step = resume(profile, ticket, 600, randomBytes(resumeEntropyLength(profile)));
 * const [request] = step.send;
 * assert.equal(request![18], 38); // IKE_SESSION_RESUME
 * assert.equal(request!.length, 28 + 20 + 8 + ticket.ticket.length); // header, nonce, ticket
 *
 * // The gateway does not answer: once more, then a full handshake.
 * const silence: Event = { type: "closed", reason: "timeout" };
 * const again = afterResume(ticket, silence);
 * assert.equal(again?.attempts, 1);
 * assert.equal(afterResume(again!, silence), undefined);
 * ```
 */
export function resume(
  profile: Profile,
  ticket: Ticket,
  elapsed: number,
  entropy: Uint8Array,
  { sends = 3 }: ResumptionOptions = {},
): Step {
  const { local, remote, suite } = profile;
  const { skD, signed } = ticket;
  if (!(elapsed >= 0 && elapsed < ticket.lifetime))
    throw misuse("ticket", `elapsed: expected less than ${ticket.lifetime} s, got ${elapsed}`);
  const ours = algorithms(suite);
  const other = (Object.keys(ours) as (keyof typeof ours)[]).find((name) => ours[name] !== ticket[name]);
  if (other || !same(local, ticket.local) || (remote && !same(remote, ticket.remote)))
    throw misuse("ticket", `${other ?? "local, remote"}: expected that of the ticket`);
  return begin(
    profile,
    entropy,
    IKE_SESSION_RESUME,
    0,
    () => [],
    [emitNotify(TICKET_OPAQUE, ticket.ticket)],
    sends,
    { [NAME]: { skD: concat(skD), remote: copyOf(ticket.remote), signed } satisfies Kept },
  );
}

/**
 * Asks for a ticket in an exchange of its own (RFC 5723 section 4.1), after the event `no-ticket` with the reason
 * `later`, or before one expires.
 *
 * @throws IkeletError `state` if the session is not established, or another request is unanswered
 */
export function requestTicket(profile: Profile, session: Session): Step {
  const asking = keep(session, NAME, { ...keptIn(session), asked: true } satisfies Kept);
  return requestInformational(profile, asking, [emitNotify(TICKET_REQUEST)]);
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
  if (event.notify === AUTHENTICATION_FAILED && signed === "rfc") return { ...next, signed: "first-message" };
  return event.reason === "timeout" && event.hint?.notify !== TICKET_NACK && next.attempts < attempts
    ? next
    : undefined;
}

/**
 * Whether the stored ticket survives an event of a session; with `false`, erase it. A Delete of either side, and
 * `close`, destroy it (RFC 5723 section 6.2); the loss of the session does not. A session that comes up without a new
 * ticket has used up the old one (section 4.3.1).
 *
 * Of a session of `resume` that ends before it is established, `afterResume` tells more.
 */
export function ticketSurvives(event: Event): boolean {
  const end = event.type === "closed" ? event.reason : event.type;
  return ["requested", "deleted", "no-ticket", "child-failed"].indexOf(end) < 0;
}
