import type { Digest, KeyedPrf } from "./contracts.ts";

/**
 * HMAC (RFC 2104) over any hash function. The block of the key is hashed anew each time: a function in one piece
 * has no state to go on from, and where it is native two compressions cost next to nothing.
 *
 * @param bits of the output, which tell the length of a block
 */
export function hmacOver(digest: Digest, bits: number, key: Uint8Array): KeyedPrf {
  const inner = new Uint8Array(bits > 256 ? 128 : 64);
  const outer = new Uint8Array(inner.length);
  inner.set(key.length > inner.length ? digest(key) : key);
  for (let i = 0; i < inner.length; i++) {
    outer[i] = inner[i]! ^ 0x5c;
    inner[i]! ^= 0x36;
  }
  return (...chunks) => digest(outer, digest(inner, ...chunks));
}
