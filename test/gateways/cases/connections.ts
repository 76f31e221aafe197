// Child SAs of every shape: IP versions, modes, narrowed traffic; and identities of every type.

import type { GatewayConfig } from "../config.ts";
import type { Kind } from "../lab.ts";
import { wordsFor } from "../profile.ts";
import { type Case, established, gatewayConfig, type Skips, start, type Words } from "./case.ts";
import { checkAlive, checkGone } from "./checks.ts";

interface Row {
  readonly name: string;
  readonly config: Partial<GatewayConfig>;
  /** What the device asks for, where it is not what the gateway has. */
  readonly asks?: Words;
  readonly skip?: Skips;
}

const noKeyId: Skips = { iked: "OpenIKED has no KEY_ID" };
const inside4 = { gatewaySubnets: ["10.99.0.1/32"], deviceSubnets: ["10.9.0.1/32"] };
const inside6 = { gatewaySubnets: ["fd99::1/128"], deviceSubnets: ["fd09::1/128"] };
const narrow = { gatewaySubnets: ["10.99.0.0/16"], deviceSubnets: ["10.50.7.0/24"] };

const rows: readonly Row[] = [
  { name: "IPv4 in IPv4", config: inside4 },
  { name: "IPv6 in IPv4", config: inside6 },
  { name: "IPv4 in IPv6", config: { ipv6: true, ...inside4 } },
  { name: "IPv6 in IPv6", config: { ipv6: true, ...inside6 } },
  { name: "transport mode, IPv4", config: { mode: "transport" } },
  { name: "transport mode, IPv6", config: { mode: "transport", ipv6: true } },
  { name: "narrowing, behind the gateway", config: {}, asks: { remote: "10.0.0.0/8" } },
  { name: "narrowing, everything asked for", config: {}, asks: { remote: "0.0.0.0/0" } },
  { name: "narrowing, both sides", config: narrow, asks: { local: "10.0.0.0/8", remote: "10.0.0.0/8" } },
  { name: "narrowing, IPv6", config: { ipv6: true }, asks: { remote: "fd00::/8" } },
  { name: "identity FQDN, gateway not named", config: {}, asks: { gatewayId: undefined } },
  { name: "identity RFC822", config: { deviceId: "device@ike.example", gatewayId: "gw@ike.example" } },
  { name: "identity KEY_ID", config: { deviceId: "0x0700ff01", gatewayId: "0x99" }, skip: noKeyId },
  { name: "identity IPv4 address", config: { deviceId: "10.9.0.1", gatewayId: "10.9.0.2" } },
  { name: "identity IPv6 address", config: { ipv6: true, deviceId: "fd09::1", gatewayId: "fd09::2" } },
];

export function connections(kind: Kind): Case[] {
  return rows.map(({ name, config: changes, asks, skip }) => {
    const config = gatewayConfig(changes);
    return {
      name,
      config,
      skip: skip?.[kind],
      async run(lab) {
        const connected = await established(lab, start(lab, asks));
        await checkAlive(lab, wordsFor(config), connected);
        connected.device.close();
        await connected.device.until("closed");
        await checkGone(lab);
      },
    };
  });
}
