// strongSwan's configuration. In swanctl's commands the connection is `dev`, its Child SA `net`.

import {
  type EspProposal,
  fill,
  type GatewayConfig,
  type Hash,
  type Identity,
  type IkeProposal,
  identityType,
} from "./config.ts";
import { restart } from "./daemon.ts";
import type { Gateway } from "./lab.ts";

const cipherWord = (cipher: string) => cipher.replace("cbc", "");
const prfWord = (prf: Hash | "cmac") => (prf === "cmac" ? "prfaescmac" : `prf${prf}`);
const groupWords = { 14: "modp2048", 19: "ecp256", 20: "ecp384", 31: "x25519" };

function ikeWords({ cipher, integrity, prf, group }: IkeProposal): string {
  return [cipherWord(cipher), integrity, prfWord(prf), groupWords[group]].filter(Boolean).join("-");
}

function espWords({ cipher, integrity, esn }: EspProposal): string {
  return [cipherWord(cipher), integrity, esn ? "esn" : "noesn"].filter(Boolean).join("-");
}

/** In quotes, because of the `#`. */
const idWord = (id: Identity) => (identityType(id) === "keyId" ? `"@#${id.slice(2)}"` : id);

// A list, because with all plugins the daemon dies of one that fails (libipsec without a TUN device).
const plugins =
  "random nonce openssl aes sha1 sha2 hmac kdf gcm ccm chapoly curve25519 xcbc cmac kernel-netlink socket-default vici updown";

const daemonFile = (config: GatewayConfig) => `
charon-systemd {
  load = ${plugins}
  filelog { stderr { default = 1
    ike = ${config.logKeys ? 4 : 2}
    chd = ${config.logKeys ? 4 : 2}
    cfg = 2
    flush_line = yes } }
}
charon {
  ${
    config.cookies
      ? // A threshold of 0 would give no cookies at all: they begin while one half-open IKE SA is there.
        "dos_protection = yes\n  cookie_threshold = 1\n  block_threshold = 0\n  half_open_timeout = 86400"
      : // Else a few failed handshakes from one address make it ignore that address.
        "dos_protection = no"
  }
}`;

function connectionFile(config: GatewayConfig): string {
  const { gatewayId, deviceId, psk, mode, livenessSeconds, gatewaySubnets, deviceSubnets, pool } =
    fill(config);
  const remote = deviceSubnets ? `remote_ts = ${deviceSubnets.join(",")}` : "";
  const dns = config.nameServer ? `dns = ${config.nameServer}` : "";
  const selectors = mode === "tunnel" ? `local_ts = ${gatewaySubnets.join(",")}\n      ${remote}` : "";
  return `
connections {
  dev {
    version = 2
    local_addrs = ${config.ipv6 ? "fd09::2" : "10.9.0.2"}
    ${config.initiates ? "remote_addrs = 10.9.0.1" : ""}
    proposals = ${config.ike.map(ikeWords).join(",")}
    rekey_time = 0
    dpd_delay = ${livenessSeconds}s
    encap = ${config.encapsulate ? "yes" : "no"}
    ${pool ? "pools = pool" : ""}
    local {
      auth = psk
      id = ${idWord(gatewayId)}
    }
    remote {
      auth = psk
      id = ${idWord(deviceId)}
    }
    children { net {
      mode = ${mode}
      esp_proposals = ${config.esp.map(espWords).join(",")}
      rekey_time = 0
      ${selectors}
    } }
  }
}
${pool ? `pools { pool { addrs = ${pool}\n ${dns}\n } }` : ""}
secrets { ike-1 {
  id = ${idWord(deviceId)}
  secret = "${psk}"
} }`;
}

export async function startStrongswan(gateway: Gateway, config: GatewayConfig): Promise<void> {
  await restart(gateway, {
    files: { "/run/strongswan.conf": daemonFile(config), "/run/swanctl.conf": connectionFile(config) },
    prepare: "rm -f charon.vici",
    command: "env STRONGSWAN_CONF=/run/strongswan.conf charon-systemd",
    ready: "[ -S charon.vici ] && swanctl --stats",
    load: "swanctl --load-all --file /run/swanctl.conf",
  });
}
