/** Bodies of payloads and whole datagrams: each parser returns a value within its input, or nothing. */

import assert from "node:assert/strict";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { fixChecksum, unframe } from "ikelet/nat.js";
import { crashAnswer } from "ikelet/qcd.js";
import {
  acceptedSpi,
  emitTransform,
  parseAuthentication,
  parseBlocks,
  parseDeletes,
  parseHeader,
  parseIdentification,
  parseKeyExchange,
  parseMessage,
  parseNonce,
  parseNotifies,
  parsePayloads,
  parseSelectors,
} from "ikelet/wire.js";
import { type Bytes, concat, readU16, u16, u32 } from "../../responder/index.ts";
import { type Choices, choicesOf } from "../choices.ts";

const OFFER = [emitTransform(1, 20, 128), emitTransform(2, 5)];
const MAKER = { prf: hmacSha256, secrets: [new Uint8Array(32).fill(1)] };

const PARSERS: Readonly<Record<string, (octets: Bytes) => unknown>> = {
  parseHeader,
  parseMessage,
  parseIdentification,
  parseAuthentication,
  parseNonce,
  parseSelectors,
  parseBlocks: (body) => parseBlocks(body),
  parsePayloads: (body) => parsePayloads(body[0] ?? 0, body.subarray(1)),
  parseKeyExchange: (body) => parseKeyExchange(body, 31),
  parseNotifies: (body) => parseNotifies([{ type: 41, body }]),
  parseDeletes: (body) => parseDeletes([{ type: 42, body }]),
  acceptedIke: (body) => acceptedSpi(body, 1, 0, OFFER),
  acceptedEsp: (body) => acceptedSpi(body, 3, 4, OFFER),
  unframe: (body) => unframe(body),
  crashAnswer: (body) => crashAnswer(MAKER, body, []),
  fixChecksum: (body) => fixChecksum(body[0] ?? 0, body.subarray(1), body.slice(0, 8), body.slice(0, 8)),
};

/** Octets, or a row of blocks whose lengths are right more often than not, one inside of another. */
function blocks(choices: Choices, depth: number): Bytes {
  let all: Bytes = new Uint8Array(0);
  for (let n = choices.below(4) + 1; n; n--) {
    const body = depth && choices.once(3) ? blocks(choices, depth - 1) : choices.octets(40);
    const length = choices.once(8) ? choices.below(0x10000) : body.length + 4;
    all = concat(all, Uint8Array.of(choices.octet(), choices.octet(), ...u16(length)), body);
  }
  return all;
}

function octetsIn(value: unknown): Bytes[] {
  if (value instanceof Uint8Array) return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(octetsIn) : [];
}

export function fuzzWire(input: Uint8Array): void {
  const choices = choicesOf(input);
  const body = choices.once(2) ? choices.octets(300) : concat(choices.octets(12), blocks(choices, 3));
  const header = concat(choices.octets(16), new Uint8Array(16)).slice(0, 16);
  const first = Uint8Array.of(choices.octet(), 0x20, choices.octet(), choices.octet());
  const message = concat(header, first, u32(choices.octet()), u32(28 + body.length), body);
  // A request for an SA that is no more, as far as anybody can see.
  const sealed = concat(Uint8Array.of(0, 0), u16(4 + body.length), body);
  const length = u32(28 + sealed.length);
  const request = concat(header, Uint8Array.of(46, 0x20, 36 + choices.below(2), 0), u32(0), length, sealed);
  for (const octets of [body, message, request]) {
    const copy = octets.slice();
    for (const [name, parse] of Object.entries(PARSERS)) {
      const value = parse(octets);
      assert.ok(value === undefined || typeof value === "object", name);
      const size = octetsIn(value).reduce((sum, { length }) => sum + length, 0);
      assert.ok(size <= 2 * octets.length + 200, `${name} makes ${size} octets of ${octets.length}`);
    }
    assert.deepEqual(octets, copy);
    // Blocks are as long as they say, and fill what they are in.
    const row = parseBlocks(octets);
    for (const block of row ?? []) assert.equal(block.length, readU16(block, 2));
    if (row)
      assert.equal(
        row.reduce((sum, { length }) => sum + length, 0),
        octets.length,
      );
  }
}
