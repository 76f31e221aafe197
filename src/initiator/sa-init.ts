import type { IgnoredReason } from "../event.ts";
import type { Agreement } from "../extension.ts";
import { skeyseed } from "../keys/ike-keys.ts";
import type { Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import { parseKeyExchange } from "../wire/key-exchange.ts";
import { parseNonce } from "../wire/nonce.ts";
import { concat } from "../wire/octets.ts";
import { PAYLOAD_KE, PAYLOAD_NONCE, PAYLOAD_SA, type Payload, solePayload } from "../wire/payload.ts";
import { acceptedSpi, PROTOCOL_IKE } from "../wire/proposal.ts";
import { ikeOffer } from "./offers.ts";

/** What the response of IKE_SA_INIT agrees on, or why it is of no use (RFC 7815 section 2.1). */
export function agreeSaInit(
  profile: Profile,
  session: Session,
  payloads: readonly Payload[],
): Agreement | IgnoredReason {
  const { prf, keyExchange } = profile.suite;
  const { nonceI, secret } = session.handshake!;
  const sa = solePayload(payloads, PAYLOAD_SA);
  const ke = solePayload(payloads, PAYLOAD_KE);
  const nonceR = solePayload(payloads, PAYLOAD_NONCE);
  if (!sa || !ke || !nonceR) return "malformed";
  if (!parseNonce(nonceR)) return "nonce";
  // A session with a ticket, in whose profile the extension is missing, has offered nothing and has no private value.
  if (!secret!.length || !acceptedSpi(sa, PROTOCOL_IKE, 0, ikeOffer(profile))) return "proposal";
  const publicValue = parseKeyExchange(ke, keyExchange!.transformId);
  const sharedSecret = publicValue && keyExchange!.sharedSecret(secret!, publicValue);
  if (!sharedSecret) return "key-exchange";
  const seed = skeyseed(prf, nonceI, nonceR, sharedSecret);
  sharedSecret.fill(0);
  // The caller may use the memory of the datagram for the next one.
  return { seed, nonceR: concat(nonceR) };
}
