// What a case is, and what most of them begin with.

import type { Profile } from "ikelet";
import { commonEsp } from "../abilities.ts";
import type { EspProposal, GatewayConfig, IkeProposal } from "../config.ts";
import type { Device, Devices, StartOptions } from "../device.ts";
import type { Gateway, Kind } from "../lab.ts";
import { type ProfileWords, profileOf, wordsFor } from "../profile.ts";
import { type Connected, checkEstablished } from "./checks.ts";

export interface Case {
  readonly name: string;
  /** The gateway starts anew with it, unless the case before had the same one. */
  readonly config: GatewayConfig;
  /** Why this daemon cannot do it. */
  readonly skip?: string | undefined;
  readonly run: (lab: Lab) => Promise<void>;
}

export interface Lab {
  readonly kind: Kind;
  readonly gateway: Gateway;
  readonly devices: Devices;
  readonly config: GatewayConfig;
}

export type Words = Partial<ProfileWords>;

/** The suite of all cases that are not about suites: the daemons have it in common. */
export const ike: IkeProposal = { cipher: "aes128gcm16", prf: "sha256", group: 31 };
export const esp: EspProposal = commonEsp;

export const gatewayConfig = (changes: Partial<GatewayConfig> = {}): GatewayConfig => ({
  ike: [ike],
  esp: [esp],
  ...changes,
});

/** A device that has sent its first request. */
export function start(
  { devices, config }: Lab,
  changes: Words = {},
  { extensions = [], ...options }: StartOptions & Pick<Profile, "extensions"> = {},
): Device {
  const profile = { ...profileOf({ ...wordsFor(config), ...changes }), extensions };
  return devices.start(profile, { ipv6: config.ipv6 ?? false, ...options });
}

/** Waits for the Child SA and compares it with the gateway's kernel. */
export async function established(lab: Lab, device: Device, changes: Words = {}): Promise<Connected> {
  const { child, remote } = await device.until("established");
  const words = { ...wordsFor(lab.config), ...changes };
  await checkEstablished(lab, words, remote, child);
  return { device, child };
}

export function connect(lab: Lab, changes: Words = {}): Promise<Connected> {
  return established(lab, start(lab, changes), changes);
}

/** One line for each daemon that cannot do it. */
export type Skips = Partial<Record<Kind, string>>;
