import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

/** A small engine has none of these. */
const program = `
for (const name of ["crypto", "Buffer", "TextEncoder", "TextDecoder", "setTimeout", "setInterval", "console", "performance"])
  delete globalThis[name];
const { x25519 } = await import("ikelet/crypto/x25519.js");
const { p256 } = await import("ikelet/crypto/p256.js");
const { p384 } = await import("ikelet/crypto/p384.js");
const { modp2048 } = await import("ikelet/crypto/modp2048.js");
const { chacha20Poly1305 } = await import("ikelet/crypto/chacha20-poly1305.js");
const { aesGcm } = await import("ikelet/crypto/aes-gcm.js");
const { aesCcm } = await import("ikelet/crypto/aes-ccm.js");
const { aesCbc } = await import("ikelet/crypto/aes-cbc.js");
const { aesSmall } = await import("ikelet/crypto/aes-small.js");
const { aesSmallInverse } = await import("ikelet/crypto/aes-small-inverse.js");
const { gcm } = await import("ikelet/crypto/gcm.js");
const { cbc } = await import("ikelet/crypto/cbc.js");
const { cmac } = await import("ikelet/crypto/cmac.js");
const { aesCmac } = await import("ikelet/crypto/aes-cmac.js");
const { hmacSha256_128 } = await import("ikelet/crypto/hmac-sha256-128.js");
const { equalSecrets } = await import("ikelet/crypto/equal.js");
const good = [];
for (const group of [x25519, p256, p384, modp2048]) {
  const ours = new Uint8Array(group.secretLength).fill(1);
  const theirs = new Uint8Array(group.secretLength).fill(2);
  const shared = group.sharedSecret(ours, group.publicValue(theirs));
  good.push(equalSecrets(shared, group.sharedSecret(theirs, group.publicValue(ours))));
}
const small = [gcm(aesSmall(), 256), cbc(aesSmall(), aesSmallInverse(), 128, hmacSha256_128)];
for (const cipher of [chacha20Poly1305, aesGcm(128), aesCcm(256, 8), aesCbc(256, hmacSha256_128), ...small]) {
  const key = new Uint8Array(cipher.keyLength + cipher.integrityKeyLength).fill(3);
  const iv = new Uint8Array(cipher.ivLength);
  const sealed = cipher.seal(key, iv, key, new Uint8Array(32).fill(4));
  good.push(equalSecrets(cipher.open(key, iv, key, sealed), new Uint8Array(32).fill(4)));
}
for (const prf of [aesCmac, cmac(aesSmall())]) good.push(prf.keyed(new Uint8Array(3))().length === 16);
process.stdout.write(good.join());
`;

test("everything runs without the globals of Node and of the web", () => {
  const directory = new URL("../..", import.meta.url);
  const args = ["--input-type=module", "--eval", program];
  assert.equal(
    execFileSync(process.execPath, args, { cwd: directory, encoding: "utf8" }),
    Array(12).fill(true).join(),
  );
});
