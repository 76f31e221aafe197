import type { Step } from "../event.ts";
import type { InitialExchange } from "../extension.ts";
import { ikeKeys } from "../keys/ike-keys.ts";
import type { Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import { emitAuthentication } from "../wire/authentication.ts";
import { emitBlock } from "../wire/block.ts";
import { HEADER_LENGTH, IKE_AUTH } from "../wire/header.ts";
import { emitIdentification } from "../wire/identification.ts";
import type { Message } from "../wire/message.ts";
import {
  COOKIE,
  emitNotify,
  findNotify,
  firstError,
  INITIAL_CONTACT,
  type Notify,
  parseNotifies,
  USE_TRANSPORT_MODE,
} from "../wire/notify.ts";
import { allZero, concat, octets32, uint16 } from "../wire/octets.ts";
import {
  PAYLOAD_AUTH,
  PAYLOAD_IDI,
  PAYLOAD_IDR,
  PAYLOAD_KE,
  PAYLOAD_NONCE,
  PAYLOAD_NOTIFY,
  PAYLOAD_SA,
  PAYLOAD_TSI,
  PAYLOAD_TSR,
  type Payload,
} from "../wire/payload.ts";
import { emitProposal, PROTOCOL_ESP } from "../wire/proposal.ts";
import { emitSelector } from "../wire/selectors.ts";
import { added, initialExchange, read } from "./extensions.ts";
import { childOffer } from "./offers.ts";
import { request } from "./protect.ts";
import { agreeSaInit } from "./sa-init.ts";
import { sign } from "./sign.ts";
import { ignore, sendRequest } from "./step.ts";

/** A gateway under attack may ask more than once; a forger would ask for ever (RFC 7296 section 2.6). */
const MOST_COOKIES = 5;
const LONGEST_COOKIE = 64;
const LONGEST_HINT = 16;

/** The request once more with the cookie in front; all that follows stays as it was (RFC 7296 section 2.6). */
function withCookie(request: Uint8Array, cookie: Uint8Array): Uint8Array {
  let next = request[16]!;
  let rest = request.subarray(HEADER_LENGTH);
  if (next === PAYLOAD_NOTIFY) {
    // The cookie before this one goes.
    next = rest[0]!;
    rest = rest.subarray(uint16(rest, 2));
  }
  const all = concat(
    request.subarray(0, HEADER_LENGTH),
    emitBlock(next, 0, emitNotify(COOKIE, cookie).body),
    rest,
  );
  all[16] = PAYLOAD_NOTIFY;
  all.set(octets32(all.length), 24);
  return all;
}

/** A response that is nothing but notifications: a cookie to send back, or an error to remember. */
function receiveNotifies(
  profile: Profile,
  session: Session,
  notifies: readonly Notify[],
  initial: InitialExchange | undefined,
): Step {
  const cookie = findNotify(notifies, COOKIE)?.data;
  if (cookie?.length && cookie.length <= LONGEST_COOKIE) {
    const { request, sends, hint } = session;
    const handshake = session.handshake!;
    const cookies = handshake.cookies + 1;
    // Each repetition may have got a cookie of its own. Who follows the late ones changes a request that the gateway
    // may have taken, and that AUTH covers. Behind a hint `sends` may be no count.
    const late = sends > 1 && !hint ? sends : 0;
    if (cookies > MOST_COOKIES || sends <= (handshake.late ?? 0)) return ignore(session, "cookie");
    const repeated = withCookie(request!, cookie);
    return sendRequest(profile, {
      ...session,
      request: repeated,
      handshake: { ...handshake, cookies, late },
    });
  }
  const step = initial?.refused?.(session, notifies);
  if (step) return step;
  const error = firstError(notifies);
  if (!error) return ignore(session, "malformed");
  const hint = { notify: error.type, data: concat(error.data.subarray(0, LONGEST_HINT)) };
  return ignore({ ...session, hint }, "hint", error.type);
}

/**
 * The response of the initial exchange (RFC 7815 section 2.1). It is not authenticated yet: whatever is wrong
 * with it, the right one may still come.
 */
export function receiveInitial(
  profile: Profile,
  session: Session,
  datagram: Uint8Array,
  { exchange, spiR, payloads }: Message,
): Step {
  const { suite, child, local, remote } = profile;
  const { nonceI, childSpi, sends } = session.handshake!;
  const notifies = parseNotifies(payloads);
  if (!notifies) return ignore(session, "malformed");
  if (payloads.some(({ critical }) => critical)) return ignore(session, "critical");
  const agrees = ({ type }: Payload): boolean =>
    type === PAYLOAD_SA || type === PAYLOAD_KE || type === PAYLOAD_NONCE;
  const initial = initialExchange(profile, exchange);
  if (!payloads.some(agrees)) return receiveNotifies(profile, session, notifies, initial);
  if (allZero(spiR)) return ignore(session, "malformed");
  const agreed = initial
    ? initial.agree(profile, session, payloads)
    : agreeSaInit(profile, session, payloads);
  if (typeof agreed === "string") return ignore(session, agreed);

  const { seed, nonceR } = agreed;
  const { skPi, ...keys } = ikeKeys(suite, seed, concat(nonceI, nonceR), concat(session.spiI, spiR));
  seed.fill(0);
  const idI = emitIdentification(local);
  const auth = sign(profile, session, session.request!, nonceR, skPi, idI);
  skPi.fill(0);
  const { session: next, events } = read(
    profile,
    exchange,
    {
      ...session,
      state: "authenticating",
      // The caller may use the memory of the datagram for the next one.
      spiR: concat(spiR),
      keys,
      handshake: { nonceI, nonceR, response: concat(datagram), childSpi, cookies: 0, sends },
    },
    payloads,
    true,
  );
  const payload = (type: number, body: Uint8Array) => ({ type, body });
  const authRequest = [
    payload(PAYLOAD_IDI, idI),
    ...(profile.initialContact ? [emitNotify(INITIAL_CONTACT)] : []),
    ...(remote ? [payload(PAYLOAD_IDR, emitIdentification(remote))] : []),
    payload(PAYLOAD_AUTH, emitAuthentication(auth)),
    ...added(profile, next, "auth"),
    ...(child.mode === "transport" ? [emitNotify(USE_TRANSPORT_MODE)] : []),
    payload(PAYLOAD_SA, emitProposal(PROTOCOL_ESP, childSpi, childOffer(profile))),
    payload(PAYLOAD_TSI, emitSelector(child.local)),
    payload(PAYLOAD_TSR, emitSelector(child.remote)),
    ...added(profile, next, "end"),
  ];
  return request(profile, next, IKE_AUTH, authRequest, events);
}
