/** The complete program of the README: it is what the README shows, and it works. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { startGateway } from "../../examples/node/loopback-gateway.ts";
import { fqdn } from "../responder/index.ts";

const PROGRAM = new URL("../../examples/minimal/main.ts", import.meta.url).pathname;

test("the README shows the program", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  assert.equal(readme.includes(`\`\`\`ts\n${readFileSync(PROGRAM, "utf8")}\`\`\``), true, "copy it there");
});

test("the program brings a Child SA up", async () => {
  const psk = new Uint8Array(Buffer.from("correct horse battery staple"));
  const gateway = await startGateway({ psk, local: fqdn("gw.example"), remote: fqdn("device.example") });
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", PROGRAM, "127.0.0.1", String(gateway.port)],
      { timeout: 10_000 },
    );
    assert.match(stdout, /gw\.example has proved itself and the Child SA is up/);
    assert.deepEqual(gateway.responder.violations, []);
  } finally {
    gateway.close();
  }
});
