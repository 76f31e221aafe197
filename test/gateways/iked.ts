// OpenIKED's configuration. ESP goes through PF_KEY, so only CBC with SHA-384 or SHA-512, without ESN, works there.

import { type EspProposal, fill, type GatewayConfig, type IkeProposal, identityType } from "./config.ts";
import { restart } from "./daemon.ts";
import type { Gateway } from "./lab.ts";

const cipherWords = {
  aes128gcm16: "aes-128-gcm",
  aes256gcm16: "aes-256-gcm",
  aes128ccm8: undefined,
  aes256ccm8: undefined,
  aes128ccm16: undefined,
  aes256ccm16: undefined,
  chacha20poly1305: "chacha20-poly1305", // for ESP only, and there only where the kernel is not Linux
  aes128cbc: "aes-128",
  aes256cbc: "aes-256",
};
const hashWords = {
  sha256: "hmac-sha2-256",
  sha384: "hmac-sha2-384",
  sha512: "hmac-sha2-512",
  cmac: undefined,
};
const groupWords = { 14: "modp2048", 19: "ecp256", 20: "ecp384", 31: "curve25519" };

function word<K extends string | number>(words: Record<K, string | undefined>, key: K): string {
  const found = words[key];
  if (!found) throw new Error(`OpenIKED has no ${key}`);
  return found;
}

function ikeWords({ cipher, integrity, prf, group }: IkeProposal): string {
  const auth = integrity ? ` auth ${word(hashWords, integrity)}` : "";
  return `ikesa enc ${word(cipherWords, cipher)}${auth} prf ${word(hashWords, prf)} group ${groupWords[group]}`;
}

function espWords({ cipher, integrity, esn }: EspProposal): string {
  const auth = integrity ? ` auth ${word(hashWords, integrity)}` : "";
  return `childsa enc ${word(cipherWords, cipher)}${auth} ${esn ? "esn" : "noesn"}`;
}

function connectionFile(config: GatewayConfig): string {
  const { gatewayId, deviceId, psk, mode, gatewaySubnets, deviceSubnets, pool } = fill(config);
  for (const id of [gatewayId, deviceId])
    if (identityType(id) === "keyId") throw new Error("OpenIKED has no KEY_ID");
  const [device, gateway] = config.ipv6 ? ["fd09::1", "fd09::2"] : ["10.9.0.1", "10.9.0.2"];
  const inside = mode === "tunnel" ? gatewaySubnets : [gateway];
  const outside = (mode === "tunnel" && deviceSubnets) || [pool ?? device];
  const flows = inside.flatMap((from) => outside.map((to) => `from ${from} to ${to}`));
  return [
    `ikev2 "dev" passive ${mode} esp`,
    ...flows,
    `local ${gateway} peer any`,
    ...config.ike.map(ikeWords),
    ...config.esp.map(espWords),
    `srcid ${gatewayId} dstid ${deviceId}`,
    config.ikeLifetimeSeconds ? `ikelifetime ${config.ikeLifetimeSeconds}` : "",
    config.childLifetimeSeconds ? `lifetime ${config.childLifetimeSeconds}` : "",
    `psk "${psk}"`,
    pool ? `config address ${pool}` : "",
  ]
    .filter(Boolean)
    .join(" \\\n  ");
}

export async function startIked(gateway: Gateway, config: GatewayConfig): Promise<void> {
  // Its time of last use of an SA is wrong on Linux; what remains is a question after 300 s without an IKE message.
  if (config.livenessSeconds) throw new Error("OpenIKED asks whether the device lives only after 300 s");
  if (config.encapsulate) throw new Error("OpenIKED encapsulates only where NAT_DETECTION tells it to");
  const offset = gateway.log().length;
  await restart(gateway, {
    files: { "/run/iked.conf": connectionFile(config) },
    prepare: "iked -n -f /run/iked.conf",
    command: `iked -d ${config.logKeys ? "-vvvv" : "-vv"} -f /run/iked.conf`,
    ready: "ikectl show sa",
  });
  // It answers before it listens, on IPv4 and IPv6, ports 500 and 4500.
  await gateway.logged(/(received socket fd[\s\S]*){4}/, offset, 10_000);
}
