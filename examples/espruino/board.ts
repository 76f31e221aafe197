/** What differs from board to board, and which nobody but you can know. */

/**
 * Octets of a hardware random generator: **name yours here.** The keys are no better than these. `E.hwRand` is one on
 * nRF52 chips; on others it makes do with the noise of a voltage. `Math.random` is none anywhere.
 */
export function entropy(_length: number): Uint8Array {
  throw new Error("board.ts: name the random generator of this board");
}

/** Calls back when the network is there: with the Wi-Fi or the modem of your board. */
export function online(callback: () => void): void {
  callback();
}
