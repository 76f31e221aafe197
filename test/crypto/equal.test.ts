import assert from "node:assert/strict";
import { test } from "node:test";
import { equalSecrets } from "ikelet/crypto/equal.js";
import { flipped, random } from "./support.ts";

test("equalSecrets: the same octets are equal, wherever they are", () => {
  for (let length = 0; length < 40; length++) {
    const secret = random(length);
    assert.equal(equalSecrets(secret, new Uint8Array(secret)), true);
  }
});

test("equalSecrets: every bit counts", () => {
  const secret = random(32);
  for (const other of flipped(secret)) assert.equal(equalSecrets(secret, other), false);
});

test("equalSecrets: lengths count, even where the rest is zero", () => {
  const lengths = [0, 1, 15, 16, 17, 256, 272];
  for (const a of lengths)
    for (const b of lengths) assert.equal(equalSecrets(new Uint8Array(a), new Uint8Array(b)), a === b);
});
