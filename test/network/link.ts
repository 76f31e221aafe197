/** A link that does to datagrams what the network does. */

import type { Random } from "../fuzz/random.ts";
import type { Clock } from "./clock.ts";

/** Each in percent of the datagrams, but for the delay. */
export interface Weather {
  readonly name: string;
  readonly lost: number;
  readonly doubled: number;
  readonly corrupted: number;
  /** Milliseconds at most; whoever is late is overtaken. */
  readonly delay: number;
}

export const WEATHERS: readonly Weather[] = [
  { name: "calm", lost: 0, doubled: 0, corrupted: 0, delay: 20 },
  { name: "10 % loss", lost: 10, doubled: 5, corrupted: 0, delay: 200 },
  { name: "30 % loss", lost: 30, doubled: 20, corrupted: 0, delay: 3000 },
  { name: "50 % loss", lost: 50, doubled: 20, corrupted: 0, delay: 6000 },
  { name: "every second datagram twice", lost: 0, doubled: 50, corrupted: 0, delay: 10_000 },
  { name: "20 % corrupted", lost: 10, doubled: 10, corrupted: 20, delay: 500 },
  { name: "50 % corrupted", lost: 20, doubled: 20, corrupted: 50, delay: 3000 },
];

function corrupt(random: Random, datagram: Uint8Array): Uint8Array {
  const wrong = random(4) ? datagram.slice() : datagram.slice(0, random(datagram.length));
  for (let n = random(4) + 1; n && wrong.length; n--) wrong[random(wrong.length)]! ^= 1 << random(8);
  return wrong;
}

/** Sends a datagram to `arrive`: never, once or twice, as it is or damaged. */
export type Link = (datagram: Uint8Array, arrive: (datagram: Uint8Array) => void) => void;

export function makeLink(clock: Clock, random: Random, weather: Weather): Link {
  return (datagram, arrive) => {
    for (let copies = random(100) < weather.doubled ? 2 : 1; copies; copies--) {
      if (random(100) < weather.lost) continue;
      const sent = random(100) < weather.corrupted ? corrupt(random, datagram) : datagram.slice();
      clock.after(1 + random(weather.delay), () => arrive(sent));
    }
  };
}
