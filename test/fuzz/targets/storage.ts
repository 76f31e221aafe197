/**
 * Records of flash, damaged at random or by somebody who knows the check: loading returns a record that is stored and
 * loaded as the same, or throws `IkeletError` with the code `storage`.
 */

import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { inboundSa, outboundSa } from "ikelet/esp.js";
import {
  loadSa,
  loadSession,
  loadTicket,
  saveAwake,
  saveSa,
  saveSession,
  saveTicket,
} from "ikelet/storage.js";
import { CIPHERS, makeChild } from "../../esp/support.ts";
import { type Bytes, concat, u32 } from "../../responder/index.ts";
import { type Choices, choicesOf } from "../choices.ts";
import { SCENES } from "../scenes.ts";

const LOADERS = [loadSession, loadTicket, loadSa];
const SAVERS: readonly ((value: never) => Bytes)[] = [saveSession, saveTicket];
const CHILD = makeChild(CIPHERS[0]![1]);

const RECORDS: readonly Bytes[] = [
  ...SCENES.map(({ session }) => saveSession(session)),
  ...SCENES.filter(({ session }) => session.state === "established").map(({ session }) => saveAwake(session)),
  saveSa(inboundSa(CHILD), 0),
  saveSa(outboundSa(CHILD), 1000),
];

function damaged(choices: Choices): Bytes {
  let body: Bytes = choices.once(3)
    ? concat(Uint8Array.of(1, 1 + choices.below(3), 7), choices.octets(200))
    : choices.among(RECORDS).slice(0, -4);
  for (let n = choices.below(4); n; n--) {
    const at = choices.below(body.length + 1);
    body = choices.once(2)
      ? concat(body.slice(0, at), choices.octets(8), body.slice(at + choices.below(8)))
      : body.map((octet, i) => (i === at ? octet ^ (1 << choices.below(8)) : octet));
  }
  return choices.once(8) ? choices.octets(100) : concat(body, u32(crc32(body)));
}

export function fuzzStorage(input: Uint8Array): void {
  const choices = choicesOf(input);
  const record = damaged(choices);
  const copy = record.slice();
  LOADERS.forEach((load, kind) => {
    let value: unknown;
    try {
      value = load(record);
    } catch (error) {
      const { name, code } = error as { name: string; code: string };
      assert.deepEqual([name, code], ["IkeletError", "storage"], String(error));
      return;
    }
    assert.equal(typeof value, "object");
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    const save = SAVERS[kind];
    if (!save) return;
    const saved = save(value as never);
    assert.deepEqual(save(load(saved) as never), saved);
  });
  assert.deepEqual(record, copy);
  assert.deepEqual(Object.keys(Object.prototype), []);
}
