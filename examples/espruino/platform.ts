/** What the device uses of Espruino; `main.ts` has the real ones. */

import type { EspruinoCrypto } from "ikelet/providers/espruino.js";

/** Of `dgram`. A datagram is a string with a character an octet, both ways. */
export interface EspruinoSocket {
  on(event: "message", listener: (message: string) => void): void;
  send(message: string, port: number, address: string): void;
  close(): void;
}

/** `Storage`: files in flash. A file that is there already is erased before its successor is written. */
export interface EspruinoStorage {
  readArrayBuffer(name: string): ArrayBuffer | undefined;
  write(name: string, data: Uint8Array): boolean;
  erase(name: string): void;
}

/** `E`. Where memory is short, there is no result. */
export interface EspruinoE {
  toString(octets: Uint8Array): string | undefined;
  toUint8Array(text: string): Uint8Array | undefined;
}

export interface Platform {
  readonly crypto: EspruinoCrypto;
  readonly dgram: { createSocket(type: "udp4"): EspruinoSocket };
  readonly Storage: EspruinoStorage;
  readonly E: EspruinoE;
  readonly setTimeout: (callback: () => void, milliseconds: number) => number;
  readonly clearTimeout: (timer: number) => void;
  /** Octets of a hardware random generator. */
  readonly entropy: (length: number) => Uint8Array;
  /** Seconds, by a clock that goes on while the board sleeps. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}
