// Payload bodies other than SA and TS: builders, and readers that throw Malformed. Also small tools to edit a list.

import { ascii, type Bytes, concat, EMPTY, readU16, u16, u32 } from "./bytes.ts";
import { IdType, Protocol, SHARED_KEY_MIC, Type } from "./numbers.ts";
import { HEADER_LENGTH, Malformed, type Payload } from "./wire.ts";

// Identification (RFC 7296 section 3.5). The body is what AUTH covers: type ‖ RESERVED ‖ data.

export interface Identity {
  type: number;
  data: Bytes;
}

export function fqdn(name: string): Identity {
  return { type: IdType.FQDN, data: ascii(name) };
}

export function identityBody(id: Identity): Bytes {
  return concat(Uint8Array.of(id.type, 0, 0, 0), id.data);
}

export function readIdentity(body: Bytes): Identity {
  if (body.length < 4) throw new Malformed("ID payload too short");
  return { type: body[0] as number, data: body.slice(4) };
}

export function idr(id: Identity): Payload {
  return { type: Type.IDr, body: identityBody(id) };
}

// Key Exchange (section 3.4)

export function ke(group: number, value: Bytes): Payload {
  return { type: Type.KE, body: concat(u16(group), u16(0), value) };
}

export function readKe(body: Bytes): { group: number; value: Bytes } {
  if (body.length < 4) throw new Malformed("KE payload too short");
  return { group: readU16(body, 0), value: body.slice(4) };
}

export function nonce(value: Bytes): Payload {
  return { type: Type.NONCE, body: value };
}

// Authentication (section 3.8)

export function auth(data: Bytes, method: number = SHARED_KEY_MIC): Payload {
  return { type: Type.AUTH, body: concat(Uint8Array.of(method, 0, 0, 0), data) };
}

export function readAuth(body: Bytes): { method: number; data: Bytes } {
  if (body.length < 4) throw new Malformed("AUTH payload too short");
  return { method: body[0] as number, data: body.slice(4) };
}

// Notify (section 3.10)

export interface Notification {
  protocol: number;
  spi: Bytes;
  type: number;
  data: Bytes;
}

export function notify(type: number, data: Bytes = EMPTY, spi: Bytes = EMPTY, protocol = 0): Payload {
  return {
    type: Type.NOTIFY,
    body: concat(Uint8Array.of(protocol, spi.length), u16(type), spi, data),
  };
}

export function readNotify(body: Bytes): Notification {
  if (body.length < 4) throw new Malformed("Notify payload too short");
  const spiSize = body[1] as number;
  if (body.length < 4 + spiSize) throw new Malformed("SPI of a Notify runs off the end");
  return {
    protocol: body[0] as number,
    type: readU16(body, 2),
    spi: body.slice(4, 4 + spiSize),
    data: body.slice(4 + spiSize),
  };
}

export function notifications(payloads: readonly Payload[]): Notification[] {
  return payloads.filter((p) => p.type === Type.NOTIFY).map((p) => readNotify(p.body));
}

export function findNotify(payloads: readonly Payload[], type: number): Notification | undefined {
  return notifications(payloads).find((n) => n.type === type);
}

// Delete (section 3.11)

export interface Deletion {
  protocol: number;
  spis: Bytes[];
}

export function deletePayload(protocol: number, spis: readonly Bytes[] = []): Payload {
  const size = spis[0]?.length ?? (protocol === Protocol.IKE ? 0 : 4);
  return {
    type: Type.DELETE,
    body: concat(Uint8Array.of(protocol, size), u16(spis.length), ...spis),
  };
}

export function readDelete(body: Bytes): Deletion {
  if (body.length < 4) throw new Malformed("Delete payload too short");
  const size = body[1] as number;
  const count = readU16(body, 2);
  if (body.length !== 4 + size * count) throw new Malformed("count of SPIs in a Delete");
  const spis = Array.from({ length: count }, (_, i) => body.slice(4 + i * size, 4 + (i + 1) * size));
  return { protocol: body[0] as number, spis };
}

// The rest

export function vendorId(data: Bytes): Payload {
  return { type: Type.VENDOR_ID, body: data };
}

export function certificateRequest(): Payload {
  return { type: Type.CERTREQ, body: concat(Uint8Array.of(4), new Uint8Array(20).fill(0xca)) };
}

export function unknownPayload(type: number, critical = false, body: Bytes = new Uint8Array(16)): Payload {
  return { type, critical, body };
}

/** Configuration (section 3.15): attributes are pairs of type and value. */
export function configuration(cfgType: number, attributes: readonly (readonly [number, Bytes])[]): Payload {
  const encoded = attributes.map(([type, value]) => concat(u16(type), u16(value.length), value));
  return { type: Type.CP, body: concat(Uint8Array.of(cfgType, 0, 0, 0), ...encoded) };
}

export function invalidKe(group: number): Payload {
  return notify(17, u16(group));
}

export function ticketLifetime(seconds: number, ticket: Bytes): Bytes {
  return concat(u32(seconds), ticket);
}

// Tools to edit a list of payloads: none of them changes the list itself.

export function find(payloads: readonly Payload[], type: number): Payload | undefined {
  return payloads.find((p) => p.type === type);
}

export function without(payloads: readonly Payload[], type: number): Payload[] {
  return payloads.filter((p) => p.type !== type);
}

export function withoutNotify(payloads: readonly Payload[], type: number): Payload[] {
  return payloads.filter((p) => p.type !== Type.NOTIFY || readNotify(p.body).type !== type);
}

/** Gives every payload of this type another body. */
export function editBody(
  payloads: readonly Payload[],
  type: number,
  change: (body: Bytes) => Bytes,
): Payload[] {
  return payloads.map((p) => (p.type === type ? { ...p, body: change(p.body) } : p));
}

export function insertBefore(payloads: readonly Payload[], type: number, ...added: Payload[]): Payload[] {
  const at = payloads.findIndex((p) => p.type === type);
  return at < 0 ? [...payloads, ...added] : [...payloads.slice(0, at), ...added, ...payloads.slice(at)];
}

/** Adds a Vendor ID that makes an unprotected message of these payloads exactly `total` octets long. */
export function padTo(payloads: readonly Payload[], total: number): Payload[] {
  const length = payloads.reduce((sum, p) => sum + p.body.length + 4, HEADER_LENGTH + 4);
  return [...payloads, vendorId(new Uint8Array(total - length))];
}
