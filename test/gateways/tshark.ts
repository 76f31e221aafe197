// A second opinion: tshark, with the recorded keys, decrypts the recorded captures. All IKE messages and ESP packets must
// decrypt, every ICV must be right, and nothing may look wrong to it. Usage: npm run test:captures

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { EspProposal, Hash, IkeProposal } from "./config.ts";

interface Keys {
  readonly ike: IkeProposal;
  readonly esp: EspProposal;
  readonly spiI: string;
  readonly spiR: string;
  readonly skEi: string;
  readonly skEr: string;
  readonly skAi: string;
  readonly skAr: string;
  readonly outbound: { readonly spi: number; readonly key: string };
  readonly inbound: { readonly spi: number; readonly key: string };
}

const directory = fileURLToPath(new URL("../vectors/captures/", import.meta.url));

const ikeCiphers: Partial<Record<IkeProposal["cipher"], string>> = {
  aes128gcm16: "AES-GCM-128 with 16 octet ICV [RFC5282]",
  aes256gcm16: "AES-GCM-256 with 16 octet ICV [RFC5282]",
  aes128ccm8: "AES-CCM-128 with 8 octet ICV [RFC5282]",
  aes256ccm8: "AES-CCM-256 with 8 octet ICV [RFC5282]",
  aes128ccm16: "AES-CCM-128 with 16 octet ICV [RFC5282]",
  aes256ccm16: "AES-CCM-256 with 16 octet ICV [RFC5282]",
  aes128cbc: "AES-CBC-128 [RFC3602]",
  aes256cbc: "AES-CBC-256 [RFC3602]",
};
const ikeIntegrity: Record<Hash, string> = {
  sha256: "HMAC_SHA2_256_128 [RFC4868]",
  sha384: "HMAC_SHA2_384_192 [RFC4868]",
  sha512: "HMAC_SHA2_512_256 [RFC4868]",
};
const espIntegrity: Record<Hash, string> = {
  sha256: "HMAC-SHA-256-128 [RFC4868]",
  sha384: "HMAC-SHA-384-192 [RFC4868]",
  sha512: "HMAC-SHA-512-256 [RFC4868]",
};

/** The tables separate with commas and quote the names only. */
function ikeTable({ ike, spiI, spiR, skEi, skEr, skAi, skAr }: Keys): string {
  const integrity = ike.integrity ? ikeIntegrity[ike.integrity] : "NONE [RFC4306]";
  const fields = [spiI, spiR, skEi, skEr, `"${ikeCiphers[ike.cipher]}"`, skAi, skAr, `"${integrity}"`];
  return `uat:ikev2_decryption_table:${fields.join(",")}`;
}

/** tshark knows GCM and CBC in ESP; it cannot check the ICV of extended sequence numbers, which needs bits not sent. */
const isKnownEsp = ({ esp }: Keys): boolean => /gcm|cbc/.test(esp.cipher) && !esp.esn;

function espTable({ esp }: Keys, source: string, destination: string, spi: number, key: string): string {
  const bits = Number(/aes(\d+)/.exec(esp.cipher)![1]);
  const encryption = esp.integrity ? key.slice(0, bits / 4) : key;
  const authentication = esp.integrity ? `0x${key.slice(bits / 4)}` : "";
  const fields = [
    "IPv4",
    source,
    destination,
    `0x${spi.toString(16).padStart(8, "0")}`,
    esp.integrity ? "AES-CBC [RFC3602]" : "AES-GCM with 16 octet ICV [RFC4106]",
    `0x${encryption}`,
    esp.integrity ? espIntegrity[esp.integrity] : "NULL",
    authentication,
  ];
  return `uat:esp_sa:${fields.map((field) => `"${field}"`).join(",")}`;
}

function run(name: string, keys: Keys, ...args: string[]): string[] {
  const tables = [ikeTable(keys)];
  if (isKnownEsp(keys)) {
    const [device, gateway] = ["10.9.0.1", "10.9.0.2"];
    tables.push(espTable(keys, device, gateway, keys.outbound.spi, keys.outbound.key));
    tables.push(espTable(keys, gateway, device, keys.inbound.spi, keys.inbound.key));
  }
  const options = [...tables, "esp.enable_encryption_decode:TRUE", "esp.enable_authentication_check:TRUE"];
  const all = ["-n", "-r", `${directory}${name}.pcap`, ...options.flatMap((it) => ["-o", it]), ...args];
  const { stdout, stderr, status } = spawnSync("tshark", all, { encoding: "utf8" });
  assert.equal(status, 0, `tshark: ${stderr}`);
  return stdout.split("\n").filter(Boolean);
}

function check(name: string): void {
  const keys: Keys = JSON.parse(readFileSync(`${directory}${name}.json`, "utf8"));
  const count = (filter: string) => run(name, keys, "-Y", filter).length;

  const wrong = run(
    name,
    keys,
    "-Y",
    '(isakmp || esp) && (_ws.malformed || _ws.expert.severity >= "Warning")',
  );
  assert.deepEqual(wrong, [], "malformed or suspicious");
  // Everything but IKE_SA_INIT is encrypted.
  const all = count("isakmp && isakmp.exchangetype != 34");
  assert.ok(all >= 6, `only ${all} encrypted messages`);
  assert.equal(count("isakmp.enc.decrypted"), all, "decrypted IKE messages");
  // What tshark thinks of an ICV stands in this output only.
  const details = run(name, keys, "-T", "pdml", "-Y", "isakmp").join("\n");
  const verdicts = [...details.matchAll(/name="isakmp\.enc\.icd"[^>]*showname="([^"]*)"/g)].map(
    ([, it]) => it!,
  );
  assert.equal(verdicts.length, all, "IKE messages with an ICV");
  for (const verdict of verdicts) assert.match(verdict, /\[correct\]/, "ICV of IKE");
  const packets = count("esp");
  assert.ok(packets > 0, "there is ESP");
  if (isKnownEsp(keys))
    assert.equal(count("esp.icv_good == 1 && icmp"), packets, "ESP packets that decrypt to a ping");
  console.log(`pass  ${name}: ${all} encrypted IKE messages, ${isKnownEsp(keys) ? packets : 0} ESP packets`);
}

function hasTshark(): boolean {
  if (spawnSync("tshark", ["--version"]).status === 0) return true;
  if (process.getuid?.() !== 0) return false;
  try {
    const options = { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } } as const;
    execFileSync("apt-get", ["update", "-q"], options);
    execFileSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", "tshark"], options);
    return true;
  } catch {
    return false;
  }
}

if (!hasTshark()) console.log("skip: there is no tshark here, and it could not be installed");
else for (const file of readdirSync(directory)) if (file.endsWith(".pcap")) check(file.replace(".pcap", ""));
