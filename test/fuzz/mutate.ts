/** Changes to an input of which nothing is known: bits, octets, and pieces of other inputs. */

import type { Random } from "./random.ts";

const LONGEST = 1024;
const TELLING = [0, 1, 2, 3, 4, 7, 8, 15, 16, 28, 31, 32, 33, 63, 64, 127, 128, 255];

function splice(input: Uint8Array, at: number, taken: number, put: Uint8Array): Uint8Array {
  const all = new Uint8Array(input.length - taken + put.length);
  all.set(input.subarray(0, at));
  all.set(put, at);
  all.set(input.subarray(at + taken), at + put.length);
  return all;
}

function once(random: Random, input: Uint8Array, other: Uint8Array): Uint8Array {
  const at = random(input.length + 1);
  const most = Math.min(1 + random(8), input.length - at);
  const place = Math.min(at, input.length - 1);
  const from = random(other.length + 1);
  const piece = other.subarray(from, from + 1 + random(32));
  const changed = input.slice();
  switch (random(8)) {
    case 0:
      if (place >= 0) changed[place]! ^= 1 << random(8);
      return changed;
    case 1:
      if (place >= 0) changed[place] = random(256);
      return changed;
    case 2:
      if (place >= 0) changed[place] = TELLING[random(TELLING.length)]!;
      return changed;
    case 3:
      if (place >= 0) changed[place]! += random(2) ? 1 : -1;
      return changed;
    case 4:
      return splice(input, at, most, new Uint8Array(0));
    case 5:
      return splice(
        input,
        at,
        0,
        new Uint8Array(1 + random(8)).map(() => random(256)),
      );
    case 6:
      return splice(input, at, 0, piece);
    default:
      return splice(input, at, Math.min(piece.length, input.length - at), piece);
  }
}

/** A neighbour of an input; `other` is where pieces come from. */
export function mutate(random: Random, input: Uint8Array, other: Uint8Array): Uint8Array {
  let changed = input;
  for (let n = 1 << random(4); n; n--) changed = once(random, changed, other);
  return changed.slice(0, LONGEST);
}
