/** Octet strings: put together, and read as the big-endian numbers that IKE uses everywhere. */

/** The chunks, one behind the other, in new memory. */
export function concat(...chunks: ArrayLike<number>[]): Uint8Array {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const all = new Uint8Array(length);
  length = 0;
  for (const chunk of chunks) {
    all.set(chunk, length);
    length += chunk.length;
  }
  return all;
}

/** The two octets of a 16-bit number. */
export function octets16(value: number): number[] {
  return [value >>> 8, value & 0xff];
}

/** The four octets of a 32-bit number. */
export function octets32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** The 16-bit number at an offset that the caller has checked. */
export function uint16(octets: Uint8Array, at: number): number {
  return (octets[at]! << 8) | octets[at + 1]!;
}

/** The 32-bit number at an offset that the caller has checked. */
export function uint32(octets: Uint8Array, at: number): number {
  return ((uint16(octets, at) << 16) | uint16(octets, at + 2)) >>> 0;
}

/** Whether an octet string, an SPI for example, is nothing but zeros. */
export function allZero(octets: Uint8Array): boolean {
  for (let i = 0; i < octets.length; i++) if (octets[i]) return false;
  return true;
}

/** Whether two octet strings that are no secrets are equal. */
export function equalOctets(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}
