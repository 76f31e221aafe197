// Records ESP packets of the gateway's kernel for every suite: test/vectors/esp, for test/esp/kernel.test.ts.

import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { commonEsp, espSuites } from "./abilities.ts";
import { espName } from "./algorithms.ts";
import { established, gatewayConfig, type Lab, start, type Words } from "./cases/case.ts";
import type { EspProposal, GatewayConfig } from "./config.ts";
import { openDevices } from "./device.ts";
import { hex, show } from "./json.ts";
import { type Kind, startGateway } from "./lab.ts";
import { openTraffic } from "./traffic.ts";

const vectors = fileURLToPath(new URL("../vectors/esp/", import.meta.url));

const forms: Readonly<Record<string, Partial<GatewayConfig>>> = {
  "tunnel, IPv4": { gatewaySubnets: ["10.99.0.1/32"], deviceSubnets: ["10.9.0.1/32"] },
  "tunnel, IPv6": {
    ipv6: true,
    gatewaySubnets: ["fd99::1/128"],
    deviceSubnets: ["fd09::1/128"],
  },
  "transport, IPv4": { mode: "transport" },
  "transport, IPv6": { mode: "transport", ipv6: true },
};
const ECHOES = 2;

/** A few echoes there and back, which the kernel has answered: it took every packet of ours. */
async function recordSuite(lab: Lab, form: string, esp: EspProposal): Promise<string> {
  const words: Words = { esp };
  const connected = await established(lab, start(lab, words), words);
  const traffic = openTraffic(connected);
  for (let i = 0; i < ECHOES; i++) await traffic.echo();
  const packets = traffic.packets.map(({ direction, octets }) => ({ direction, octets: hex(octets) }));
  lab.devices.reset();
  return show({ name: `${form}, ${espName(esp)}`, esp, child: connected.child, packets });
}

async function recordKind(kind: Kind, root: string, suites: readonly EspProposal[]): Promise<void> {
  const lines: string[] = [];
  const configs = Object.entries(forms).map(([form, changes]) => ({
    form,
    config: gatewayConfig({ ...changes, esp: suites }),
  }));
  const gateway = await startGateway(kind, configs[0]!.config, root);
  const devices = await openDevices(gateway);
  try {
    for (const { form, config } of configs)
      for (const esp of suites) {
        // Anew each time: with two SAs for the same traffic the kernel may choose the other one.
        await gateway.configure(config);
        lines.push(await recordSuite({ kind, gateway, devices, config }, form, esp));
        console.log(`${kind}, ${form}, ${espName(esp)}`);
      }
  } finally {
    await gateway.stop();
  }
  await writeFile(`${vectors}${kind}.json`, `[\n${lines.join(",\n")}\n]\n`);
}

export async function recordPackets(root: string): Promise<void> {
  await mkdir(vectors, { recursive: true });
  await recordKind("strongswan", root, espSuites("strongswan"));
  await recordKind("iked", root, [commonEsp]);
}
