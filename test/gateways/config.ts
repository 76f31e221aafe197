// What a test asks of a gateway, in words that are the same for every daemon.

import { isIP } from "node:net";

export type Cipher =
  | "aes128gcm16"
  | "aes256gcm16"
  | "aes128ccm8"
  | "aes256ccm8"
  | "aes128ccm16"
  | "aes256ccm16"
  | "chacha20poly1305"
  | "aes128cbc"
  | "aes256cbc";
export type Hash = "sha256" | "sha384" | "sha512";
/** IANA's number: MODP-2048, P-256, P-384, X25519. */
export type Group = 14 | 19 | 20 | 31;

export interface IkeProposal {
  readonly cipher: Cipher;
  /** With the CBC ciphers only. */
  readonly integrity?: Hash;
  readonly prf: Hash | "cmac";
  readonly group: Group;
}

export interface EspProposal {
  readonly cipher: Cipher;
  readonly integrity?: Hash;
  readonly esn?: boolean;
}

/** An FQDN, `someone@somewhere` (RFC822), `0x…` (KEY_ID) or an address. */
export type Identity = string;

export function identityType(id: Identity): "fqdn" | "rfc822" | "keyId" | "address" {
  if (id.startsWith("0x")) return "keyId";
  if (id.includes("@")) return "rfc822";
  return isIP(id) ? "address" : "fqdn";
}

export interface GatewayConfig {
  readonly ike: readonly IkeProposal[];
  readonly esp: readonly EspProposal[];
  /** `gw.example` by default. */
  readonly gatewayId?: Identity;
  /** `device.example` by default. */
  readonly deviceId?: Identity;
  readonly psk?: string;
  /** Over IPv6 instead of IPv4. */
  readonly ipv6?: boolean;
  readonly mode?: "tunnel" | "transport";
  /** Behind the gateway, in tunnel mode. 10.99.0.1 and fd99::1 are there to be reached. */
  readonly gatewaySubnets?: readonly string[];
  /** Behind the device, in tunnel mode; its own address by default. */
  readonly deviceSubnets?: readonly string[];
  /** The gateway hands out a virtual address from here, such as 10.77.0.0/24. */
  readonly pool?: string;
  /** That it tells together with an address. Not OpenIKED. */
  readonly nameServer?: string;
  /** UDP encapsulation even where no NAT is seen. Not OpenIKED. */
  readonly encapsulate?: boolean;
  /** Seconds of silence after which the gateway asks whether the device lives; 0, the default, never. Not OpenIKED. */
  readonly livenessSeconds?: number;
  /**
   * A COOKIE for every IKE_SA_INIT. strongSwan: only while one half-open IKE SA is there, so begin one first
   * and leave it. OpenIKED has no such thing.
   */
  readonly cookies?: boolean;
  /** RFC 5723; libreswan only. */
  readonly resumption?: boolean;
  /** The daemon is to begin: it knows the address of the other side. Not OpenIKED. */
  readonly initiates?: boolean;
  /** OpenIKED only, the others rekey on command: seconds after which it rekeys. */
  readonly ikeLifetimeSeconds?: number;
  readonly childLifetimeSeconds?: number;
  /** Writes the keys to the log, to decrypt a capture with. */
  readonly logKeys?: boolean;
}

export const defaults = {
  gatewayId: "gw.example",
  deviceId: "device.example",
  psk: "correct horse battery staple",
  mode: "tunnel",
  livenessSeconds: 0,
} as const;

export const fill = (config: GatewayConfig) => ({
  ...defaults,
  gatewaySubnets: config.ipv6 ? ["fd99::1/128"] : ["10.99.0.1/32"],
  ...config,
});
