/** No parser throws, whatever comes in. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  acceptedSpi,
  emitHeader,
  emitTransform,
  parseAuthentication,
  parseBlocks,
  parseConfigurationReply,
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

const octets = (min: number, max: number = min) => fc.uint8Array({ minLength: min, maxLength: max });
const octet = fc.integer({ min: 0, max: 0xff });
const spis = fc.record({ spiI: octets(8), spiR: octets(8) });

/** Octets that look a little like a row of blocks: a parser goes further into them. */
const likeBlocks = fc
  .array(fc.tuple(octet, octet, fc.option(octet, { freq: 3 }), octets(0, 40)), { maxLength: 6 })
  .map((blocks) =>
    blocks.flatMap(([first, second, length, rest]) => [first, second, 0, length ?? rest.length + 4, ...rest]),
  );

const anything = fc.oneof(
  octets(0, 200),
  likeBlocks.map((list) => new Uint8Array(list)),
  fc.tuple(octets(0, 8), likeBlocks).map(([front, list]) => new Uint8Array([...front, ...list])),
);

test("any octets: every parser returns a value or undefined, and changes nothing", () => {
  const offer = [emitTransform(1, 20, 128), emitTransform(2, 5)];
  const parsers: Record<string, (octets: Uint8Array) => unknown> = {
    parseHeader,
    parseMessage,
    parseIdentification,
    parseAuthentication,
    parseNonce,
    parseSelectors,
    parseConfigurationReply: (body) => parseConfigurationReply(Uint8Array.of(2, ...body)),
    parseBlocks: (body) => parseBlocks(body),
    parsePayloads: (body) => parsePayloads(body[0] ?? 0, body),
    parseKeyExchange: (body) => parseKeyExchange(body, 31),
    parseNotifies: (body) => parseNotifies([{ type: 41, body }]),
    parseDeletes: (body) => parseDeletes([{ type: 42, body }]),
    acceptedIke: (body) => acceptedSpi(body, 1, 0, offer),
    acceptedEsp: (body) => acceptedSpi(body, 3, 4, offer),
  };
  fc.assert(
    fc.property(anything, (body) => {
      const before = body.slice();
      for (const parse of Object.values(parsers)) {
        const value = parse(body);
        assert.equal(value === undefined || typeof value === "object", true);
      }
      assert.deepEqual(body, before);
    }),
    { numRuns: 1000 },
  );
});

test("any octets behind a good header: payloads that fill the message, or none", () => {
  fc.assert(
    fc.property(spis, octet, anything, (pair, next, body) => {
      const header = emitHeader(pair, next, 34, 0x20, 0, body.length);
      const message = parseMessage(new Uint8Array([...header, ...body]));
      if (!message) return;
      const lengths = message.payloads.map((one) => one.body.length + 4);
      assert.equal(
        lengths.reduce((sum, length) => sum + length, 0),
        body.length,
      );
    }),
    { numRuns: 1000 },
  );
});
