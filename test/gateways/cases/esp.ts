// Echo requests and replies through the gateway's kernel, with every ESP suite in every form.

import assert from "node:assert/strict";
import { sha1 } from "ikelet/crypto/sha1.js";
import { type Nat, nat } from "ikelet/nat.js";
import { commonEsp, espSuites } from "../abilities.ts";
import { espName } from "../algorithms.ts";
import type { EspProposal, GatewayConfig } from "../config.ts";
import type { EspForm } from "../device.ts";
import type { Gateway, Kind } from "../lab.ts";
import { addressOctets, addressText, wordsFor } from "../profile.ts";
import { openTraffic, type Traffic } from "../traffic.ts";
import { type Case, gatewayConfig, type Lab, type Skips, start, type Words } from "./case.ts";
import { type Connected, checkEstablished, checkGone, checkKernel } from "./checks.ts";

interface Form {
  readonly name: string;
  readonly config: Partial<GatewayConfig>;
  readonly comes: EspForm;
  /**
   * How the device looks for NATs, if it does: with its true address; with another one, as behind a NAT; or it
   * pretends that there is one.
   */
  readonly nat?: "true address" | "other address" | "force";
  /** Of the gateway, from the start: 500 by default. */
  readonly port?: number;
  readonly asks?: Words;
  readonly skip?: Skips;
}

const inside4 = { gatewaySubnets: ["10.99.0.1/32"], deviceSubnets: ["10.9.0.1/32"] };
const inside6 = { gatewaySubnets: ["fd99::1/128"], deviceSubnets: ["fd09::1/128"] };
const transport = { mode: "transport" } as const;
const transport6 = { mode: "transport", ipv6: true } as const;
/** Where the device believes to be while a NAT translates it to 10.9.0.1. */
const private4 = "192.168.7.7";

const noMixture: Skips = {
  iked: "OpenIKED speaks PF_KEY, and Linux takes no IPv6 inside of IPv4 from there",
};

/** With every suite. */
const forms: readonly Form[] = [
  { name: "tunnel, IPv4", config: inside4, comes: "raw" },
  { name: "tunnel, IPv4, UDP, NAT found", config: inside4, comes: "udp", nat: "other address" },
  { name: "tunnel, IPv6", config: inside6, comes: "raw", skip: noMixture },
  { name: "transport, IPv4", config: transport, comes: "raw" },
  { name: "transport, IPv4, UDP, forced by the device", config: transport, comes: "udp", nat: "force" },
  { name: "transport, IPv6", config: transport6, comes: "raw" },
];

const noEncapsulate: Skips = { iked: "OpenIKED encapsulates only where NAT_DETECTION tells it to" };

/** With one suite. */
const moreForms: readonly Form[] = [
  { name: "tunnel, IPv4, no NAT found", config: inside4, comes: "raw", nat: "true address" },
  {
    name: "tunnel, IPv4, UDP, port 4500 from the start",
    config: inside4,
    comes: "udp",
    nat: "force",
    port: 4500,
  },
  {
    name: "tunnel, IPv6, UDP, NAT found",
    config: inside6,
    comes: "udp",
    nat: "other address",
    skip: noMixture,
  },
  {
    name: "transport, IPv4, UDP, NAT found",
    config: transport,
    comes: "udp",
    nat: "other address",
    asks: { local: `${private4}/32` },
    skip: { libreswan: "libreswan refuses an address other than the one that it sees: TS_UNACCEPTABLE" },
  },
  { name: "transport, IPv6, UDP, forced by the device", config: transport6, comes: "udp", nat: "force" },
  { name: "tunnel, IPv4 in IPv6", config: { ipv6: true, ...inside4 }, comes: "raw", skip: noMixture },
  { name: "tunnel, IPv6 in IPv6", config: { ipv6: true, ...inside6 }, comes: "raw" },
  {
    name: "tunnel, IPv6 in IPv6, UDP, forced by the device",
    config: { ipv6: true, ...inside6 },
    comes: "udp",
    nat: "force",
  },
  {
    name: "tunnel, IPv4, UDP, forced by the gateway",
    config: { ...inside4, encapsulate: true },
    comes: "udp",
    nat: "true address",
    skip: noEncapsulate,
  },
  {
    name: "transport, IPv4, UDP, forced by the gateway",
    config: { ...transport, encapsulate: true },
    comes: "udp",
    nat: "true address",
    skip: noEncapsulate,
  },
];

function natOf({ nat: looks, config, port = 500 }: Form, gateway: Gateway): Nat | undefined {
  const { deviceAddress, deviceAddress6, gatewayAddress, gatewayAddress6 } = gateway;
  const [device, remote] = config.ipv6 ? [deviceAddress6, gatewayAddress6] : [deviceAddress, gatewayAddress];
  const local = looks === "other address" ? private4 : device;
  return (
    looks &&
    nat({
      sha1,
      local: { address: addressOctets(local), port },
      remote: { address: addressOctets(remote), port },
      force: looks === "force",
    })
  );
}

/** Echo requests of both sides; the gateway's own looks at its reply. */
export async function checkTraffic({ gateway }: Lab, { child }: Connected, traffic: Traffic): Promise<void> {
  await traffic.echo();
  await gateway.exec(
    `ping -c 3 -i 0.2 -W 1 -I ${addressText(child.remote[0]!.start)} ${addressText(child.local[0]!.start)}`,
  );
  assert.deepEqual(traffic.refused, [], "refused packets");
}

async function run(lab: Lab, form: Form, esp: EspProposal): Promise<void> {
  const changes: Words = { ...form.asks, esp };
  const words = { ...wordsFor(lab.config), ...changes };
  const nat = natOf(form, lab.gateway);
  const device = start(lab, changes, { nat, extensions: nat ? [nat] : [] });
  const { child, remote } = await device.until("established");
  // Of an address that is translated the gateway knows nothing.
  if (form.asks) await checkKernel(lab, words, child);
  else await checkEstablished(lab, words, remote, child);
  const traffic = openTraffic({ device, child });
  await traffic.echo();
  if (!form.asks) await checkTraffic(lab, { device, child }, traffic);
  assert.deepEqual([...traffic.forms], [form.comes], "how packets came");
  assert.equal(nat?.encapsulates(device.session) ?? false, form.comes === "udp", "how they are to go");
  device.close();
  await device.until("closed");
  await checkGone(lab);
}

export function espTraffic(kind: Kind): Case[] {
  const suites = kind === "iked" ? [commonEsp] : espSuites(kind);
  const rows = [
    ...forms.flatMap((form) => suites.map((esp) => ({ form, esp }))),
    ...moreForms.map((form) => ({ form, esp: commonEsp })),
  ];
  // One for all rows that want the same of the gateway.
  const configs = new Map<string, GatewayConfig>();
  const configOf = (changes: Partial<GatewayConfig>): GatewayConfig => {
    const key = JSON.stringify(changes);
    const config = configs.get(key) ?? gatewayConfig({ ...changes, esp: suites });
    configs.set(key, config);
    return config;
  };
  const cases = rows.map(({ form, esp }) => ({
    name: `echo, ${form.name}, ESP ${espName(esp)}`,
    config: configOf(form.config),
    skip:
      form.skip?.[kind] ??
      (kind === "libreswan" && form.comes === "udp" && esp.cipher.includes("ccm")
        ? "libreswan forgets to tell the kernel of UDP when it has AES-CCM"
        : undefined),
    run: (lab: Lab) => run(lab, form, esp),
  }));
  return [...configs.values()].flatMap((config) => cases.filter((it) => it.config === config));
}
