/**
 * Looks at the package as it will be published: publint and attw on the packed tarball, then the tarball
 * installed in an empty project, where every entry point is imported and a session started.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = new URL("../../", import.meta.url).pathname;
const place = mkdtempSync(join(tmpdir(), "ikelet-package-"));

function run(cwd: string, command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}${stderr}`);
  }
}

const PROGRAM = `
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { entropyLength, fqdn, host, initiate, net } from "ikelet";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { x25519 } from "ikelet/crypto/x25519.js";

const { exports } = JSON.parse(readFileSync("node_modules/ikelet/package.json", "utf8"));
for (const name of Object.keys(exports))
  if (!name.endsWith(".json")) await import("ikelet" + name.slice(1));
const profile = {
  suite: { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519 },
  local: fqdn("device.example"),
  psk: new Uint8Array(32).fill(1),
  child: { cipher: chacha20Poly1305, mode: "tunnel", local: host([10, 1, 0, 7]), remote: net([10, 99, 0, 0], 16) },
};
const step = initiate(profile, new Uint8Array(entropyLength(profile)).fill(7));
assert.equal(step.send[0].length, 124);
console.log(Object.keys(exports).length - 1, "entry points");
`;

try {
  const [{ filename, files }] = JSON.parse(
    run(ROOT, "npm", "pack", "--json", "--ignore-scripts", "--pack-destination", place),
  ) as [{ filename: string; files: { path: string }[] }];
  const tarball = join(place, filename);
  const strangers = files.map(({ path }) => path).filter((path) => !/^(dist|src)\/|^[^/]+$/.test(path));
  if (strangers.length) throw new Error(`the tarball holds what no user needs: ${strangers.join(", ")}`);
  console.log(`packed: ${files.length} files`);
  run(ROOT, "npx", "publint", tarball, "--strict");
  console.log("publint: good");
  // The library is ESM only; Node from 20.19 on can require() that.
  run(ROOT, "npx", "attw", tarball, "--profile", "esm-only");
  console.log("attw: good");
  writeFileSync(join(place, "package.json"), '{ "type": "module", "private": true }');
  run(place, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline", tarball);
  writeFileSync(join(place, "program.js"), PROGRAM);
  console.log(`in an empty project: ${run(place, "node", "program.js").trim()}`);
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const names = Object.keys(dependencies).sort().join(" ");
  if (names !== "@noble/ciphers @noble/curves @noble/hashes") throw new Error(`dependencies: ${names}`);
  for (const [name, version] of Object.entries(dependencies))
    if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`${name} is not pinned: ${version}`);
} finally {
  rmSync(place, { recursive: true, force: true });
}
