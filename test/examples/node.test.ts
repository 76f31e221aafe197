/** The program of `npm start`, run as a user runs it. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type LoopbackGateway, startGateway } from "../../examples/node/loopback-gateway.ts";
import { fqdn, type Options } from "../responder/index.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

function run(...args: string[]): Promise<Run> {
  const command = ["--import", "tsx", "examples/node/main.ts", ...args];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, command, { cwd: ROOT, timeout: 10_000 }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

let folder: string;
let pskFile: string;
const PSK = "0123456789abcdef";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "ikelet-"));
  pskFile = join(folder, "psk");
  writeFileSync(pskFile, `${PSK}\n`);
});
after(() => rmSync(folder, { recursive: true }));

/** The program against a gateway that this test holds in its hands. */
async function runAgainst(options: Partial<Options>, ...args: string[]): Promise<Run & LoopbackGateway> {
  const gateway = await startGateway({ psk: new Uint8Array(Buffer.from(PSK)), ...options });
  const target = ["--gateway", `127.0.0.1:${gateway.port}`, "--id", "device.example", "--psk-file", pskFile];
  const result = await run(...target, "--timeout", "0.3", ...args);
  gateway.close();
  return { ...gateway, ...result };
}

test("npm start: established, alive, closed", async () => {
  const { code, stdout, stderr } = await run();
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assert.match(stdout, /→ IKE_SA_INIT +request {2}0 +124 {2}SA, KE, Nonce/);
  assert.match(stdout, /← IKE_AUTH +response 1 +\d+ {2}SK \{IDr, AUTH, SA, TSi, TSr\}/);
  assert.match(stdout, /established {2}2 round trips, [\d.]+ ms/);
  assert.match(stdout, /Child SA +ENCR_CHACHA20_POLY1305, tunnel mode/);
  assert.match(stdout, /remote +10\.99\.0\.0\/16/);
  assert.match(stdout, /alive {2}answered/);
  assert.match(stdout, /SK \{D\(IKE SA\)\}/);
  assert.match(stdout, /closed {2}4 round trips/);
  assert.doesNotMatch(stdout, /[0-9a-f]{17}/, "no keys");
  assert.ok(!stdout.includes("\u001b"), "no colours where nobody sees them");
});

test("a gateway: its options, IPv6 traffic, keys on demand", async () => {
  const { code, stdout, responder } = await runAgainst(
    { local: fqdn("gw.example") },
    ...["--suite", "aes256-sha384-p384", "--esp", "aes128gcm16", "--gateway-id", "@gw.example"],
    ...["--local-ts", "2001:db8::7", "--remote-ts", "2001:db8:1::/48", "--initial-contact", "--show-keys"],
  );
  assert.equal(code, 0);
  assert.match(stdout, /ENCR_AES_CBC \(256 bits\) with AUTH_HMAC_SHA2_384_192, PRF_HMAC_SHA2_384, group 20/);
  assert.match(stdout, /local +2001:db8::7\n +remote +2001:db8:1::\/48/);
  const { keys, child, initialContact, end } = responder.sa;
  assert.ok(stdout.includes(Buffer.from(keys.skD).toString("hex")));
  assert.equal(child?.suite.encr, 20);
  assert.equal(initialContact, true);
  assert.equal(end, "Delete of the device");
  assert.deepEqual(responder.violations, []);
});

test("wrong pre-shared key: exit code 1 and what to compare", async () => {
  const { code, stderr } = await runAgainst({ psk: new Uint8Array(16) });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /failed {2}The gateway does not accept our identity or our pre-shared key \(AUTHENTICATION_/,
  );
  assert.match(stderr, /ours is device\.example/);
  assert.ok(!stderr.includes(PSK));
});

test("a gateway that does not know the key itself", async () => {
  const { code, stderr } = await runAgainst({ edit: { authData: (data) => data.map((octet) => octet ^ 1) } });
  assert.equal(code, 1);
  assert.match(stderr, /its pre-shared key differs from ours/);
});

test("another suite on the gateway: exit code 1 and what the profile offers", async () => {
  const { code, stdout, stderr } = await runAgainst({ accept: () => false });
  assert.equal(code, 1);
  assert.match(stdout, /\(again\)/);
  assert.match(
    stderr,
    /NO_PROPOSAL_CHOSEN.*the profile offers ENCR_CHACHA20_POLY1305, PRF_HMAC_SHA2_256, group 31/,
  );
});

test("no Child SA: exit code 1 and the selectors", async () => {
  const { code, stderr } = await runAgainst({ child: { refuse: 38 } }, "--remote-ts", "10.99.0.0/16");
  assert.equal(code, 1);
  assert.match(stderr, /TS_UNACCEPTABLE.*child\.local 0\.0\.0\.0\/0 and child\.remote 10\.99\.0\.0\/16/);
});

test("--help: exit code 0 and the suites", async () => {
  const { code, stdout } = await run("--help");
  assert.equal(code, 0);
  for (const word of ["--gateway", "chacha20poly1305", "aes256ccm16", "modp2048", "sha512"])
    assert.ok(stdout.includes(word), word);
});

test("wrong usage: exit code 2 and the option", async () => {
  const wrong: [string[], RegExp][] = [
    [["--gatewey", "gw.example"], /Unknown option '--gatewey'.*--help/],
    [["--suite", "des-md5-modp768"], /--suite des-md5-modp768/],
    [["--gateway", "gw.example"], /--id is missing/],
    [["--local-ts", "10.0.0.0/33"], /--local-ts 10\.0\.0\.0\/33: expected a network/],
  ];
  const runs = await Promise.all(wrong.map(([args]) => run(...args)));
  for (const [i, { code, stdout, stderr }] of runs.entries()) {
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, wrong[i]![1]);
  }
});
