/** The octets of all messages, without any time. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { wireRows } from "./wire.ts";

const rows = wireRows();

test("no message of ours is longer than the formats force it to be, nor shorter than they allow", () => {
  for (const { name, message, octets, minimum, ours } of rows)
    if (ours) assert.equal(octets, minimum, `${message}, ${name}`);
});

test("the figures of the design: 124 and 189 octets, 128 and 193 with AES-GCM", () => {
  const octetsOf = (name: string): number[] =>
    rows.filter((row) => row.name === name && / request$/.test(row.message)).map(({ octets }) => octets);
  assert.deepEqual(octetsOf("ChaCha20-Poly1305").slice(0, 2), [124, 189]);
  assert.deepEqual(octetsOf("AES-GCM-128").slice(0, 2), [128, 193]);
});

test("every cipher, PRF, group and extension is in the table, and ESP with three packet lengths", () => {
  assert.ok(rows.filter(({ message }) => message === "IKE_SA_INIT request").length >= 20);
  assert.ok(rows.filter(({ message }) => message.startsWith("ESP")).length >= 39);
  assert.equal(rows.filter(({ message }) => message === "IKE_SESSION_RESUME request").length, 1);
});
