import { misuse } from "../error.ts";
import type { Step } from "../event.ts";
import type { Profile } from "../profile.ts";
import { IKE_SA_INIT } from "../wire/header.ts";
import { emitKeyExchange } from "../wire/key-exchange.ts";
import { PAYLOAD_KE, PAYLOAD_SA, type Payload } from "../wire/payload.ts";
import { emitProposal, PROTOCOL_IKE } from "../wire/proposal.ts";
import { begin, beginLength } from "./begin.ts";
import { ikeOffer } from "./offers.ts";

/**
 * How many octets of entropy `initiate` takes: for the IKE SPI, the nonce, the private value and the SPI of the
 * Child SA; 60 with HMAC-SHA2-256 and X25519.
 */
export function entropyLength(profile: Profile): number {
  return beginLength(profile, profile.suite.keyExchange?.secretLength ?? 0);
}

/**
 * Starts an IKE SA: makes the IKE_SA_INIT request (RFC 7815 section 2.1). Send `step.send`, set the timer to
 * `step.wait`, then call `receive` for each datagram and `timeout` when the timer ends, until an event of
 * the type `established` or `closed` comes.
 *
 * @param entropy at least `entropyLength(profile)` octets from a cryptographic random generator, never used
 *   before; the caller should overwrite them afterwards
 * @throws IkeletError `entropy` if these are too few or begin with eight zeros; `profile` without a pre-shared
 *   key or key exchange. What else can be wrong with a profile, `checkProfile` of `ikelet/check.js` finds while you
 *   develop
 * @example
 * ```ts
 * import { entropyLength, fqdn, initiate, net } from "ikelet";
 * import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
 * import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
 * import { x25519 } from "ikelet/crypto/x25519.js";
 * import assert from "node:assert/strict";
 * import { randomBytes } from "node:crypto";
 *
 * const profile = {
 *   suite: { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519 },
 *   local: fqdn("sensor-7.example"),
 *   remote: fqdn("gw.example"),
 *   psk: randomBytes(32),
 *   child: {
 *     cipher: chacha20Poly1305,
 *     mode: "tunnel" as const,
 *     local: net([10, 1, 0, 7], 32),
 *     remote: net([10, 99, 0, 0], 16),
 *   },
 * };
 * const step = initiate(profile, randomBytes(entropyLength(profile)));
 * assert.equal(step.send[0]!.length, 124);
 * ```
 */
export function initiate(profile: Profile, entropy: Uint8Array): Step {
  const { keyExchange } = profile.suite;
  if (!(profile.pskPad ?? profile.psk)?.length) throw misuse("profile", "psk: expected octets, got none");
  if (!keyExchange) throw misuse("profile", "suite.keyExchange: expected a method, got none");
  const { transformId, secretLength, publicValue } = keyExchange;
  const sa = { type: PAYLOAD_SA, body: emitProposal(PROTOCOL_IKE, [], ikeOffer(profile)) };
  const ke = (secret: Uint8Array): Payload => ({
    type: PAYLOAD_KE,
    body: emitKeyExchange(transformId, publicValue(secret)),
  });
  return begin(profile, entropy, IKE_SA_INIT, secretLength, (secret) => [sa, ke(secret)], []);
}
