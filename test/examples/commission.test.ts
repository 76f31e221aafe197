/** A host with key exchange, a device without: run as a user runs it. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const MAIN = new URL("../../examples/commission/main.ts", import.meta.url).pathname;

test("the host hands a ticket over, and the device lives on it", async () => {
  // A device that fails makes the exit code 1, and this throw.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--import", "tsx", MAIN], {
    timeout: 20_000,
  });
  assert.equal(stderr, "");
  assert.match(stdout, /connected {2}2 round trips, \d+ octets/);
  assert.match(stdout, /bundle +\d+ octets gzipped, no key exchange in it/);
  assert.equal(stdout.match(/resumed +2 round trips, \d+ octets/g)?.length, 2);
  assert.equal(stdout.match(/echo +1 round trip, 128 octets/g)?.length, 2);
  assert.match(stdout, /has seen +1 × IKE_SA_INIT, 2 × IKE_SESSION_RESUME/);
});
