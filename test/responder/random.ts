// Where random octets come from. A seeded generator makes a run repeatable.

import { createHash, randomBytes } from "node:crypto";
import { ascii, type Bytes, concat, plain, u32 } from "./bytes.ts";

export type Random = (length: number) => Bytes;

export const systemRandom: Random = (length) => plain(randomBytes(length));

/** SHA-256(seed ‖ counter), block after block. */
export function seededRandom(seed: string): Random {
  let counter = 0;
  let pool: Bytes = new Uint8Array(0);
  return (length) => {
    while (pool.length < length) {
      const block = createHash("sha256").update(ascii(seed)).update(u32(counter++)).digest();
      pool = concat(pool, block);
    }
    const taken = pool.slice(0, length);
    pool = pool.slice(length);
    return taken;
  };
}
