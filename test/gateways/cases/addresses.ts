// An inner address from the gateway, and echo requests that come from there.

import assert from "node:assert/strict";
import { configuration } from "ikelet/configuration.js";
import type { GatewayConfig } from "../config.ts";
import type { Kind } from "../lab.ts";
import { addressOctets, addressText, selectorOf, wordsFor } from "../profile.ts";
import { openTraffic } from "../traffic.ts";
import { type Case, gatewayConfig, type Lab, start } from "./case.ts";
import { checkEstablished, checkGone } from "./checks.ts";
import { checkTraffic } from "./esp.ts";

interface Row {
  readonly name: string;
  readonly pool: string;
  readonly config: Partial<GatewayConfig>;
}

const rows: readonly Row[] = [
  { name: "IPv4", pool: "10.77.0.0/24", config: { nameServer: "10.99.0.1" } },
  { name: "IPv6", pool: "fd77::/120", config: { nameServer: "fd99::1", gatewaySubnets: ["fd99::1/128"] } },
];

async function run(lab: Lab, pool: string): Promise<void> {
  const ipv6 = pool.includes(":");
  const { start: first, end: last } = selectorOf(pool);
  const extension = configuration({ ipv4: !ipv6, ipv6, dns: true });
  const device = start(lab, { local: ipv6 ? "::/0" : "0.0.0.0/0" }, { extensions: [extension] });
  const { configuration: answer } = await device.until("configured");
  const { child, remote } = await device.until("established");
  assert.equal(answer.addresses.length, 1, "one address");
  const [address] = answer.addresses;
  const isInside = Buffer.compare(first, address!) <= 0 && Buffer.compare(address!, last) <= 0;
  assert.ok(isInside, `${address} is of the pool`);
  // libreswan writes an IPv6 name server with a prefix length behind it, 17 octets for 16, so it is passed over.
  const servers = ipv6 && lab.kind === "libreswan" ? [] : [addressOctets(lab.config.nameServer!)];
  assert.deepEqual(answer.dns, servers, "the name server");
  const words = { ...wordsFor(lab.config), local: addressText(address!) };
  await checkEstablished(lab, words, remote, child);
  await checkTraffic(lab, { device, child }, openTraffic({ device, child }));
  device.close();
  await device.until("closed");
  await checkGone(lab);
}

export function addresses(kind: Kind): Case[] {
  return rows.map(({ name, pool, config }) => ({
    name: `inner address from a pool, ${name}`,
    config: gatewayConfig({ pool, ...config }),
    skip: kind === "iked" ? "OpenIKED installs flows for the whole pool" : undefined,
    run: (lab) => run(lab, pool),
  }));
}
