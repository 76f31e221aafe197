/** The command line, read into a profile and a gateway. */

import { readFileSync } from "node:fs";
import { isIP, isIPv6 } from "node:net";
import { parseArgs } from "node:util";
import {
  addressId,
  fqdn,
  type Identification,
  keyId,
  net,
  type Profile,
  rfc822,
  type TrafficSelector,
} from "ikelet";
import { espOf, SUITE_LIST, suiteOf } from "./suites.ts";

export const HELP = `\
Connects to an IKEv2 gateway, shows every message and the Child SA, asks whether the gateway is alive, and closes.

  npm start                                  device and gateway on loopback
  npm start -- --crash                       the gateway loses its state, and the device recovers
  npm start -- --gateway HOST[:PORT] --id ID --psk-file FILE [options]

  --gateway HOST[:PORT]  the gateway; port 500 unless given, 4500 with the non-ESP marker
  --id ID                who we are: a name, a mail address, an IP address, or 0x… for ID_KEY_ID
  --gateway-id ID        who the gateway has to be; anybody who knows the key unless given
  --psk-file FILE        the pre-shared key: text, or 0x… for hexadecimal, 0s… for Base64
  --suite SUITE          for the IKE SA; chacha20poly1305-sha256-x25519 unless given
  --esp ESP              for the Child SA; chacha20poly1305 unless given
  --mode MODE            tunnel (unless given) or transport
  --local-ts CIDR        our traffic; all that the gateway grants unless given
  --remote-ts CIDR       the traffic behind the gateway, likewise
  --initial-contact      tell the gateway that older SAs of this identity are dead
  --timeout SECONDS      how long to wait for an answer; 30 unless given
  --ping ADDRESS         send an ICMP echo to that address through the Child SA, inside of UDP
  --crash                crash detection and resumption, on loopback only; --timeout is then the library's 255
  --show-keys            print keys in full: for Wireshark, not for a screen that others see
  --help

${SUITE_LIST}`;

export interface Settings {
  readonly profile: Profile;
  /** The loopback gateway unless given. */
  readonly gateway: { readonly host: string; readonly port: number } | undefined;
  readonly showKeys: boolean;
  /** Where to send an ICMP echo. */
  readonly ping: Uint8Array | undefined;
  /** Whether the loopback gateway loses its state. */
  readonly crash: boolean;
}

/** The command line is wrong, and the message says how. */
export class UsageError extends Error {}

/** What `npm start` alone connects. */
const LOOPBACK = {
  id: "device.example",
  gatewayId: "gw.example",
  psk: "for loopback only, never for a network",
  ping: "10.99.0.1",
};

/** @throws UsageError */
export function readSettings(args: readonly string[]): Settings | "help" {
  const values = readArguments(args);
  if (values.help) return "help";
  const real = values.gateway !== undefined;
  if (real && values.crash) throw new UsageError("--crash: on loopback only, without --gateway");
  if (real && !values.id) throw new UsageError("--id is missing: say who we are to the gateway");
  if (real && !values["psk-file"]) throw new UsageError("--psk-file is missing: name a file with the key");

  const suite = suiteOf(values.suite);
  if (!suite) throw new UsageError(`--suite ${values.suite}: there is no such suite, --help lists them`);
  const cipher = espOf(values.esp);
  if (!cipher) throw new UsageError(`--esp ${values.esp}: there is no such algorithm, --help lists them`);
  // An echo has to show that traffic passes.
  const ping = values.ping ?? (values.crash ? LOOPBACK.ping : undefined);
  const gatewayId = values["gateway-id"] ?? (real ? undefined : LOOPBACK.gatewayId);
  return {
    gateway: values.gateway === undefined ? undefined : readEndpoint(values.gateway),
    showKeys: values["show-keys"],
    ping: ping === undefined ? undefined : readPing(ping),
    crash: values.crash,
    profile: {
      suite,
      local: readIdentity("--id", values.id ?? LOOPBACK.id),
      ...(gatewayId === undefined ? {} : { remote: readIdentity("--gateway-id", gatewayId) }),
      psk: values["psk-file"] === undefined ? readPsk(LOOPBACK.psk) : readPskFile(values["psk-file"]),
      child: { cipher, ...readTraffic(real, values.mode, values["local-ts"], values["remote-ts"]) },
      initialContact: values["initial-contact"],
      // Of the crash, the library's own numbers are the point.
      ...(values.crash && values.timeout === undefined
        ? {}
        : { retransmission: readTimeout(values.timeout ?? "30") }),
    },
  };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        gateway: { type: "string" },
        id: { type: "string" },
        "gateway-id": { type: "string" },
        "psk-file": { type: "string" },
        suite: { type: "string", default: "chacha20poly1305-sha256-x25519" },
        esp: { type: "string", default: "chacha20poly1305" },
        mode: { type: "string", default: "tunnel" },
        "local-ts": { type: "string" },
        "remote-ts": { type: "string" },
        "initial-contact": { type: "boolean", default: false },
        timeout: { type: "string" },
        ping: { type: "string" },
        crash: { type: "boolean", default: false },
        "show-keys": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    // Only the first sentence: the others are about positional arguments, of which there are none.
    throw new UsageError((error as Error).message.split(". ")[0]);
  }
}

function readPing(text: string): Uint8Array {
  if (!isIP(text)) throw new UsageError(`--ping ${text}: expected an IP address`);
  return addressOctets(text);
}

function readEndpoint(text: string): { host: string; port: number } {
  const [, bracketed, name, digits] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = isIPv6(text) ? text : (bracketed ?? name);
  const port = Number(digits ?? 500);
  if (!host || port < 1 || port > 65535)
    throw new UsageError(`--gateway ${text}: expected HOST, HOST:PORT or [IPv6]:PORT`);
  return { host, port };
}

function readIdentity(option: string, text: string): Identification {
  if (isIP(text)) return addressId(addressOctets(text));
  if (/^0x([0-9a-f]{2})+$/i.test(text)) return keyId(Buffer.from(text.slice(2), "hex"));
  // Of other daemons' files: "@" in front makes clear that it is a name.
  const name = text.replace(/^@/, "");
  if (!/^[\x21-\x7e]+$/.test(name)) throw new UsageError(`${option} ${text}: expected ASCII without blanks`);
  return name.includes("@") ? rfc822(name) : fqdn(name);
}

function readPskFile(file: string): Uint8Array {
  let text: string;
  try {
    text = readFileSync(file, "latin1");
  } catch (error) {
    throw new UsageError(`--psk-file ${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  // An editor puts a newline at the end that is no part of the key.
  const psk = readPsk(text.replace(/\r?\n$/, ""));
  if (!psk.length) throw new UsageError(`--psk-file ${file}: there is no key in it`);
  return psk;
}

/** In the form of other daemons' files. */
function readPsk(text: string): Uint8Array {
  if (/^0x([0-9a-f]{2})+$/i.test(text)) return Buffer.from(text.slice(2), "hex");
  if (/^0s[0-9a-z+/]+=*$/i.test(text)) return Buffer.from(text.slice(2), "base64");
  return Buffer.from(text, "latin1");
}

function readTraffic(real: boolean, mode: string, local: string | undefined, remote: string | undefined) {
  if (mode === "transport") {
    if (real && !(local && remote))
      throw new UsageError("--mode transport: give our address as --local-ts, the gateway's as --remote-ts");
    const selectors = {
      local: readSelector("--local-ts", local ?? "127.0.0.1"),
      remote: readSelector("--remote-ts", remote ?? "127.0.0.1"),
    };
    if (Object.values(selectors).some(({ start, end }) => Buffer.compare(start, end) !== 0))
      throw new UsageError("--mode transport: --local-ts and --remote-ts have to be one address each");
    return { mode, ...sameVersion(selectors) } as const;
  }
  if (mode !== "tunnel") throw new UsageError(`--mode ${mode}: expected tunnel or transport`);
  const everything = (local ?? remote)?.includes(":") ? "::/0" : "0.0.0.0/0";
  return {
    mode,
    ...sameVersion({
      local: readSelector("--local-ts", local ?? (real || remote ? everything : "10.1.0.7")),
      remote: readSelector("--remote-ts", remote ?? (real || local ? everything : "10.99.0.0/16")),
    }),
  } as const;
}

function sameVersion<T extends { local: TrafficSelector; remote: TrafficSelector }>(selectors: T): T {
  if (selectors.local.start.length !== selectors.remote.start.length)
    throw new UsageError("--local-ts and --remote-ts have to be both IPv4 or both IPv6");
  return selectors;
}

function readSelector(option: string, text: string): TrafficSelector {
  const [address = "", digits, ...more] = text.split("/");
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  const prefix = digits === undefined ? bits : /^\d{1,3}$/.test(digits) ? Number(digits) : Infinity;
  if (!bits || prefix > bits || more.length || address.includes("%"))
    throw new UsageError(`${option} ${text}: expected a network such as 10.99.0.0/16 or 2001:db8::/32`);
  return net(addressOctets(address), prefix);
}

/** The octets of an address that `isIP` has found good. */
export function addressOctets(text: string): Uint8Array {
  if (!text.includes(":")) return Uint8Array.from(text.split(".").map(Number));
  const groups = (part: string): number[] =>
    part.split(":").flatMap((group) => {
      if (group.includes(".")) return [...addressOctets(group)];
      return group ? [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff] : [];
    });
  const [front = "", back = ""] = text.split("::");
  const octets = new Uint8Array(16);
  octets.set(groups(front));
  octets.set(groups(back), 16 - groups(back).length);
  return octets;
}

/** Five sends whose waits, each twice the one before, are so long together. */
function readTimeout(text: string) {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 86400)) throw new UsageError(`--timeout ${text}: expected seconds`);
  return { wait: (seconds * 1000) / 31, sends: 5 };
}
