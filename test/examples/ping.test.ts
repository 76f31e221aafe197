/** An echo through user-space ESP, from the example to the gateway on loopback and back. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { type Echo, emitEchoPacket, parseEchoPacket } from "../../examples/node/echo.ts";

const MAIN = new URL("../../examples/node/main.ts", import.meta.url).pathname;

async function run(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", MAIN, ...args], {
    timeout: 15_000,
  });
  return stdout;
}

test("an ICMP echo comes back through the tunnel", async () => {
  assert.match(
    await run("--ping", "10.99.0.1"),
    /echo {2}10\.99\.0\.1 answered in .* 96 and 96 octets of ESP/,
  );
});

test("and in IPv6, with another cipher", async () => {
  const ts = ["--local-ts", "fd00::7", "--remote-ts", "fd99::/64", "--esp", "aes128gcm16"];
  assert.match(await run("--ping", "fd99::1", ...ts), /fd99:.* answered in/);
});

test("an address outside of the selectors is told as such", async () => {
  await assert.rejects(run("--ping", "192.0.2.1"), { code: 1, stderr: /192\.0\.2\.1 .*selectors/ });
});

for (const size of [4, 16])
  test(`an echo packet with addresses of ${size} octets is read as it was written, and not when damaged`, () => {
    const echo: Echo = {
      source: new Uint8Array(size).fill(1),
      destination: new Uint8Array(size).fill(2),
      reply: false,
      id: 0x1234,
      sequence: 7,
      data: new Uint8Array([1, 2, 3]),
    };
    const packet = emitEchoPacket(echo);
    assert.deepEqual(parseEchoPacket(packet), echo);
    const damaged = packet.slice();
    damaged[packet.length - 1]! ^= 1;
    assert.equal(parseEchoPacket(damaged), undefined);
  });
