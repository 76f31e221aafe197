// Records one exchange of each suite in the table with a fixed device: test/vectors/transcripts for the library's own
// tests, and test/vectors/captures with the keys for tshark.ts.

import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { entropyLength } from "ikelet";
import { triggers } from "./abilities.ts";
import { suiteOf } from "./algorithms.ts";
import { capture } from "./capture.ts";
import { established, gatewayConfig, type Lab, start } from "./cases/case.ts";
import type { Connected } from "./cases/checks.ts";
import type { EspProposal, GatewayConfig, IkeProposal } from "./config.ts";
import { type Entry, openDevices } from "./device.ts";
import { hex, show } from "./json.ts";
import { type Kind, startGateway } from "./lab.ts";
import { type ProfileWords, profileOf, wordsFor } from "./profile.ts";

interface Recording {
  readonly kind: Kind;
  readonly ike: IkeProposal;
  readonly esp: EspProposal;
  readonly config?: Partial<GatewayConfig>;
  readonly end: "close" | "deleteIke";
}

const vectors = fileURLToPath(new URL("../vectors/", import.meta.url));

// Every family of ciphers, every PRF and every group at least once.
const recordings: readonly Recording[] = [
  {
    kind: "strongswan",
    ike: { cipher: "chacha20poly1305", prf: "sha256", group: 31 },
    esp: { cipher: "chacha20poly1305" },
    end: "close",
  },
  {
    kind: "strongswan",
    ike: { cipher: "aes128ccm8", prf: "cmac", group: 19 },
    esp: { cipher: "aes128ccm8" },
    end: "deleteIke",
  },
  {
    kind: "strongswan",
    ike: { cipher: "aes128gcm16", prf: "sha256", group: 31 },
    esp: { cipher: "aes128gcm16" },
    end: "close",
  },
  {
    kind: "strongswan",
    ike: { cipher: "aes256cbc", integrity: "sha512", prf: "sha512", group: 20 },
    esp: { cipher: "aes256cbc", integrity: "sha256", esn: true },
    end: "close",
  },
  {
    kind: "libreswan",
    ike: { cipher: "chacha20poly1305", prf: "sha512", group: 31 },
    esp: { cipher: "aes256gcm16", esn: true },
    config: { cookies: true },
    end: "close",
  },
  {
    kind: "libreswan",
    ike: { cipher: "aes128cbc", integrity: "sha256", prf: "sha256", group: 14 },
    esp: { cipher: "aes128cbc", integrity: "sha256" },
    end: "close",
  },
  {
    kind: "iked",
    ike: { cipher: "aes256gcm16", prf: "sha384", group: 31 },
    esp: { cipher: "aes256cbc", integrity: "sha512" },
    end: "deleteIke",
  },
  {
    kind: "iked",
    ike: { cipher: "aes256cbc", integrity: "sha256", prf: "sha256", group: 19 },
    esp: { cipher: "aes128cbc", integrity: "sha384" },
    end: "close",
  },
];

/** tshark cannot decrypt ChaCha20-Poly1305 in IKE. */
const isForTshark = ({ ike }: Recording) => ike.cipher !== "chacha20poly1305";

const nameOf = ({ kind, ike }: Recording) => `${kind}-${ike.cipher}`;

/** Octets that look random and are the same in every run. */
function fixedEntropy(name: string, length: number): Uint8Array {
  const blocks: Buffer[] = [];
  for (let i = 0; 32 * i < length; i++) blocks.push(createHash("sha256").update(`${name} ${i}`).digest());
  return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
}

/** Liveness, an ESP packet, the gateway's wish for new keys, and the end. */
async function talk(lab: Lab, { device }: Connected, end: Recording["end"]): Promise<void> {
  const { gateway, kind } = lab;
  await gateway.tryExec("ping -c 1 -W 1 -I 10.99.0.1 10.9.0.1");
  // The answer gets lost, so that the request goes out twice.
  device.lose.in = 1;
  device.checkLiveness();
  await device.until("alive");
  if (kind !== "iked") await gateway.exec(triggers[kind].rekeyChild);
  await device.until("rekey-refused");
  await sleep(50); // whatever the gateway does then
  if (end === "close") device.close();
  else await gateway.exec(triggers[kind].deleteIke);
  await device.until("closed");
}

function entryOf(entry: Entry): unknown {
  return "octets" in entry ? { direction: entry.direction, hex: hex(entry.octets) } : entry;
}

async function writeTranscript(
  name: string,
  profile: ProfileWords,
  entropy: Uint8Array,
  entries: readonly Entry[],
): Promise<void> {
  const lines = entries.map((entry) => show(entryOf(entry)));
  await writeFile(
    `${vectors}transcripts/${name}.json`,
    `{\n"profile": ${show(profile)},\n"entropy": ${show(entropy)},\n"entries": [\n${lines.join(",\n")}\n]\n}\n`,
  );
}

async function writeKeys(name: string, words: ProfileWords, { device, child }: Connected): Promise<void> {
  const { spiI, spiR, keys } = device.session;
  const { skI, skR } = keys!;
  const e = suiteOf(words.ike).cipher.keyLength;
  const value = {
    ike: words.ike,
    esp: words.esp,
    spiI,
    spiR,
    skEi: skI.slice(0, e),
    skEr: skR.slice(0, e),
    skAi: skI.slice(e),
    skAr: skR.slice(e),
    inbound: child.inbound,
    outbound: child.outbound,
  };
  await writeFile(`${vectors}captures/${name}.json`, `${JSON.stringify(JSON.parse(show(value)), null, 1)}\n`);
}

async function recordOne(lab: Lab, recording: Recording): Promise<void> {
  const name = nameOf(recording);
  const { gateway, devices, config } = lab;
  const words: ProfileWords = { ...wordsFor(config), retransmission: { wait: 2000, sends: 4 } };
  const entropy = fixedEntropy(name, entropyLength(profileOf(words)));
  const endCapture = isForTshark(recording)
    ? await capture(gateway, `${vectors}captures/${name}.pcap`, "udp or esp")
    : undefined;
  const device = start(lab, words, { entropy });
  const connected = await established(lab, device);
  if (endCapture) await writeKeys(name, words, connected);
  await talk(lab, connected, recording.end);
  await endCapture?.();
  await writeTranscript(name, words, entropy, device.entries);
  devices.reset();
  console.log(name);
}

export async function recordTranscripts(root: string): Promise<void> {
  for (const directory of ["transcripts", "captures"]) await mkdir(vectors + directory, { recursive: true });
  for (const recording of recordings) {
    const { kind, ike, esp } = recording;
    const lifetime = kind === "iked" ? { childLifetimeSeconds: 4 } : {};
    const config = gatewayConfig({ ike: [ike], esp: [esp], ...lifetime, ...recording.config });
    const gateway = await startGateway(kind, config, root);
    await recordOne({ kind, gateway, devices: await openDevices(gateway), config }, recording);
    await gateway.stop();
  }
}
