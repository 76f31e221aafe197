// Octet strings: everything else in this folder is made of these.

export type Bytes = Uint8Array;

export const EMPTY: Bytes = new Uint8Array(0);

export function concat(...parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A plain Uint8Array of its own: node:crypto answers Buffers, and strict comparisons tell the two apart. */
export function plain(bytes: Bytes): Bytes {
  return new Uint8Array(bytes);
}

export function u16(value: number): Bytes {
  return Uint8Array.of(value >>> 8, value);
}

export function u32(value: number): Bytes {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Counter values stay far below 2^53 here, so a number is enough for 64 bits. */
export function u64(value: number): Bytes {
  return concat(u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32));
}

export function readU16(bytes: Bytes, at: number): number {
  return view(bytes).getUint16(at);
}

export function readU32(bytes: Bytes, at: number): number {
  return view(bytes).getUint32(at);
}

function view(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function hex(bytes: Bytes): string {
  return Buffer.from(bytes).toString("hex");
}

/** White space is allowed, so vectors can be pasted as they stand in the RFCs. */
export function fromHex(text: string): Bytes {
  return plain(Buffer.from(text.replace(/\s+/g, ""), "hex"));
}

export function ascii(text: string): Bytes {
  return plain(Buffer.from(text, "latin1"));
}

export function equal(a: Bytes, b: Bytes): boolean {
  return Buffer.compare(a, b) === 0;
}

export function isZero(bytes: Bytes): boolean {
  return bytes.every((octet) => octet === 0);
}

/** A copy with some octets overwritten. */
export function patch(bytes: Bytes, at: number, ...octets: number[]): Bytes {
  const copy = plain(bytes);
  copy.set(octets, at);
  return copy;
}

/** A copy with one bit turned over. */
export function flip(bytes: Bytes, at: number, bit = 1): Bytes {
  return patch(bytes, at, (bytes[at] as number) ^ bit);
}

/** Left-padded with zero octets, as MODP values are (RFC 7296 section 3.4). */
export function leftPad(bytes: Bytes, length: number): Bytes {
  return bytes.length >= length ? plain(bytes) : concat(new Uint8Array(length - bytes.length), bytes);
}
