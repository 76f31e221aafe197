// Sets every RESERVED bit and octet that the formats have: receivers ignore them (RFC 7815 appendix A).

import { type Bytes, patch, readU16 } from "./bytes.ts";
import { Type } from "./numbers.ts";
import type { Payload } from "./wire.ts";

export function withReserved(payloads: readonly Payload[]): Payload[] {
  return payloads.map((p) => ({ ...p, reserved: 0x7f, body: reservedBody(p.type, p.body) }));
}

function reservedBody(type: number, body: Bytes): Bytes {
  switch (type) {
    case Type.KE:
      return patch(body, 2, 0xff, 0xff);
    case Type.IDi:
    case Type.IDr:
    case Type.AUTH:
    case Type.TSi:
    case Type.TSr:
    case Type.CP:
      return patch(body, 1, 0xff, 0xff, 0xff);
    case Type.SA:
      return reservedSa(body);
    default:
      return body;
  }
}

/** Octet 1 of every proposal, octets 1 and 5 of every transform (RFC 7296 sections 3.3.1 and 3.3.2). */
function reservedSa(body: Bytes): Bytes {
  let result = body;
  for (let at = 0; at < body.length; at += readU16(body, at + 2)) {
    result = patch(result, at + 1, 0xff);
    const end = at + readU16(body, at + 2);
    for (let t = at + 8 + (body[at + 6] as number); t < end; t += readU16(body, t + 2)) {
      result = patch(patch(result, t + 1, 0xff), t + 5, 0xff);
    }
  }
  return result;
}
