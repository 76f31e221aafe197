/** Quick crash detection (RFC 6290): `ikelet/qcd.js`. */

import type { Prf } from "./crypto/contracts.ts";
import { equalSecrets } from "./crypto/equal.ts";
import { misuse } from "./error.ts";
import type { Step } from "./event.ts";
import { type Extension, keep, kept } from "./extension.ts";
import { request } from "./initiator/protect.ts";
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
import { emitNotify, findNotify, parseNotifies } from "./wire/notify.ts";
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

/** What a token maker needs. */
export interface TokenMaker {
  readonly prf: Prf;
  /**
   * Secrets of the device that outlive a reboot, 32 random octets each; the newest first, then up to three that it
   * has replaced.
   */
  readonly secrets: readonly Uint8Array[];
}

/**
 * The token is prf(secret, SPIi ‖ SPIr): different for each pair of SPIs, and made anew without any state. The
 * Protocol ID is 1 here, as RFC 6290 section 4.1 says.
 */
function emitToken({ prf }: TokenMaker, secret: Uint8Array, { spiI, spiR }: IkeSpis): Payload {
  const token = prf.keyed(secret)(spiI, spiR);
  return { type: PAYLOAD_NOTIFY, body: concat([PROTOCOL_IKE, 0], octets16(QCD_TOKEN), token) };
}

function tokensIn(payloads: readonly Payload[]): Uint8Array[] {
  return (parseNotifies(payloads) ?? []).filter(({ type }) => type === QCD_TOKEN).map(({ data }) => data);
}

/**
 * Keeps the tokens that the gateway gives under protection. If one of them comes back in the clear, the gateway has
 * lost its state: the session ends at once with the reason `crashed`, and a ticket survives. What is no good token
 * changes nothing; its event `ignored` with the reason `hint` (notify 4 or 11) may be taken as a reason for one
 * `checkLiveness`, and not for more than one in a time that the caller sets.
 *
 * Tokens are compared, in constant time, and nothing is computed: a flood of forged ones costs less than a flood of
 * anything else.
 *
 * @param maker to give the gateway a token of ours as well, for `crashAnswer`
 * @example
 * ```ts
 * import { qcd } from "ikelet/qcd.js";
 * import assert from "node:assert/strict";
 *
 * assert.equal(qcd().name, "qcd"); // for `extensions` of the profile
 * ```
 */
export function qcd(maker?: TokenMaker): Extension {
  const tokens = (session: Session): readonly Uint8Array[] =>
    (kept(session, NAME) as readonly Uint8Array[] | undefined) ?? [];
  return {
    name: NAME,
    add: (session, place) =>
      place === "auth" && maker ? [emitToken(maker, maker.secrets[0]!, session)] : [],
    read: (_, heard, exchange) => {
      const { session, payloads } = heard;
      const good = tokensIn(payloads).filter(
        ({ length }) => length >= SHORTEST_TOKEN && length <= LONGEST_TOKEN,
      );
      // The response of the first exchange is not protected.
      if (!good.length || (exchange !== IKE_AUTH && exchange !== INFORMATIONAL)) return heard;
      const all = good.map((token) => concat(token)).concat(tokens(session));
      return { ...heard, session: keep(session, NAME, all.slice(0, MOST_KEPT)) };
    },
    clear: (_, session, message) => {
      if (!session.keys || session.handshake) return;
      const notifies = parseNotifies(message.payloads) ?? [];
      const invalidSpi = findNotify(notifies, INVALID_SPI)?.data;
      const ours =
        equalOctets(message.spiI, session.spiI) && equalOctets(message.spiR, session.spiR)
          ? INVALID_IKE_SPI
          : invalidSpi?.length === 4 && uint32(invalidSpi, 0) === session.child?.spiOut
            ? INVALID_SPI
            : 0;
      if (!ours) return;
      const known = tokens(session);
      let good = false;
      for (const token of tokensIn(message.payloads).slice(0, MOST_COMPARED))
        for (const wanted of known) good = equalSecrets(token, wanted) || good;
      return good ? end(session, "crashed") : ignore(session, "hint", ours);
    },
  };
}

/**
 * Gives the gateway our token anew, in an exchange of its own: when the secret that made the old one is no longer
 * among `secrets` (RFC 6290 section 4.4).
 *
 * @throws IkeletError `state` if the session is not established, or another request is unanswered
 */
export function announceToken(profile: Profile, session: Session, maker: TokenMaker): Step {
  if (session.state !== "established" || session.request)
    throw misuse("state", `session: expected established and at rest, got ${session.state}`);
  return request(profile, session, INFORMATIONAL, [emitToken(maker, maker.secrets[0]!, session)]);
}

/**
 * After a reboot: what to answer to a protected request for an IKE SA that is no more (RFC 6290 section 4.5). The
 * gateway, which knows the token, then drops that SA at once.
 *
 * Answer so many in a second as the device can afford, and be silent beyond that (section 8.1).
 *
 * @param datagram that came, without the non-ESP marker of port 4500
 * @param sessions **all** sessions of the device, also those that are being set up: a token for one of them would let
 *   anybody end it
 * @returns the answer, to be sent to where the datagram came from, or `undefined` if it deserves none
 */
export function crashAnswer(
  maker: TokenMaker,
  datagram: Uint8Array,
  sessions: readonly IkeSpis[],
): Uint8Array | undefined {
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
    ...maker.secrets.slice(0, MOST_SECRETS).map((secret) => emitToken(maker, secret, message)),
  ]);
}
