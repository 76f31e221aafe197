/** An inner address and what goes with it, from the gateway (RFC 7296 section 2.19): `ikelet/configuration.js`. */

import { misuse } from "./error.ts";
import type { Extension } from "./extension.ts";
import {
  emitConfigurationRequest,
  INTERNAL_IP4_ADDRESS,
  INTERNAL_IP4_DNS,
  INTERNAL_IP4_SUBNET,
  INTERNAL_IP6_ADDRESS,
  INTERNAL_IP6_DNS,
  INTERNAL_IP6_SUBNET,
  PAYLOAD_CP,
  parseConfigurationReply,
} from "./wire/configuration.ts";
import { IKE_AUTH } from "./wire/header.ts";
import { solePayload } from "./wire/payload.ts";

export type { Configuration } from "./wire/configuration.ts";

/** What to ask the gateway for. */
export interface ConfigurationRequest {
  /** An IPv4 address. Default: true. */
  readonly ipv4?: boolean;
  /** An IPv6 address. Default: false. */
  readonly ipv6?: boolean;
  /** Name servers, of the IP versions asked for. Default: false. */
  readonly dns?: boolean;
  /** Networks behind the gateway, of the IP versions asked for. Default: false. */
  readonly subnets?: boolean;
}

/**
 * Asks the gateway for an inner address. Its answer comes as the event `configured`, before `established`; if it
 * gives none, the event `not-configured` comes in its place, and it is for the application to close.
 *
 * In the profile, `child.local` has to hold every address that the gateway may give: `net([0, 0, 0, 0], 0)`. The
 * gateway narrows it to the one that it gave, as `child.local` of the event `established` shows.
 *
 * @throws IkeletError `argument` if it is to ask for no address at all
 * @example
 * ```ts
 * import { configuration } from "ikelet/configuration.js";
 * import assert from "node:assert/strict";
 *
 * const extension = configuration({ dns: true });
 * assert.equal(extension.name, "configuration"); // for `extensions` of the profile
 * ```
 */
export function configuration(request: ConfigurationRequest = {}): Extension {
  const { ipv4 = true, ipv6, dns, subnets } = request;
  if (!ipv4 && !ipv6) throw misuse("argument", "configuration: expected ipv4 or ipv6, got neither");
  const wanted: readonly (readonly [boolean | undefined, number])[] = [
    [ipv4, INTERNAL_IP4_ADDRESS],
    [ipv6, INTERNAL_IP6_ADDRESS],
    [ipv4 && dns, INTERNAL_IP4_DNS],
    [ipv6 && dns, INTERNAL_IP6_DNS],
    [ipv4 && subnets, INTERNAL_IP4_SUBNET],
    [ipv6 && subnets, INTERNAL_IP6_SUBNET],
  ];
  const attributes = wanted.filter(([is]) => is).map(([, type]) => type);
  return {
    name: "configuration",
    add: (_, place) =>
      place === "auth" ? [{ type: PAYLOAD_CP, body: emitConfigurationRequest(attributes) }] : [],
    read: (_, heard, exchange) => {
      if (exchange !== IKE_AUTH) return heard;
      const reply = solePayload(heard.payloads, PAYLOAD_CP);
      const given = reply && parseConfigurationReply(reply);
      return {
        ...heard,
        events: heard.events.concat(
          given?.addresses.length ? { type: "configured", configuration: given } : { type: "not-configured" },
        ),
      };
    },
  };
}
