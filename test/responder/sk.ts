// The Encrypted payload (RFC 7296 section 3.14, RFC 5282).

import { type Bytes, concat, equal } from "./bytes.ts";
import { Type } from "./numbers.ts";
import type { Protector } from "./suites.ts";
import {
  decodeChain,
  encodeChain,
  encodeHeader,
  firstType,
  HEADER_LENGTH,
  type Header,
  Malformed,
  type Payload,
  readHeader,
} from "./wire.ts";

/** Keys of one direction of an IKE SA. */
export interface Protection extends Protector {
  skE: Bytes;
  skA: Bytes;
}

/** Liberties that a sender may or may not take; all valid under the keys. */
export interface Sealing {
  iv?: Bytes;
  /** Octets of padding; must align for CBC. */
  padLength?: number;
  /** What the padding holds; zero octets if left out. */
  padOctet?: (index: number) => number;
  /** In place of the true Pad Length octet. */
  padLengthOctet?: number;
  /** Payloads in the clear before SK. */
  before?: readonly Payload[];
  /** Payloads in the clear after SK, where none may be (RFC 7296 section 3.14). */
  after?: readonly Payload[];
  /** In place of the first inner payload's type. */
  firstType?: number;
  /** Octets in place of the inner payloads. */
  inner?: Bytes;
}

export interface Opened {
  /** Payloads in the clear before SK. */
  before: Payload[];
  /** Inner payloads, or why they cannot be read. */
  payloads: Payload[];
  malformed?: string;
  iv: Bytes;
  ciphertext: Bytes;
  padLength: number;
}

export function sealMessage(
  header: Header,
  inner: readonly Payload[],
  protection: Protection,
  iv: Bytes,
  sealing: Sealing = {},
): Bytes {
  const { cipher, integ, skE, skA } = protection;
  const octets = sealing.inner ?? encodeChain(inner);
  const aligned = cipher.block - 1 - (octets.length % cipher.block);
  const padLength = sealing.padLength ?? aligned;
  const padding = Uint8Array.from({ length: padLength }, (_, i) => sealing.padOctet?.(i) ?? 0);
  const plaintext = concat(octets, padding, Uint8Array.of(sealing.padLengthOctet ?? padLength));

  const before = encodeChain(sealing.before ?? [], Type.SK);
  const after = encodeChain(sealing.after ?? []);
  const tagLength = integ?.icvLength ?? cipher.tagLength;
  const body = new Uint8Array(iv.length + plaintext.length + tagLength);
  // Both Length fields are final before anything is computed over them.
  const skHeader = encodeChain([{ type: Type.SK, body, next: sealing.firstType ?? firstType(inner) }]).slice(
    0,
    4,
  );
  const total = HEADER_LENGTH + before.length + 4 + body.length + after.length;
  const first = sealing.before?.[0]?.type ?? Type.SK;
  const aad = concat(encodeHeader(header, first, total), before, skHeader);

  const sealed = concat(iv, cipher.encrypt(skE, iv, plaintext, aad));
  const icv = integ ? integ.compute(skA, aad, sealed) : new Uint8Array(0);
  return concat(aad, sealed, icv, after);
}

/** Undefined if there is no SK payload or it does not verify. */
export function openMessage(datagram: Bytes, protection: Protection): Opened | undefined {
  const { cipher, integ, skE, skA } = protection;
  const chain = decodeChain(readHeader(datagram).nextPayload, datagram.slice(HEADER_LENGTH));
  const sk = chain[chain.length - 1];
  if (sk?.type !== Type.SK) return undefined;
  const start = datagram.length - sk.body.length;
  const icvLength = integ?.icvLength ?? 0;
  if (sk.body.length < cipher.ivLength + cipher.tagLength + icvLength + 1) return undefined;
  if (integ) {
    const covered = datagram.slice(0, datagram.length - icvLength);
    if (!equal(integ.compute(skA, covered), datagram.slice(-icvLength))) return undefined;
  }
  const iv = sk.body.slice(0, cipher.ivLength);
  const ciphertext = sk.body.slice(cipher.ivLength, sk.body.length - icvLength);
  const plaintext = cipher.decrypt(skE, iv, ciphertext, datagram.slice(0, start));
  if (plaintext === undefined) return undefined;
  const padLength = plaintext[plaintext.length - 1] as number;
  const opened = { before: chain.slice(0, -1), iv, ciphertext, padLength };
  try {
    const end = plaintext.length - 1 - padLength;
    if (end < 0) throw new Malformed("Pad Length exceeds the plaintext");
    const payloads = decodeChain(datagram[start - 4] as number, plaintext.slice(0, end));
    if (payloads.some((p) => p.type === Type.SK || p.type === Type.SKF)) throw new Malformed("SK inside SK");
    return { ...opened, payloads };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { ...opened, payloads: [], malformed: error.message };
  }
}
