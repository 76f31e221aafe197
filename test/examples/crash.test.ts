/** The story of `npm start -- --crash`. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const MAIN = new URL("../../examples/node/main.ts", import.meta.url).pathname;

function run(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, ["--import", "tsx", MAIN, ...args], { timeout: 15_000 });
}

test("a gateway that has lost its state says so, and the device resumes", async () => {
  const { stdout, stderr } = await run("--crash");
  assert.equal(stderr, "");
  const story = [
    /→ IKE_SA_INIT /,
    /echo {2}10\.99\.0\.1 answered/,
    /restart {2}/,
    /← INFORMATIONAL +response 2 +\d+ {2}N\(INVALID_IKE_SPI\), N\(QCD_TOKEN\)/,
    /crashed {2}The gateway has lost its state/,
    /→ IKE_SESSION_RESUME/,
    /echo {2}10\.99\.0\.1 answered/,
    /recovered {2}3 round trips, [\d.]+ ms after the restart/,
    /would have asked for (2[5-9]|3[0-8])\d s/,
  ];
  let at = 0;
  for (const line of story) {
    const found = stdout.slice(at).search(line);
    assert.notEqual(found, -1, `${line} in its place of\n${stdout}`);
    at += found + 1;
  }
  assert.equal(stdout.match(/→ IKE_SA_INIT/g)?.length, 1);
});

test("an echo that is not answered is told as such", async () => {
  await assert.rejects(run("--crash", "--ping", "192.0.2.1"), /192\.0\.2\.1 did not answer: .*selectors/);
});

test("no real gateway can be made to crash", async () => {
  await assert.rejects(run("--crash", "--gateway", "gw.example"), /on loopback only/);
});
