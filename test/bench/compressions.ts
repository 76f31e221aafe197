/** Counts what a device without a hash engine pays for: the compressions of SHA-2, in noble. */

import { sha256, sha512 } from "@noble/hashes/sha2.js";

interface Compressing {
  process(...input: unknown[]): void;
}

/** The prototype that has `process`. */
function compressing(hash: object): Compressing {
  let prototype: object = hash;
  while (!Object.hasOwn(prototype, "process")) prototype = Object.getPrototypeOf(prototype);
  return prototype as Compressing;
}

/** How often SHA-2 compresses a block during `work`. */
export function countCompressions(work: () => void): number {
  let count = 0;
  const restore = [sha256, sha512].map((hash) => {
    const prototype = compressing(hash.create());
    const { process } = prototype;
    prototype.process = function (...input) {
      count++;
      process.apply(this, input);
    };
    return () => {
      prototype.process = process;
    };
  });
  try {
    work();
  } finally {
    for (const undo of restore) undo();
  }
  return count;
}
