import { equalSecrets } from "../crypto/equal.ts";
import type { ChildFailure, ChildSa, Step } from "../event.ts";
import { childKeys } from "../keys/child-keys.ts";
import type { Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import { parseAuthentication } from "../wire/authentication.ts";
import { IKE_AUTH } from "../wire/header.ts";
import { emitIdentification, parseIdentification } from "../wire/identification.ts";
import { findNotify, firstError, type Notify, parseNotifies, USE_TRANSPORT_MODE } from "../wire/notify.ts";
import { concat, equalOctets, uint32 } from "../wire/octets.ts";
import {
  PAYLOAD_AUTH,
  PAYLOAD_IDR,
  PAYLOAD_SA,
  PAYLOAD_TSI,
  PAYLOAD_TSR,
  type Payload,
  solePayload,
} from "../wire/payload.ts";
import { acceptedSpi, PROTOCOL_ESP } from "../wire/proposal.ts";
import { parseSelectors, type TrafficSelector, within } from "../wire/selectors.ts";
import { read } from "./extensions.ts";
import { childOffer } from "./offers.ts";
import { requestDelete, rest } from "./request.ts";
import { sign } from "./sign.ts";
import { end } from "./step.ts";

/** 0 must not be sent in a packet, and 1 to 255 are reserved (RFC 4303 section 2.1). */
const LOWEST_SPI = 256;

/** The selectors of the answer if all of them are a part of what was offered (RFC 7296 section 2.9). */
function narrowed(body: Uint8Array, offer: TrafficSelector): TrafficSelector[] | undefined {
  // What stays in the Child SA must not lie in the memory of the datagram.
  const selectors = parseSelectors(concat(body));
  return selectors?.length && selectors.every((selector) => within(selector, offer)) ? selectors : undefined;
}

/** The Child SA of the response, or why there is none. */
function acceptChild(
  profile: Profile,
  session: Session,
  payloads: readonly Payload[],
  notifies: readonly Notify[],
): ChildSa | ChildFailure {
  const { mode, cipher, esn = false, ...offer } = profile.child;
  const { encryptionId, keyBits, integrityId } = cipher;
  const { nonceI, nonceR, childSpi } = session.handshake!;
  const sa = solePayload(payloads, PAYLOAD_SA);
  const tsI = solePayload(payloads, PAYLOAD_TSI);
  const tsR = solePayload(payloads, PAYLOAD_TSR);
  if (firstError(notifies)) return "refused";
  if (!sa || !tsI || !tsR) return "missing";
  const spi = acceptedSpi(sa, PROTOCOL_ESP, childSpi.length, childOffer(profile));
  if (!spi || uint32(spi, 0) < LOWEST_SPI) return "proposal";
  const local = narrowed(tsI, offer.local);
  const remote = narrowed(tsR, offer.remote);
  if (!local || !remote) return "selectors";
  if (!findNotify(notifies, USE_TRANSPORT_MODE) !== (mode === "tunnel")) return "mode";
  const [outKey, inKey] = childKeys(profile.suite.prf, cipher, session.keys!.skD, concat(nonceI, nonceR!));
  return {
    mode,
    esn,
    encryptionId,
    keyBits,
    integrityId,
    outbound: { spi: uint32(spi, 0), key: outKey },
    inbound: { spi: uint32(childSpi, 0), key: inKey },
    local,
    remote,
  };
}

/**
 * The response of IKE_AUTH (RFC 7815 section 2.1). It comes from the party of IKE_SA_INIT; whether that is the
 * gateway, its AUTH tells.
 */
export function receiveAuth(profile: Profile, session: Session, payloads: readonly Payload[]): Step {
  const { nonceI, response } = session.handshake!;
  const { skPr, ...keys } = session.keys!;
  const notifies = parseNotifies(payloads);
  if (!notifies) return end(session, "malformed");
  const notify = firstError(notifies)?.type;

  const auth = solePayload(payloads, PAYLOAD_AUTH);
  if (!auth && notify) return end(session, "refused", notify);
  const idR = solePayload(payloads, PAYLOAD_IDR);
  const remote = idR && parseIdentification(concat(idR));
  const mic = auth && parseAuthentication(auth);
  if (!remote || !mic?.length || !equalSecrets(mic, sign(profile, session, response!, nonceI, skPr!, idR)))
    return end(session, "authentication");
  if (profile.remote && !equalOctets(emitIdentification(remote), emitIdentification(profile.remote)))
    return end(session, "identity");

  const heard = read(profile, IKE_AUTH, session, payloads, true);
  const child = acceptChild(profile, heard.session, heard.payloads, notifies);
  const up: Session = {
    ...heard.session,
    state: "established",
    request: undefined,
    handshake: undefined,
    hint: undefined,
    keys,
  };
  // A minimal initiator cannot ask for a Child SA later: it starts over (RFC 7815 section 2.1).
  if (typeof child === "string")
    return requestDelete(profile, up, [
      ...heard.events,
      { type: "child-failed", remote, reason: child, notify },
    ]);
  return rest(profile, { ...up, child: { spiIn: child.inbound.spi, spiOut: child.outbound.spi } }, [
    ...heard.events,
    { type: "established", remote, child },
  ]);
}
