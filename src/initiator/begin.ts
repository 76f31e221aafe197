import { misuse } from "../error.ts";
import type { Step } from "../event.ts";
import type { Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import { FLAG_INITIATOR } from "../wire/header.ts";
import { emitMessage } from "../wire/message.ts";
import { allZero, concat } from "../wire/octets.ts";
import { PAYLOAD_NONCE, type Payload } from "../wire/payload.ts";
import { added } from "./extensions.ts";
import { sendRequest } from "./step.ts";

const SPI_LENGTH = 8;
const CHILD_SPI_LENGTH = 4;
/** 128 bits at least, and half the key of the PRF (RFC 7296 section 2.10). */
const SHORTEST_NONCE = 16;
/** Keeps clear of the SPIs 0 to 255, which are reserved (RFC 4303 section 2.1). */
const HIGHEST_BIT = 0x80;

function nonceLength({ suite: { prf } }: Profile): number {
  return Math.max(SHORTEST_NONCE, prf.keyLength / 2);
}

/** How many octets of entropy `begin` takes, if the private value takes `secretLength`. */
export function beginLength(profile: Profile, secretLength: number): number {
  return SPI_LENGTH + nonceLength(profile) + secretLength + CHILD_SPI_LENGTH;
}

/**
 * Starts a session with the request of an initial exchange.
 *
 * @param before payloads in front of the nonce, for the private value
 * @param behind payloads behind it, before those of the extensions
 */
export function begin(
  profile: Profile,
  entropy: Uint8Array,
  exchange: number,
  secretLength: number,
  before: (secret: Uint8Array) => readonly Payload[],
  behind: readonly Payload[],
  sends?: number,
  extensions?: Session["extensions"],
): Step {
  const needed = beginLength(profile, secretLength);
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
  const secret = take(secretLength);
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
    handshake: { nonceI, secret, childSpi, cookies: 0, ...(sends && { sends }) },
    ...(extensions && { extensions }),
  };
  const request = emitMessage(session, exchange, FLAG_INITIATOR, 0, [
    ...before(secret),
    { type: PAYLOAD_NONCE, body: nonceI },
    ...behind,
    ...added(profile, session, "initial"),
  ]);
  return sendRequest(profile, { ...session, request });
}
