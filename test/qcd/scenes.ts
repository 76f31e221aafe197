/** Gateways and devices that give tokens, and messages in the clear that bring them back. */

import assert from "node:assert/strict";
import type { Event, Profile, Session } from "ikelet";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { qcd, type TokenMaker } from "ikelet/qcd.js";
import { resume, resumeEntropyLength, resumption, type Ticket } from "ikelet/resumption.js";
import { connect, type Device, deliver, exchange, octets, only, take } from "../initiator/harness.ts";
import { inTheClear } from "../initiator/scenes.ts";
import {
  type Bytes,
  concat,
  type Header,
  hex,
  Notify,
  notifications,
  notify,
  type Options,
  type Payload,
  type QcdOptions,
  qcdToken,
  type Responder,
  tokenNotify,
  u32,
} from "../responder/index.ts";

/** Secrets of the gateway and of the device. */
export const GATEWAY_SECRET: Bytes = octets(32, "secret of the gateway");
export const GATEWAY_QCD: QcdOptions = { secrets: [GATEWAY_SECRET] };
export const SECRETS: readonly Bytes[] = [0, 1, 2, 3, 4].map((n) => octets(32, `secret ${n} of the device`));
export const MAKER: TokenMaker = { prf: hmacSha256, secrets: SECRETS.slice(0, 1) };

/** The handshake of a taker with a maker. */
export function taking(
  options: Partial<Options> = {},
  changes: Partial<Profile> = {},
): { device: Device; gateway: Responder; token: Bytes } {
  const { device, gateway } = connect(
    { extensions: [resumption(), qcd()], ...changes },
    { qcd: GATEWAY_QCD, tickets: {}, ...options },
  );
  only(device.events, "established");
  assert.deepEqual(gateway.violations, []);
  return { device, gateway, token: tokenOf(gateway, device.session) };
}

/** What the gateway gave for a session. */
export function tokenOf(gateway: Responder, { spiI, spiR }: Session, n: number = 0): Bytes {
  const options = gateway.options.qcd ?? GATEWAY_QCD;
  return qcdToken(options, options.secrets[n]!, spiI, spiR);
}

export const invalidIkeSpi: Payload = notify(Notify.INVALID_IKE_SPI);

/** INVALID_SPI of a Child SA's packets. */
export function invalidSpi(spi: number): Payload {
  return notify(Notify.INVALID_SPI, u32(spi));
}

/** The answer of a gateway that has lost its memory to whatever request. */
export function answer(device: Device, tokens: readonly Bytes[], change: Partial<Header> = {}): Bytes {
  return inTheClear(device, [invalidIkeSpi, ...tokens.map((token) => tokenNotify(token))], {
    flags: 0x20,
    messageId: 2,
    ...change,
  });
}

/** Tokens among payloads. */
export function tokensIn(payloads: readonly Payload[]): Bytes[] {
  return notifications(payloads)
    .filter(({ type }) => type === Notify.QCD_TOKEN)
    .map(({ data }) => data);
}

/** One more session for the device, with a ticket. */
export function resumeWith(device: Device, gateway: Responder, ticket: Ticket): void {
  const entropy = octets(resumeEntropyLength(device.profile), `resumption ${hex(device.session.spiI)}`);
  device.events.length = 0;
  exchange(device, gateway, take(device, resume(device.profile, ticket, 1, entropy)).send);
  only(device.events, "established");
}

export function ticketOf(events: readonly Event[]): Ticket {
  return only(events, "ticket").ticket;
}

/** The datagram ends the session, in silence and with one event. */
export function assertCrashed(device: Device, datagram: Bytes): void {
  const { events, send, wait, session } = deliver(device, datagram);
  assert.deepEqual(events, [{ type: "closed", reason: "crashed", notify: undefined, hint: undefined }]);
  assert.deepEqual(send, []);
  assert.equal(wait, 0);
  const { spiI, spiR } = session;
  const counters = { messageId: 0, peerMessageId: 0, ivCounter: 0, sends: 0 };
  assert.deepEqual(session, { state: "closed", spiI, spiR, ...counters });
}

/** All octet strings in a value, one behind the other: what a dump of it would show. */
export function dump(value: unknown): string {
  if (value instanceof Uint8Array) return hex(concat(value));
  if (typeof value !== "object" || value === null) return "";
  return Object.values(value).map(dump).join(" ");
}
