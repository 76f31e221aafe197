/**
 * What a device carries: each entry point and each useful combination, bundled, minified and gzipped, beside the
 * floor (noble alone, doing the same cryptography) and the budget. Fails above a budget.
 *
 *     npm run size [-- --json] [-- --modules]
 */

import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { report } from "./report.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

interface Case {
  readonly name: string;
  readonly source: string;
  /** Octets. */
  readonly budget?: number;
  /** The same cryptography by noble alone. */
  readonly floor?: string;
}

const CORE = 'export { checkLiveness, close, entropyLength, initiate, receive, timeout } from "ikelet";';
const from = (file: string, name: string): string => `export { ${name} } from "ikelet/${file}.js";`;
const noble = (file: string, name: string): string => `export { ${name} } from "@noble/${file}.js";`;

const CHACHA = from("crypto/chacha20-poly1305", "chacha20Poly1305");
const GCM = from("crypto/aes-gcm", "aesGcm");
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

const CASES: readonly Case[] = [
  { name: "core", source: CORE, budget: 4000 },
  {
    name: "complete: core + ChaCha20-Poly1305 + HMAC-SHA2-256 + X25519",
    source: CORE + CHACHA + HMAC + X25519,
    floor: NOBLE_CHACHA + NOBLE_HMAC + NOBLE_X25519,
    budget: 13_900,
  },
  {
    name: "complete: core + AES-GCM + HMAC-SHA2-256 + X25519",
    source: CORE + GCM + HMAC + X25519,
    floor: NOBLE_GCM + NOBLE_HMAC + NOBLE_X25519,
    budget: 13_000,
  },
  {
    name: "complete: core + AES-CBC with HMAC-SHA2-256 + P-256",
    source: `${CORE}${from("crypto/aes-cbc", "aesCbc")}${from("crypto/hmac-sha256-128", "hmacSha256_128")}${HMAC}${from("crypto/p256", "p256")}`,
  },
  { name: "check (development)", source: from("check", "checkProfile") },
];

async function bundle(source: string): Promise<{ size: number; modules: [string, number][] }> {
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
  return { size: gzipSync(outputFiles[0]!.contents, { level: 9 }).length, modules };
}

const rows = [];
for (const { name, source, floor, budget } of CASES) {
  const { size, modules } = await bundle(source);
  rows.push({
    name,
    value: size,
    unit: "octets",
    ...(floor && { floor: (await bundle(floor)).size }),
    ...(budget && { budget }),
    result: budget && size > budget ? ("fail" as const) : ("pass" as const),
    modules,
  });
}
report(rows);
