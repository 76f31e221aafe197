import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

/** Octets of a hexadecimal string. */
export const hex = (digits: string): Uint8Array => new Uint8Array(Buffer.from(digits, "hex"));

/** What `assert.deepEqual` compares and prints well. */
export const toHex = (octets: Uint8Array | undefined): string | undefined =>
  octets && Buffer.from(octets).toString("hex");

/** Test vectors of test/vectors. */
export const vectors = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));

export const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

export const concat = (...chunks: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(chunks));

/** The same octets where no word begins, amid others. */
export const unaligned = (octets: Uint8Array): Uint8Array => {
  const around = new Uint8Array(octets.length + 8).fill(0xee);
  around.set(octets, 3);
  return around.subarray(3, 3 + octets.length);
};

/** Copies of `octets`, each with another bit flipped. */
export function* flipped(octets: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < octets.length * 8; bit++) {
    const copy = new Uint8Array(octets);
    copy[bit >> 3]! ^= 1 << (bit & 7);
    yield copy;
  }
}
