/** What differs from board to board, and which nobody but you can know. */

import Timer from "timer";

/**
 * Octets of a hardware random generator: **name yours here.** The keys are no better than these. The SDK's `crypt/rng`
 * is RC4 seeded from `rand()` on several platforms: do not use it. On an ESP32, call `esp_fill_random` from a native
 * function of your own while the radio is on.
 */
export function entropy(_length: number): Uint8Array {
  throw new Error("board.ts: name the random generator of this board");
}

/**
 * Sleeps, and starts the program from its beginning. The SDK has no deep sleep for all boards: where yours has one that
 * ends in a reset, put it here.
 */
export function sleep(seconds: number): void {
  Timer.set(() => System.restart(), seconds * 1000);
}

/** Seconds, by a clock that goes on while the board sleeps. One that was set back makes tickets look young. */
export function now(): number {
  return Date.now() / 1000;
}
