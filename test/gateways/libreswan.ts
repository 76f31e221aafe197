// libreswan's configuration. In its commands the connection is `dev`.

import {
  type EspProposal,
  fill,
  type GatewayConfig,
  type Identity,
  type IkeProposal,
  identityType,
} from "./config.ts";
import { restart } from "./daemon.ts";
import type { Gateway } from "./lab.ts";

const cipherWords = {
  aes128gcm16: "aes_gcm_16_128",
  aes256gcm16: "aes_gcm_16_256",
  aes128ccm8: "aes_ccm_8_128",
  aes256ccm8: "aes_ccm_8_256",
  aes128ccm16: "aes_ccm_16_128",
  aes256ccm16: "aes_ccm_16_256",
  chacha20poly1305: "chacha20_poly1305",
  aes128cbc: "aes_cbc_128",
  aes256cbc: "aes_cbc_256",
};
const hashWords = { sha256: "sha2_256", sha384: "sha2_384", sha512: "sha2_512", cmac: "aes_cmac" };

function ikeWords({ cipher, integrity, prf, group }: IkeProposal): string {
  if (integrity && integrity !== prf) throw new Error("libreswan takes the PRF's hash for integrity as well");
  return `${cipherWords[cipher]}-${hashWords[prf]}-dh${group}`;
}

const espWords = ({ cipher, integrity }: EspProposal) =>
  integrity ? `${cipherWords[cipher]}-${hashWords[integrity]}` : cipherWords[cipher];

const idWords = {
  fqdn: (id: Identity) => `@${id}`,
  rfc822: (id: Identity) => id,
  keyId: (id: Identity) => `@#${id.slice(2)}`,
  address: (id: Identity) => id,
};
const idWord = (id: Identity) => idWords[identityType(id)](id);

function connectionFile(config: GatewayConfig): string {
  const { gatewayId, deviceId, mode, livenessSeconds, gatewaySubnets, deviceSubnets, pool, resumption } =
    fill(config);
  const lines = [
    "config setup",
    "  nssdir=/run/nss",
    "  secretsfile=/run/ipsec.secrets",
    `  plutodebug=${config.logKeys ? "base,crypt,private" : "none"}`,
    `  ddos-mode=${config.cookies ? "busy" : "unlimited"}`,
    "conn dev",
    "  keyexchange=ikev2",
    "  authby=secret",
    `  left=${config.ipv6 ? "fd09::2" : "10.9.0.2"}`,
    `  leftid="${idWord(gatewayId)}"`,
    `  right=${config.initiates ? "10.9.0.1" : "%any"}`,
    `  rightid="${idWord(deviceId)}"`,
    `  ike=${config.ike.map(ikeWords).join(",")}`,
    `  esp=${config.esp.map(espWords).join(",")}`,
    `  esn=${esnWord(config.esp)}`,
    `  type=${mode}`,
    "  pfs=no",
    // With it the connection that it begins would be a copy, which cannot be suspended by its name.
    `  narrowing=${config.initiates ? "no" : "yes"}`,
    `  encapsulation=${config.encapsulate ? "yes" : "auto"}`,
    // The script would set routes, which takes half a second, and the default route leads to the device anyway.
    "  leftupdown=/bin/true",
    "  auto=add",
  ];
  if (mode === "tunnel") lines.push(`  leftsubnet=${gatewaySubnets.join(",")}`);
  if (mode === "tunnel" && deviceSubnets) lines.push(`  rightsubnet=${deviceSubnets.join(",")}`);
  if (pool) lines.push(`  rightaddresspool=${pool}`);
  if (config.nameServer) lines.push(`  modecfgdns=${config.nameServer}`);
  if (livenessSeconds > 0) lines.push(`  dpddelay=${livenessSeconds}s`);
  if (resumption) lines.push("  session-resumption=yes");
  return lines.join("\n");
}

function esnWord(proposals: readonly EspProposal[]): string {
  const wanted = proposals.map(({ esn }) => esn ?? false);
  if (wanted.every(Boolean)) return "yes";
  return wanted.some(Boolean) ? "either" : "no";
}

export async function startLibreswan(gateway: Gateway, config: GatewayConfig): Promise<void> {
  const { gatewayId, deviceId, psk } = fill(config);
  await restart(gateway, {
    files: {
      "/run/ipsec.conf": connectionFile(config),
      "/run/ipsec.secrets": `${idWord(gatewayId)} ${idWord(deviceId)} : PSK "${psk}"`,
    },
    prepare: `mkdir -p pluto nss
[ -e nss/cert9.db ] || ipsec initnss --nssdir /run/nss > /dev/null
rm -f pluto/*`,
    command:
      "ipsec pluto --config /run/ipsec.conf --nofork --stderrlog --nssdir /run/nss --rundir /run/pluto",
    ready: "ipsec whack --rundir /run/pluto --status",
    load: "ipsec auto --config /run/ipsec.conf --add dev",
  });
}
