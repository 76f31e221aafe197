/** The program: the device on the real platform. */

import UDP from "embedded:io/socket/udp";
import storage from "embedded:storage/key-value";
import Crypt from "crypt";
import Timer from "timer";
import { entropy, now, sleep } from "./board.ts";
import { wake } from "./device.ts";
import { GATEWAY, SLEEP_SECONDS } from "./settings.ts";

const platform = {
  UDP,
  Timer,
  crypt: Crypt,
  store: storage.open({ path: "ikelet" }),
  entropy,
  now,
  log: (line: string) => trace(`${line}\n`),
};
wake(platform, GATEWAY, () => sleep(SLEEP_SECONDS));
