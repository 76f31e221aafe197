/** Quick crash detection (RFC 6290): `ikelet/qcd.js`. */

import type { Prf } from "./crypto/contracts.ts";
import { equalSecrets } from "./crypto/equal.ts";
import { misuse } from "./error.ts";
import type { Step } from "./event.ts";
import { type Extension, keep, kept } from "./extension.ts";
import { requestInformational } from "./initiator/request.ts";
import { end, ignore } from "./initiator/step.ts";
import type { Profile } from "./profile.ts";
import type { Session } from "./session.ts";
import {
  CREATE_CHILD_SA,
  FLAG_INITIATOR,
  FLAG_RESPONSE,
  IKE_AUTH,
  type IkeSpis,
  INFORMATIONAL,
} from "./wire/header.ts";
import { emitMessage, parseMessage } from "./wire/message.ts";
import { emitNotify, findNotify, type Notify, parseNotifies } from "./wire/notify.ts";
import { allZero, concat, equalOctets, octets16, uint32 } from "./wire/octets.ts";
import { PAYLOAD_NOTIFY, PAYLOAD_SK, type Payload } from "./wire/payload.ts";
import { PROTOCOL_IKE } from "./wire/proposal.ts";

/** Notify message types (RFC 7296 section 3.10.1, RFC 6290 section 10). */
const INVALID_IKE_SPI = 4;
const INVALID_SPI = 11;
const QCD_TOKEN = 16419;

const NAME = "qcd";
/** RFC 6290 section 5. */
const SHORTEST_TOKEN = 16;
const LONGEST_TOKEN = 128;
/** So many tokens of one message are compared; RFC 6290 section 4.5 asks for four. */
const MOST_COMPARED = 8;
/** How many tokens of the gateway are kept, the newest first. */
const MOST_KEPT = 4;
/** Today's secret and three before it (RFC 6290 section 5.1). */
const MOST_SECRETS = 4;
/** RFC 6290 section 5.1. */
const SHORTEST_SECRET = 32;

/** What a token maker needs. */
export interface TokenMaker {
  readonly prf: Prf;
  /**
   * Secrets of this device alone that outlive a reboot, 32 random octets each; the newest first, then up to three
   * that it has replaced. Whoever knows one can end every IKE SA that it made a token for, and so can anybody who
   * may ask a second device that shares it (RFC 6290 section 9.2).
   */
  readonly secrets: readonly Uint8Array[];
}

function checkMaker({ secrets }: TokenMaker): void {
  if (!secrets.length || secrets.some(({ length }) => length < SHORTEST_SECRET))
    throw misuse("argument", `secrets: expected ${SHORTEST_SECRET} octets each, got less`);
}

/**
 * Tokens of the newest secrets, each prf(secret, SPIi ‖ SPIr): different for each pair of SPIs, and made anew without
 * any state. The Protocol ID is 1 here, as RFC 6290 section 4.1 says.
 */
function emitTokens({ prf, secrets }: TokenMaker, { spiI, spiR }: IkeSpis, most: number = 1): Payload[] {
  return secrets.slice(0, most).map((secret) => ({
    type: PAYLOAD_NOTIFY,
    body: concat([PROTOCOL_IKE, 0], octets16(QCD_TOKEN), prf.keyed(secret)(spiI, spiR)),
  }));
}

function tokensAmong(notifies: readonly Notify[]): Uint8Array[] {
  return notifies.filter(({ type }) => type === QCD_TOKEN).map(({ data }) => data);
}

/**
 * Keeps the tokens that the gateway gives under protection. If one of them comes back in the clear, the gateway has
 * lost its state: the session ends at once with the reason `crashed` (`requested` if we were closing it), and a
 * ticket survives.
 *
 * What is no good token changes nothing. If it says that the gateway does not know our SPIs, its event `ignored` has
 * the reason `hint`, and `notify` is 4 or 11, or 16419 for a wrong token alone. Anybody can send that: it may be
 * taken as a reason for a `checkLiveness`, and for one only in a time that you set, with `spend`.
 *
 * Tokens are compared, in constant time, and nothing is computed: a flood of forged ones costs less than a flood of
 * anything else.
 *
 * @param maker to give the gateway a token of ours as well, for `crashAnswer`; then this stands before
 *   `configuration` in `extensions`
 * @throws IkeletError `argument` if the maker has no secret, or a short one
 * @example
 * ```ts
 * import { checkLiveness, entropyLength, fqdn, host, initiate, net, type Session, type Step } from "ikelet";
 * import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
 * import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
 * import { x25519 } from "ikelet/crypto/x25519.js";
 * import { type Allowance, qcd, spend } from "ikelet/qcd.js";
 * import { resume, resumeEntropyLength, resumption, type Ticket } from "ikelet/resumption.js";
 * import assert from "node:assert/strict";
 * import { randomBytes } from "node:crypto";
 *
 * const profile = {
 *   suite: { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519 },
 *   local: fqdn("sensor-7.example"),
 *   psk: randomBytes(32),
 *   child: {
 *     cipher: chacha20Poly1305,
 *     mode: "tunnel" as const,
 *     local: host([10, 1, 0, 7]),
 *     remote: net([10, 99, 0, 0], 16),
 *   },
 *   extensions: [resumption(), qcd()],
 * };
 * let session: Session;
 * let ticket: Ticket | undefined;
 * let since = 0;
 * // One liveness check a minute for the sake of hints.
 * let hints: Allowance = { left: 1, at: 0 };
 *
 * function perform(step: Step): void {
 *   session = step.session;
 *   step.send.forEach(transmit);
 *   // Then one timer with step.wait, which does perform(timeout(profile, session)).
 *   for (const event of step.events) {
 *     if (event.type === "ticket") [ticket, since] = [event.ticket, performance.now()];
 *     if (event.type === "closed" && event.reason === "crashed") recover();
 *     if (event.type === "ignored" && event.reason === "hint" && session.state === "established") {
 *       const rest = spend(hints, performance.now(), 1, 60_000);
 *       if (rest) {
 *         hints = rest;
 *         perform(checkLiveness(profile, session));
 *       }
 *     }
 *   }
 * }
 *
 * function recover(): void {
 *   const elapsed = (performance.now() - since) / 1000;
 *   if (ticket && elapsed < ticket.lifetime)
 *     perform(resume(profile, ticket, elapsed, randomBytes(resumeEntropyLength(profile))));
 *   else perform(initiate(profile, randomBytes(entropyLength(profile))));
 * }
 *
 * // In place of a socket:
 * const sent: Uint8Array[] = [];
 * const transmit = (datagram: Uint8Array) => sent.push(datagram);
 * recover();
 * assert.equal(sent.length, 1);
 * ```
 */
export function qcd(maker?: TokenMaker): Extension {
  if (maker) checkMaker(maker);
  const tokens = (session: Session): readonly Uint8Array[] =>
    (kept(session, NAME) as readonly Uint8Array[] | undefined) ?? [];
  return {
    name: NAME,
    secret: true,
    add: (session, place) => (place === "auth" && maker ? emitTokens(maker, session) : []),
    read: (_, heard, exchange) => {
      const { session, payloads } = heard;
      const good = tokensAmong(parseNotifies(payloads) ?? []).filter(
        ({ length }) => length >= SHORTEST_TOKEN && length <= LONGEST_TOKEN,
      );
      // The response of the first exchange is not protected.
      if (!good.length || (exchange !== IKE_AUTH && exchange !== INFORMATIONAL)) return heard;
      const all = good.map((token) => concat(token)).concat(tokens(session));
      return { ...heard, session: keep(session, NAME, all.slice(0, MOST_KEPT)) };
    },
    clear: (_, session, { spiI, spiR, payloads }) => {
      if (!session.keys || session.handshake) return;
      const notifies = parseNotifies(payloads) ?? [];
      const unknown = findNotify(notifies, INVALID_SPI)?.data;
      const child = unknown?.length === 4 && uint32(unknown, 0) === session.child?.spiOut;
      if (!child && !(equalOctets(spiI, session.spiI) && equalOctets(spiR, session.spiR))) return;
      let good = false;
      for (const token of tokensAmong(notifies).slice(0, MOST_COMPARED))
        for (const wanted of tokens(session)) good = equalSecrets(wanted, token) || good;
      if (good)
        return end(session, session.closeNext || session.state === "closing" ? "requested" : "crashed");
      const hint = child
        ? INVALID_SPI
        : (findNotify(notifies, INVALID_IKE_SPI) ?? findNotify(notifies, QCD_TOKEN))?.type;
      return hint ? ignore(session, "hint", hint) : undefined;
    },
  };
}

/**
 * Gives the gateway our token anew, in an exchange of its own (RFC 6290 section 4.4): due only when the secret that
 * made the old one is about to leave `secrets`, so after the fourth roll-over in the life of a session.
 *
 * @throws IkeletError `state` if the session is not established, or another request is unanswered; `argument` as `qcd`
 * @example
 * ```ts
 * import { fqdn, host, net, type Session } from "ikelet";
 * import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
 * import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
 * import { announceToken, qcd } from "ikelet/qcd.js";
 * import assert from "node:assert/strict";
 * import { randomBytes } from "node:crypto";
 *
 * const old = [randomBytes(32), randomBytes(32), randomBytes(32)];
 * const maker = { prf: hmacSha256, secrets: [randomBytes(32), ...old] };
 * const profile = {
 *   suite: { cipher: chacha20Poly1305, prf: hmacSha256 },
 *   local: fqdn("sensor-7.example"),
 *   child: {
 *     cipher: chacha20Poly1305,
 *     mode: "tunnel" as const,
 *     local: host([10, 1, 0, 7]),
 *     remote: net([10, 99, 0, 0], 16),
 *   },
 *   extensions: [qcd(maker)],
 * };
 * // In place of an established session:
 * const session: Session = {
 *   state: "established",
 *   spiI: randomBytes(8),
 *   spiR: randomBytes(8),
 *   messageId: 2,
 *   peerMessageId: 0,
 *   ivCounter: 1,
 *   sends: 0,
 *   keys: { skD: randomBytes(32), skI: randomBytes(36), skR: randomBytes(36) },
 * };
 *
 * const { send } = announceToken(profile, session, maker);
 * assert.equal(send.length, 1); // the event `alive` comes with the answer
 * ```
 */
export function announceToken(profile: Profile, session: Session, maker: TokenMaker): Step {
  checkMaker(maker);
  return requestInformational(profile, session, emitTokens(maker, session));
}

/**
 * After a reboot: what to answer to a protected request for an IKE SA that is no more (RFC 6290 section 4.5). The
 * gateway, which knows the token, then drops that SA at once.
 *
 * Answer so many in a second as the device can afford, and be silent beyond that (section 8.1): with `spend`.
 *
 * @param datagram that came, without the non-ESP marker of port 4500
 * @param sessions **all** sessions of the device, also those that are being set up, and those that sleep in flash: a
 *   token for one of them would let anybody end it
 * @returns the answer, to be sent to where the datagram came from, or `undefined` if it deserves none
 * @throws IkeletError `argument` as `qcd`
 * @example
 * ```ts
 * import type { Session } from "ikelet";
 * import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
 * import { type Allowance, crashAnswer, spend } from "ikelet/qcd.js";
 * import assert from "node:assert/strict";
 * import { randomBytes } from "node:crypto";
 *
 * const maker = { prf: hmacSha256, secrets: [randomBytes(32)] }; // in flash
 * const sessions: Session[] = [];
 * // Five at once, then one a second.
 * let answers: Allowance = { left: 5, at: 0 };
 *
 * function arrivedForNobody(datagram: Uint8Array): Uint8Array | undefined {
 *   const rest = spend(answers, performance.now(), 5, 1000);
 *   const answer = rest && crashAnswer(maker, datagram, sessions);
 *   if (answer) answers = rest;
 *   return answer;
 * }
 *
 * // What a gateway may send that has an old SA with us: INFORMATIONAL, and an Encrypted payload of 29 octets.
 * const request = new Uint8Array([
 *   ...randomBytes(16), 46, 0x20, 37, 0, 0, 0, 0, 0, 0, 0, 0, 61,
 *   0, 0, 0, 33, ...randomBytes(29),
 * ]);
 * assert.deepEqual(arrivedForNobody(request)?.subarray(0, 16), request.subarray(0, 16));
 * assert.equal(arrivedForNobody(new Uint8Array(9)), undefined);
 * ```
 */
export function crashAnswer(
  maker: TokenMaker,
  datagram: Uint8Array,
  sessions: readonly IkeSpis[],
): Uint8Array | undefined {
  checkMaker(maker);
  const message = parseMessage(datagram);
  if (!message) return;
  const { spiI, spiR, exchange, flags, messageId, payloads } = message;
  if (
    flags & (FLAG_INITIATOR | FLAG_RESPONSE) ||
    allZero(spiI) ||
    allZero(spiR) ||
    (exchange !== INFORMATIONAL && exchange !== CREATE_CHILD_SA) ||
    payloads[0]?.type !== PAYLOAD_SK ||
    // Of a session that is being set up we may not know the SPI of the gateway yet.
    sessions.some((session) => equalOctets(session.spiI, spiI))
  )
    return;
  return emitMessage(message, exchange, FLAG_INITIATOR | FLAG_RESPONSE, messageId, [
    emitNotify(INVALID_IKE_SPI),
    ...emitTokens(maker, message, MOST_SECRETS),
  ]);
}

/** What is left of what may be done: plain data. */
export interface Allowance {
  /** How often, at `at`. */
  readonly left: number;
  /** Milliseconds, by a clock of the caller's that never goes back. */
  readonly at: number;
}

/**
 * Limits what strangers can make a device do: `most` times at once, and one time more in every `interval`.
 *
 * @param allowance the last result, or `{ left: most, at: now }` to begin with
 * @param interval milliseconds
 * @returns what is left after one more, or `undefined` when that would be too much
 * @example
 * ```ts
 * import { spend } from "ikelet/qcd.js";
 * import assert from "node:assert/strict";
 *
 * const once = spend({ left: 1, at: 0 }, 500, 1, 60_000);
 * assert.deepEqual(once, { left: 0, at: 500 });
 * assert.equal(spend(once!, 60_000, 1, 60_000), undefined);
 * assert.deepEqual(spend(once!, 60_500, 1, 60_000), { left: 0, at: 60_500 });
 * ```
 */
export function spend(
  { left, at }: Allowance,
  now: number,
  most: number,
  interval: number,
): Allowance | undefined {
  const saved = Math.min(most, left + (now - at) / interval);
  return saved >= 1 ? { left: saved - 1, at: now } : undefined;
}
