// Quick crash detection (RFC 6290): the token maker and the token taker.

import { createHash } from "node:crypto";
import { type Bytes, concat, equal, plain } from "./bytes.ts";
import { Exchange, Flag, Notify, Protocol, Type } from "./numbers.ts";
import { notifications, notify } from "./payloads.ts";
import type { Sa } from "./state.ts";
import { encodeMessage, type Payload, type ReceivedHeader } from "./wire.ts";

export interface QcdOptions {
  /** QCD_SECRETs, newest first (section 5.1). */
  secrets: readonly Bytes[];
  /** SHA-512 gives tokens of 64 octets, as some peers send them. */
  hash?: "sha256" | "sha512";
  /** After AUTH (section 4.2) if left out; some peers send it as the last payload. */
  place?: "after AUTH" | "last";
}

export function qcdToken(options: QcdOptions, secret: Bytes, spiI: Bytes, spiR: Bytes): Bytes {
  const hash = createHash(options.hash ?? "sha256")
    .update(secret)
    .update(spiI)
    .update(spiR);
  return plain(hash.digest());
}

export function tokenNotify(token: Bytes, protocol: number = Protocol.IKE): Payload {
  return notify(Notify.QCD_TOKEN, token, undefined, protocol);
}

/** The token of the newest secret, for a protected message. */
export function ownToken(options: QcdOptions, sa: { spiI: Bytes; spiR: Bytes }): Payload {
  return tokenNotify(qcdToken(options, options.secrets[0] as Bytes, sa.spiI, sa.spiR));
}

/** Section 4.5: the answer of a gateway that has lost its memory, for a protected request only. */
export function crashAnswer(options: QcdOptions, request: ReceivedHeader): Bytes | undefined {
  const { flags, exchange, nextPayload, spiI, spiR } = request;
  if (flags & Flag.RESPONSE || !(flags & Flag.INITIATOR)) return undefined;
  if (exchange < Exchange.IKE_AUTH || exchange > Exchange.INFORMATIONAL) return undefined;
  if (nextPayload !== Type.SK && nextPayload !== Type.SKF) return undefined;
  const tokens = options.secrets
    .slice(0, 4)
    .map((secret) => tokenNotify(qcdToken(options, secret, spiI, spiR)));
  const header = { ...request, version: 0x20, flags: Flag.RESPONSE };
  return encodeMessage(header, [notify(Notify.INVALID_IKE_SPI), ...tokens]);
}

/** The taker: is one of these notifies the token that the device gave for this SA? */
export function tokenMatches(sa: Sa, payloads: readonly Payload[]): boolean {
  const token = sa.token;
  if (!token) return false;
  return notifications(payloads).some((n) => n.type === Notify.QCD_TOKEN && equal(n.data, token));
}

/** Keeps the token of a protected message. */
export function takeToken(sa: Sa, payloads: readonly Payload[], violations: string[]): void {
  for (const n of notifications(payloads)) {
    if (n.type !== Notify.QCD_TOKEN) continue;
    if (n.protocol !== Protocol.IKE || n.spi.length > 0)
      violations.push("6290-4.1-a: Protocol ID or SPI Size");
    if (n.data.length < 16 || n.data.length > 128) violations.push("6290-5-a: length of the token");
    else sa.token = concat(n.data);
  }
}
