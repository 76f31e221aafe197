// A profile of the device in words, so that it can stand in a table and in a file.

import { isIPv6 } from "node:net";
import {
  addressId,
  fqdn,
  type Identification,
  keyId,
  net,
  type Profile,
  type Retransmission,
  rfc822,
  type TrafficSelector,
} from "ikelet";
import { espCipherOf, suiteOf } from "./algorithms.ts";
import {
  defaults,
  type EspProposal,
  fill,
  type GatewayConfig,
  type Identity,
  type IkeProposal,
  identityType,
} from "./config.ts";

export interface ProfileWords {
  readonly ike: IkeProposal;
  readonly esp: EspProposal;
  readonly deviceId: Identity;
  /** Any gateway that knows the key, if absent. */
  readonly gatewayId?: Identity | undefined;
  /** Hexadecimal. */
  readonly psk: string;
  readonly mode: "tunnel" | "transport";
  /** Networks, such as 10.99.0.0/16. */
  readonly local: string;
  readonly remote: string;
  readonly initialContact?: boolean;
  readonly retransmission?: Retransmission;
}

export const pskHex = (psk: string): string => Buffer.from(psk).toString("hex");

/** The device that fits a gateway: it offers the first suite of each kind and all that is on both sides. */
export function wordsFor(config: GatewayConfig): ProfileWords {
  const { gatewayId, deviceId, psk, mode, gatewaySubnets, deviceSubnets } = fill(config);
  const [device, gateway] = config.ipv6 ? ["fd09::1/128", "fd09::2/128"] : ["10.9.0.1/32", "10.9.0.2/32"];
  return {
    ike: config.ike[0]!,
    esp: config.esp[0]!,
    deviceId,
    gatewayId,
    psk: pskHex(psk),
    mode,
    local: deviceSubnets?.[0] ?? device,
    remote: mode === "transport" ? gateway : gatewaySubnets[0]!,
  };
}

export function profileOf(words: ProfileWords): Profile {
  const { ike, esp, deviceId, gatewayId, psk, mode, local, remote, initialContact, retransmission } = words;
  return {
    suite: suiteOf(ike),
    local: identificationOf(deviceId),
    ...(gatewayId && { remote: identificationOf(gatewayId) }),
    psk: new Uint8Array(Buffer.from(psk, "hex")),
    child: {
      cipher: espCipherOf(esp),
      mode,
      esn: esp.esn ?? false,
      local: selectorOf(local),
      remote: selectorOf(remote),
    },
    ...(initialContact && { initialContact }),
    ...(retransmission && { retransmission }),
  };
}

export function identificationOf(id: Identity = defaults.gatewayId): Identification {
  switch (identityType(id)) {
    case "fqdn":
      return fqdn(id);
    case "rfc822":
      return rfc822(id);
    case "keyId":
      return keyId(new Uint8Array(Buffer.from(id.slice(2), "hex")));
    case "address":
      return addressId(addressOctets(id));
  }
}

export function selectorOf(network: string): TrafficSelector {
  const [address, prefix] = network.split("/");
  const octets = addressOctets(address!);
  return net(octets, prefix ? Number(prefix) : 8 * octets.length);
}

export function addressOctets(address: string): Uint8Array {
  if (!isIPv6(address)) return Uint8Array.from(address.split("."), Number);
  const [head, tail] = address.split("::").map((part) => (part ? part.split(":") : []));
  const zeros = new Array<string>(8 - head!.length - (tail?.length ?? 0)).fill("0");
  return Uint8Array.from(
    [...head!, ...zeros, ...(tail ?? [])].flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    }),
  );
}

export const addressText = (address: Uint8Array): string =>
  address.length === 4
    ? address.join(".")
    : [0, 2, 4, 6, 8, 10, 12, 14].map((i) => ((address[i]! << 8) | address[i + 1]!).toString(16)).join(":");
