// Traffic Selectors (RFC 7296 section 3.13) and narrowing (section 2.9).

import { type Bytes, concat, equal, readU16, u16 } from "./bytes.ts";
import { Malformed, type Payload } from "./wire.ts";

export interface Selector {
  /** 7 IPv4 range, 8 IPv6 range */
  type: number;
  protocol: number;
  startPort: number;
  endPort: number;
  start: Bytes;
  end: Bytes;
}

export function ts(payloadType: number, selectors: readonly Selector[], count = selectors.length): Payload {
  return { type: payloadType, body: tsBody(selectors, count) };
}

export function tsBody(selectors: readonly Selector[], count = selectors.length): Bytes {
  const encoded = selectors.map((s) =>
    concat(
      Uint8Array.of(s.type, s.protocol),
      u16(8 + s.start.length + s.end.length),
      u16(s.startPort),
      u16(s.endPort),
      s.start,
      s.end,
    ),
  );
  return concat(Uint8Array.of(count, 0, 0, 0), ...encoded);
}

export function readTs(body: Bytes): Selector[] {
  if (body.length < 4) throw new Malformed("TS payload too short");
  const selectors: Selector[] = [];
  let at = 4;
  while (at < body.length) {
    if (body.length - at < 8) throw new Malformed("selector runs off the end");
    const length = readU16(body, at + 2);
    const type = body[at] as number;
    if (at + length > body.length || length !== (type === 8 ? 40 : 16))
      throw new Malformed("Selector Length");
    const middle = at + 8 + (length - 8) / 2;
    selectors.push({
      type,
      protocol: body[at + 1] as number,
      startPort: readU16(body, at + 4),
      endPort: readU16(body, at + 6),
      start: body.slice(at + 8, middle),
      end: body.slice(middle, at + length),
    });
    at += length;
  }
  if (selectors.length !== body[0]) throw new Malformed("Number of TSs");
  return selectors;
}

/** `range("10.0.0.1")`, `range("10.0.0.0", "10.0.0.255")`, any protocol and all ports unless told otherwise. */
export function range(start: string, end: string = start, more: Partial<Selector> = {}): Selector {
  return {
    type: 7,
    protocol: 0,
    startPort: 0,
    endPort: 65535,
    start: ipv4(start),
    end: ipv4(end),
    ...more,
  };
}

export function ipv4(text: string): Bytes {
  return Uint8Array.from(text.split(".").map(Number));
}

/** What both selectors have in common, or nothing. */
export function intersect(a: Selector, b: Selector): Selector | undefined {
  if (a.type !== b.type) return undefined;
  if (a.protocol !== b.protocol && a.protocol !== 0 && b.protocol !== 0) return undefined;
  const start = Buffer.compare(a.start, b.start) >= 0 ? a.start : b.start;
  const end = Buffer.compare(a.end, b.end) <= 0 ? a.end : b.end;
  const startPort = Math.max(a.startPort, b.startPort);
  const endPort = Math.min(a.endPort, b.endPort);
  if (Buffer.compare(start, end) > 0 || startPort > endPort) return undefined;
  return { type: a.type, protocol: a.protocol || b.protocol, startPort, endPort, start, end };
}

/** Every offered selector cut down to the policy; without a policy the offer stands. */
export function narrow(offer: readonly Selector[], policy?: readonly Selector[]): Selector[] {
  if (!policy) return [...offer];
  return offer.flatMap((o) => policy.flatMap((p) => intersect(o, p) ?? []));
}

export function isSingleAddress(selectors: readonly Selector[]): boolean {
  const first = selectors[0];
  return (
    first !== undefined && selectors.every((s) => equal(s.start, first.start) && equal(s.end, first.start))
  );
}
