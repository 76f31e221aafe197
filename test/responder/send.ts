// Everything that leaves the gateway passes here, and so do the hooks for misbehaviour.

import { type Bytes, u64 } from "./bytes.ts";
import { Flag } from "./numbers.ts";
import { type Protection, type Sealing, sealMessage } from "./sk.ts";
import type { About, Gateway, Sa } from "./state.ts";
import { protectorOf } from "./suites.ts";
import { encodeMessage, type Header, type Payload, readHeader } from "./wire.ts";

const VERSION = 0x20;

/**
 * The unprotected response to any request, without state: SPIs, exchange and Message ID are copied.
 * Forged errors, forged cookies and NACKs are made with it.
 */
export function unprotectedResponse(
  request: Bytes,
  payloads: readonly Payload[],
  change: Partial<Header> = {},
): Bytes {
  const { spiI, spiR, exchange, messageId } = readHeader(request);
  const header = { spiI, spiR, version: VERSION, exchange, flags: Flag.RESPONSE, messageId };
  return encodeMessage({ ...header, ...change }, payloads);
}

export function sendClear(
  gateway: Gateway,
  header: Header,
  payloads: Payload[],
): { header: Header; datagram: Bytes } {
  const about = aboutOf(header);
  const edited = gateway.options.edit?.header?.(header, about) ?? header;
  const message = encodeMessage(edited, payloads);
  const datagram = gateway.options.edit?.raw?.(message, about) ?? message;
  logOut(gateway, edited, payloads, false, datagram);
  return { header: edited, datagram };
}

export function sendProtected(
  gateway: Gateway,
  sa: Sa,
  header: Header,
  payloads: Payload[],
  sealing?: Sealing,
): Bytes {
  const about = aboutOf(header);
  const { edit } = gateway.options;
  const edited = edit?.header?.(header, about) ?? header;
  const hook = typeof edit?.sealing === "function" ? edit.sealing(about) : edit?.sealing;
  const liberties = { ...hook, ...sealing };
  const protection = fromResponder(sa);
  const iv = liberties.iv ?? nextIv(gateway, sa, protection);
  const message = sealMessage(edited, payloads, protection, iv, liberties);
  const datagram = edit?.raw?.(message, about) ?? message;
  logOut(gateway, edited, payloads, true, datagram);
  return datagram;
}

export function responseHeader(sa: Sa, exchange: number, messageId: number): Header {
  return { ...headerOf(sa, exchange, messageId), flags: Flag.RESPONSE };
}

export function requestHeader(sa: Sa, exchange: number, messageId: number): Header {
  return { ...headerOf(sa, exchange, messageId), flags: 0 };
}

function headerOf(sa: Sa, exchange: number, messageId: number) {
  return { spiI: sa.spiI, spiR: sa.spiR, version: VERSION, exchange, messageId };
}

export function fromInitiator(sa: Sa): Protection {
  return { ...protectorOf(sa.suite), skE: sa.keys.skEi, skA: sa.keys.skAi };
}

export function fromResponder(sa: Sa): Protection {
  return { ...protectorOf(sa.suite), skE: sa.keys.skEr, skA: sa.keys.skAr };
}

/** A counter for an AEAD, random octets for CBC (RFC 7296 section 3.14). */
function nextIv(gateway: Gateway, sa: Sa, { cipher }: Protection): Bytes {
  return cipher.tagLength > 0 ? u64(sa.ivCounter++) : gateway.random(cipher.ivLength);
}

function aboutOf({ exchange, flags, messageId }: Header): About {
  return { exchange, response: (flags & Flag.RESPONSE) !== 0, messageId };
}

function logOut(
  gateway: Gateway,
  header: Header,
  payloads: Payload[],
  isProtected: boolean,
  datagram: Bytes,
): void {
  const { exchange, flags, messageId } = header;
  gateway.log.push({
    direction: "out",
    exchange,
    flags,
    messageId,
    protected: isProtected,
    payloads,
    datagram,
  });
}
