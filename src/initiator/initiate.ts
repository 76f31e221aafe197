import { misuse } from "../error.ts";
import type { Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import { FLAG_INITIATOR, IKE_SA_INIT } from "../wire/header.ts";
import { emitKeyExchange } from "../wire/key-exchange.ts";
import { emitMessage } from "../wire/message.ts";
import { allZero, concat } from "../wire/octets.ts";
import { PAYLOAD_KE, PAYLOAD_NONCE, PAYLOAD_SA } from "../wire/payload.ts";
import { emitProposal, PROTOCOL_IKE } from "../wire/proposal.ts";
import { added } from "./extensions.ts";
import { ikeOffer } from "./offers.ts";
import { type Step, sendRequest } from "./step.ts";

const SPI_LENGTH = 8;
const CHILD_SPI_LENGTH = 4;
/** 128 bits at least, and half the key of the PRF (RFC 7296 section 2.10). */
const SHORTEST_NONCE = 16;
/** Keeps clear of the SPIs 0 to 255, which are reserved (RFC 4303 section 2.1). */
const HIGHEST_BIT = 0x80;

function nonceLength({ suite: { prf } }: Profile): number {
  return Math.max(SHORTEST_NONCE, prf.keyLength / 2);
}

/**
 * How many octets of entropy `initiate` takes: for the IKE SPI, the nonce, the private value and the SPI of the
 * Child SA; 60 with HMAC-SHA2-256 and X25519.
 */
export function entropyLength(profile: Profile): number {
  return SPI_LENGTH + nonceLength(profile) + profile.suite.keyExchange.secretLength + CHILD_SPI_LENGTH;
}

/**
 * Starts an IKE SA: makes the IKE_SA_INIT request (RFC 7815 section 2.1). Send `step.send`, set the timer to
 * `step.wait`, then call `receive` for each datagram and `timeout` when the timer ends, until an event of
 * the type `established` or `closed` comes.
 *
 * @param entropy at least `entropyLength(profile)` octets from a cryptographic random generator, never used
 *   before; the caller should overwrite them afterwards
 * @throws IkeletError `entropy` if these are too few or begin with eight zeros; `profile` without a pre-shared
 *   key. What else can be wrong with a profile, `checkProfile` of `ikelet/check.js` finds while you develop
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
  const needed = entropyLength(profile);
  if (!profile.psk?.length && !profile.pskPad) throw misuse("profile", "psk: expected octets, got none");
  if (entropy.length < needed)
    throw misuse("entropy", `entropy: expected ${needed} octets, got ${entropy.length}`);
  let at = 0;
  const take = (length: number): Uint8Array => {
    at += length;
    return concat(entropy.subarray(at - length, at));
  };
  const spiI = take(SPI_LENGTH);
  // SPIi is never zero (RFC 7296 section 3.1); a generator that says so is none.
  if (allZero(spiI)) throw misuse("entropy", "entropy: expected random octets, got zeros");
  const nonceI = take(nonceLength(profile));
  const { keyExchange } = profile.suite;
  const secret = take(keyExchange.secretLength);
  const childSpi = take(CHILD_SPI_LENGTH);
  childSpi[0]! |= HIGHEST_BIT;
  const session: Session = {
    spiI,
    spiR: new Uint8Array(SPI_LENGTH),
    state: "initiating",
    messageId: 1,
    peerMessageId: 0,
    ivCounter: 0,
    sends: 0,
    handshake: { nonceI, secret, childSpi, cookies: 0 },
  };
  const request = emitMessage(session, IKE_SA_INIT, FLAG_INITIATOR, 0, [
    { type: PAYLOAD_SA, body: emitProposal(PROTOCOL_IKE, [], ikeOffer(profile)) },
    {
      type: PAYLOAD_KE,
      body: emitKeyExchange(keyExchange.transformId, keyExchange.publicValue(secret)),
    },
    { type: PAYLOAD_NONCE, body: nonceI },
    ...added(profile, session, "initial"),
  ]);
  return sendRequest(profile, { ...session, request });
}
