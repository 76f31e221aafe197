// The demand for a cookie (RFC 7296 section 2.6), and the strict look at the retry.

import { type Bytes, concat, equal, hex, readU16, u32 } from "./bytes.ts";
import { Flag, Notify, Type } from "./numbers.ts";
import { notify, readNotify } from "./payloads.ts";
import { sendClear } from "./send.ts";
import type { CookieOptions, Gateway } from "./state.ts";
import { decodeChain, encodeChain, HEADER_LENGTH, type Payload, type ReceivedHeader } from "./wire.ts";

/** header ‖ N(COOKIE) ‖ octets 28… of the first request: only Next Payload and Length differ in the header. */
export function cookieRetry(request: Bytes, cookie: Bytes): Bytes {
  const payload = encodeChain([notify(Notify.COOKIE, cookie)], request[16] as number);
  const header = concat(
    request.slice(0, 16),
    Uint8Array.of(Type.NOTIFY),
    request.slice(17, 24),
    u32(request.length + payload.length),
  );
  return concat(header, payload, request.slice(HEADER_LENGTH));
}

/** The cookie that stands first in a request. */
export function leadingCookie(datagram: Bytes): Bytes | undefined {
  const [first] = decodeChain(datagram[16] as number, datagram.slice(HEADER_LENGTH));
  if (first?.type !== Type.NOTIFY) return undefined;
  const { type, data } = readNotify(first.body);
  return type === Notify.COOKIE ? data : undefined;
}

/** The request as it was before any cookie was put in front. */
export function withoutCookie(datagram: Bytes): Bytes {
  if (leadingCookie(datagram) === undefined) return datagram;
  const length = readU16(datagram, HEADER_LENGTH + 2);
  return concat(
    datagram.slice(0, 16),
    datagram.slice(HEADER_LENGTH, HEADER_LENGTH + 1),
    datagram.slice(17, 24),
    u32(datagram.length - length),
    datagram.slice(HEADER_LENGTH + length),
  );
}

/** The replies while cookies are demanded; undefined once the request may pass. */
export function demandCookie(gateway: Gateway, header: ReceivedHeader, datagram: Bytes): Bytes[] | undefined {
  const options = gateway.options.cookie;
  if (!options || options.rounds < 1) return undefined;
  const key = hex(header.spiI);
  const state = gateway.cookies[key];
  if (!state) {
    const issued = issue(gateway, options, header);
    gateway.cookies[key] = { request: withoutCookie(datagram), latest: datagram, rounds: 0, ...issued };
    return [issued.reply];
  }
  if (equal(datagram, state.latest) || equal(datagram, state.request)) return [state.reply];
  const cookie = leadingCookie(datagram);
  if (!cookie || !equal(datagram, cookieRetry(state.request, cookie))) {
    gateway.violations.push("7296-2.6-f: the retry is not the first request with the cookie in front");
  }
  if (!cookie || !equal(cookie, state.cookie)) {
    gateway.ignored.push("a cookie that is not the latest");
    return [state.reply];
  }
  state.latest = datagram;
  state.rounds += 1;
  if (state.rounds >= options.rounds) return undefined;
  Object.assign(state, issue(gateway, options, header));
  return [state.reply];
}

function issue(
  gateway: Gateway,
  options: CookieOptions,
  { spiI, exchange, messageId }: ReceivedHeader,
): { cookie: Bytes; reply: Bytes } {
  const data = options.data ?? 32;
  const cookie = typeof data === "number" ? gateway.random(data) : data;
  const spiR = options.spiR ?? new Uint8Array(8);
  const header = { spiI, spiR, version: 0x20, exchange, flags: Flag.RESPONSE, messageId };
  const payloads: Payload[] = [notify(Notify.COOKIE, cookie), ...(options.beside ?? [])];
  return { cookie, reply: sendClear(gateway, header, payloads).datagram };
}
