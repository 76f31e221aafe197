/**
 * What a device carries: each entry point and each useful combination, bundled, minified and compressed, beside the
 * floor (noble alone, doing the same cryptography) and the budget. Fails above a budget; with --held above the
 * ceiling, which holds what has not reached its budget yet against growth.
 *
 *     npm run size [-- --json] [-- --modules] [-- --held]
 */

import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { makeProgress } from "../progress.ts";
import { smallestRequests } from "./octets.ts";
import { reportOctets, reportSizes, type Size } from "./report.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

interface Case {
  readonly name: string;
  readonly source: string;
  /** Octets: the design's goal, and where that is not reached, what the size may not grow beyond. */
  readonly budget?: number;
  readonly ceiling?: number;
  /** What a device has anyway: the size is what `source` adds to it. */
  readonly beside?: string;
  /** The same cryptography by noble alone. */
  readonly floor?: string;
}

const CORE = 'export { checkLiveness, close, entropyLength, initiate, receive, timeout } from "ikelet";';
const from = (file: string, name: string): string => `export { ${name} } from "ikelet/${file}.js";`;
const noble = (file: string, name: string): string => `export { ${name} } from "@noble/${file}.js";`;

const CHACHA = from("crypto/chacha20-poly1305", "chacha20Poly1305");
const GCM = from("crypto/aes-gcm", "aesGcm");
const SMALL_GCM = from("crypto/gcm", "gcm") + from("crypto/aes-small", "aesSmall");
const HMAC = from("crypto/hmac-sha256", "hmacSha256");
const X25519 = from("crypto/x25519", "x25519");
const NOBLE_CHACHA = noble("ciphers/chacha", "chacha20poly1305");
const NOBLE_GCM = noble("ciphers/aes", "gcm");
const NOBLE_HMAC = noble("hashes/hmac", "hmac") + noble("hashes/sha2", "sha256");
// The same call that the library makes: without it the floor would lack what every user of X25519 has to supply.
const NOBLE_X25519 = `import { montgomery } from "@noble/curves/abstract/montgomery.js";
const P = 2n ** 255n - 19n;
export const x25519 = () => montgomery({ P, type: "x25519", adjustScalarBytes: (b) => ((b[0] &= 248), (b[31] = (b[31] & 127) | 64), b),
  powPminus2: (x) => { let r = 1n; for (let e = P - 2n; e; e >>= 1n) { if (e & 1n) r = (r * x) % P; x = (x * x) % P; } return r; } });`;

const RESUMPTION =
  'export { afterResume, requestTicket, resume, resumeEntropyLength, resumption, ticketSurvives } from "ikelet/resumption.js";';
const RESUME_ONLY = 'export { checkLiveness, close, receive, timeout } from "ikelet";';

const CBC = from("crypto/aes-cbc", "aesCbc");
const NOBLE_ECP =
  noble("curves/abstract/weierstrass", "weierstrass") + noble("curves/abstract/modular", "mapHashToField");
const NOBLE_MODP =
  noble("curves/abstract/modular", "pow") + noble("curves/utils", "bytesToNumberBE, numberToBytesBE");

const EXTENSIONS = [
  RESUMPTION,
  from("crypto/sha1", "sha1"),
  from("nat", "nat, unframe"),
  from("configuration", "configuration"),
  from("qcd", "announceToken, crashAnswer, qcd"),
  'export * from "ikelet/storage.js";export * from "ikelet/esp.js";',
].join("");

const CASES: readonly Case[] = [
  { name: "core", source: CORE, budget: 4000, ceiling: 6100 },
  {
    name: "complete: core + ChaCha20-Poly1305 + HMAC-SHA2-256 + X25519",
    source: CORE + CHACHA + HMAC + X25519,
    floor: NOBLE_CHACHA + NOBLE_HMAC + NOBLE_X25519,
    budget: 13_900,
    ceiling: 16_000,
  },
  {
    name: "complete: core + AES-GCM + HMAC-SHA2-256 + X25519",
    source: CORE + GCM + HMAC + X25519,
    floor: NOBLE_GCM + NOBLE_HMAC + NOBLE_X25519,
    budget: 13_000,
    ceiling: 15_200,
  },
  {
    name: "complete: core + AES-GCM, small AES + HMAC-SHA2-256 + X25519",
    source: CORE + SMALL_GCM + HMAC + X25519,
    ceiling: 13_150,
  },
  {
    name: "complete: core + AES-CCM + AES-CMAC + X25519",
    source: CORE + from("crypto/aes-ccm", "aesCcm") + from("crypto/aes-cmac", "aesCmac") + X25519,
    floor: noble("ciphers/aes", "cmac, ctr, cbc") + NOBLE_X25519,
  },
  {
    name: "complete: core + AES-CBC with HMAC-SHA2-256 + P-256",
    source:
      CORE + CBC + from("crypto/hmac-sha256-128", "hmacSha256_128") + HMAC + from("crypto/p256", "p256"),
    floor: noble("ciphers/aes", "cbc, ecb") + NOBLE_HMAC + NOBLE_ECP,
  },
  {
    name: "complete: core + AES-GCM + HMAC-SHA2-384 + P-384",
    source: CORE + GCM + from("crypto/hmac-sha384", "hmacSha384") + from("crypto/p384", "p384"),
    floor: NOBLE_GCM + noble("hashes/hmac", "hmac") + noble("hashes/sha2", "sha384") + NOBLE_ECP,
  },
  {
    name: "complete: core + AES-CBC with HMAC-SHA2-512 + MODP-2048",
    source:
      CORE +
      CBC +
      from("crypto/hmac-sha512-256", "hmacSha512_256") +
      from("crypto/hmac-sha512", "hmacSha512") +
      from("crypto/modp2048", "modp2048"),
    floor:
      noble("ciphers/aes", "cbc, ecb") +
      noble("hashes/hmac", "hmac") +
      noble("hashes/sha2", "sha512") +
      NOBLE_MODP,
  },
  {
    name: "complete with ChaCha20-Poly1305, and every extension and ESP",
    source: CORE + CHACHA + HMAC + X25519 + EXTENSIONS,
    floor: NOBLE_CHACHA + NOBLE_HMAC + NOBLE_X25519 + noble("hashes/legacy", "sha1"),
  },
  {
    name: "only resumes: ChaCha20-Poly1305 + HMAC-SHA2-256",
    source: RESUME_ONLY + RESUMPTION + CHACHA + HMAC,
    floor: NOBLE_CHACHA + NOBLE_HMAC,
    budget: 12_000,
    ceiling: 14_600,
  },
  {
    name: "only resumes: AES-GCM, small AES + HMAC-SHA2-256",
    source: RESUME_ONLY + RESUMPTION + SMALL_GCM + HMAC,
    ceiling: 11_550,
  },
  {
    name: "on top of the core: NAT traversal, beside SHA-1",
    source: `${CORE}export { nat, unframe } from "ikelet/nat.js";`,
    beside: CORE,
    budget: 800,
  },
  {
    name: "on top of the core: configuration",
    source: CORE + from("configuration", "configuration"),
    beside: CORE,
  },
  {
    name: "on top of the core: resumption",
    source: CORE + RESUMPTION,
    beside: CORE,
    budget: 1000,
    ceiling: 1100,
  },
  {
    name: "on top of the core: crash detection",
    source: `${CORE}export { announceToken, crashAnswer, qcd } from "ikelet/qcd.js";`,
    beside: CORE,
    budget: 1000,
  },
  {
    name: "on top of the core: storage",
    source: `${CORE}export * from "ikelet/storage.js";`,
    beside: CORE,
    budget: 1000,
    ceiling: 1100,
  },
  {
    name: "on top of the core: ESP",
    source: `${CORE}export * from "ikelet/esp.js";`,
    beside: CORE,
    budget: 1600,
  },
  { name: "for development: check", source: from("check", "checkProfile") },
  { name: "for development: explain", source: from("explain", "explain") },
];

interface Bundle {
  readonly gzip: number;
  readonly brotli: number;
  readonly modules: [string, number][];
}

async function bundle(source: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: ROOT, loader: "js" },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2020",
    metafile: true,
    write: false,
  });
  const inputs = Object.values(metafile.outputs)[0]!.inputs;
  const modules = Object.entries(inputs)
    .map(([name, { bytesInOutput }]): [string, number] => [name, bytesInOutput])
    .sort(([, a], [, b]) => b - a);
  const { contents } = outputFiles[0]!;
  return {
    gzip: gzipSync(contents, { level: 9 }).length,
    brotli: brotliCompressSync(contents).length,
    modules,
  };
}

const progress = makeProgress();
const sizes: Size[] = [];
for (const { name, source, floor, beside, budget, ceiling } of CASES) {
  progress.show(`bundling ${name}`);
  const { gzip, brotli, modules } = await bundle(source);
  const without = beside ? await bundle(beside) : { gzip: 0, brotli: 0 };
  sizes.push({
    name,
    value: gzip - without.gzip,
    brotli: brotli - without.brotli,
    ...(floor && { floor: (await bundle(floor)).gzip }),
    ...(budget && { budget }),
    ...(ceiling && { ceiling }),
    modules,
  });
}
progress.clear();
reportSizes(sizes, process.argv.includes("--held"));
reportOctets(smallestRequests());
