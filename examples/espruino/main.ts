/** The program: the device on the real platform. Between two timers Espruino sleeps by itself. */

import { entropy, online } from "./board.ts";
import { wake } from "./device.ts";
import type { Platform } from "./platform.ts";
import { SLEEP_SECONDS } from "./settings.ts";

interface Espruino extends Pick<Platform, "E" | "setTimeout" | "clearTimeout"> {
  require(name: "crypto"): Platform["crypto"];
  require(name: "dgram"): Platform["dgram"];
  require(name: "Storage"): Platform["Storage"];
  getTime(): number;
  print(line: string): void;
}

/** Not by their bare names, which Node has too, with other types. */
const espruino = globalThis as unknown as Espruino;

const platform: Platform = {
  crypto: espruino.require("crypto"),
  dgram: espruino.require("dgram"),
  Storage: espruino.require("Storage"),
  E: espruino.E,
  setTimeout: espruino.setTimeout,
  clearTimeout: espruino.clearTimeout,
  entropy,
  now: espruino.getTime,
  log: espruino.print,
};

const run = (): void => online(() => wake(platform, () => espruino.setTimeout(run, SLEEP_SECONDS * 1000)));
run();
