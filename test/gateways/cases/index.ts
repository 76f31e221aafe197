import type { Kind } from "../lab.ts";
import { addresses } from "./addresses.ts";
import type { Case } from "./case.ts";
import { connections } from "./connections.ts";
import { espTraffic } from "./esp.ts";
import { floods } from "./floods.ts";
import { losses } from "./losses.ts";
import { refusals } from "./refusals.ts";
import { requests } from "./requests.ts";
import { resumptions } from "./resumption.ts";
import { suites } from "./suites.ts";

/** All cases of a daemon. Those that share a configuration stand together. */
export const casesOf = (kind: Kind): Case[] =>
  [suites, connections, requests, losses, refusals, espTraffic, addresses, floods, resumptions].flatMap(
    (group) => group(kind),
  );
