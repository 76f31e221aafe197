/** Wire formats: what is put together comes apart the same. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { net, type TrafficSelector } from "ikelet";
import {
  acceptedSpi,
  addressId,
  ascii,
  emitAuthentication,
  emitDelete,
  emitHeader,
  emitIdentification,
  emitKeyExchange,
  emitMessage,
  emitNotify,
  emitPayloads,
  emitProposal,
  emitSelector,
  emitTransform,
  type Payload,
  parseAuthentication,
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
const number16 = fc.integer({ min: 0, max: 0xffff });
const number32 = fc.integer({ min: 0, max: 0xffffffff });
/** A record that deepEqual takes for a plain one. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { noNullPrototype: true });
const spis = record({ spiI: octets(8), spiR: octets(8) });
/** Any type but 0, which ends a chain, and SK, behind which nothing may follow. */
const payloadType = octet.filter((type) => type !== 0 && type !== 46);
const payload = record({ type: payloadType, body: octets(0, 60) });
const payloads = fc.array(payload, { maxLength: 8 });

const plain = (list: readonly Payload[] | undefined) => list?.map(({ type, body }) => ({ type, body }));

test("header", () => {
  fc.assert(
    fc.property(
      spis,
      octet,
      octet,
      octet,
      number32,
      octets(0, 50),
      (pair, next, exchange, flags, id, body) => {
        const header = emitHeader(pair, next, exchange, flags, id, body.length);
        assert.equal(header.length, 28);
        const datagram = new Uint8Array([...header, ...body]);
        assert.deepEqual(parseHeader(datagram), {
          ...pair,
          nextPayload: next,
          exchange,
          flags,
          messageId: id,
        });
        assert.equal(parseHeader(datagram.subarray(1)), undefined);
        assert.equal(parseHeader(new Uint8Array([...datagram, 0])), undefined);
      },
    ),
  );
});

test("chain of payloads", () => {
  fc.assert(
    fc.property(payloads, (list) => {
      const first = list[0]?.type ?? 0;
      assert.deepEqual(plain(parsePayloads(first, emitPayloads(list))), list);
    }),
  );
});

test("chain of payloads: an octet more or less, or another type in front, and it is none", () => {
  fc.assert(
    fc.property(payloads, (list) => {
      const chain = emitPayloads(list);
      const first = list[0]?.type ?? 0;
      assert.equal(parsePayloads(first, new Uint8Array([...chain, 0])), undefined);
      if (!list.length) return;
      assert.equal(parsePayloads(first, chain.subarray(0, -1)), undefined);
      assert.equal(parsePayloads(0, chain), undefined);
    }),
  );
});

test("message", () => {
  const some = fc.array(payload, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(spis, octet, octet, number32, some, (pair, exchange, flags, messageId, list) => {
      const message = parseMessage(emitMessage(pair, exchange, flags, messageId, list))!;
      const { spiI, spiR } = message;
      assert.deepEqual({ spiI, spiR }, pair);
      assert.deepEqual([message.exchange, message.flags, message.messageId], [exchange, flags, messageId]);
      assert.deepEqual(plain(message.payloads), list);
    }),
  );
});

test("notify", () => {
  fc.assert(
    fc.property(fc.array(record({ type: number16, data: octets(0, 60) }), { maxLength: 5 }), (list) => {
      const chain = list.map(({ type, data }) => emitNotify(type, data));
      assert.deepEqual(parseNotifies(chain), list);
      for (const { body } of chain) assert.deepEqual([body[0], body[1]], [0, 0]);
    }),
  );
});

test("notify: the SPI is passed over, whatever its length", () => {
  fc.assert(
    fc.property(octet, octets(0, 255), number16, octets(0, 20), (protocol, spi, type, data) => {
      const body = new Uint8Array([protocol, spi.length, type >> 8, type & 0xff, ...spi, ...data]);
      assert.deepEqual(parseNotifies([{ type: 41, body }]), [{ type, data }]);
      if (spi.length)
        assert.equal(parseNotifies([{ type: 41, body: body.subarray(0, 3 + spi.length) }]), undefined);
    }),
  );
});

test("delete", () => {
  assert.deepEqual(parseDeletes([emitDelete()]), [{ protocol: 1, spis: [] }]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffffffff }), (spi) => {
      assert.deepEqual(parseDeletes([emitDelete(spi)]), [{ protocol: 3, spis: [spi] }]);
    }),
  );
  fc.assert(
    fc.property(fc.array(number32, { maxLength: 20 }), fc.constantFrom(2, 3), (list, protocol) => {
      const spi = list.flatMap((n) => [n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff]);
      const body = new Uint8Array([protocol, 4, 0, list.length, ...spi]);
      assert.deepEqual(parseDeletes([{ type: 42, body }]), [{ protocol, spis: list }]);
      body[3] = list.length + 1;
      assert.equal(parseDeletes([{ type: 42, body }]), undefined);
    }),
  );
});

/** Selectors of both IP versions, also such as no profile would have. */
const selector: fc.Arbitrary<TrafficSelector> = fc.constantFrom(4, 16).chain((size) =>
  record({
    protocol: octet,
    startPort: number16,
    endPort: number16,
    start: octets(size),
    end: octets(size),
  }),
);

test("traffic selectors", () => {
  fc.assert(
    fc.property(selector, (one) => {
      const body = emitSelector(one);
      assert.deepEqual(parseSelectors(body), [one]);
      assert.equal(parseSelectors(body.subarray(0, -1)), undefined);
    }),
  );
  fc.assert(
    fc.property(fc.array(selector, { maxLength: 6 }), (list) => {
      const rest = list.flatMap((one) => [...emitSelector(one).subarray(4)]);
      assert.deepEqual(parseSelectors(new Uint8Array([list.length, 0, 0, 0, ...rest])), list);
      assert.equal(parseSelectors(new Uint8Array([list.length + 1, 0, 0, 0, ...rest])), undefined);
    }),
  );
});

test("key exchange", () => {
  fc.assert(
    fc.property(number16, octets(0, 300), (group, value) => {
      const body = emitKeyExchange(group, value);
      assert.deepEqual(parseKeyExchange(body, group), value);
      assert.equal(parseKeyExchange(body, group ^ 1), undefined);
    }),
  );
});

test("identification", () => {
  const size: Record<number, number> = { 1: 4, 5: 16 };
  fc.assert(
    fc.property(octet, octets(0, 60), (type, data) => {
      const fits = !size[type] || size[type] === data.length;
      assert.deepEqual(
        parseIdentification(emitIdentification({ type, data })),
        fits ? { type, data } : undefined,
      );
    }),
  );
  for (const [type, length] of Object.entries(size)) {
    const id = { type: Number(type), data: new Uint8Array(length) };
    assert.deepEqual(parseIdentification(emitIdentification(id)), id);
    assert.deepEqual(addressId(id.data), id);
  }
  for (const length of [0, 3, 5, 15, 17])
    assert.throws(() => addressId(new Uint8Array(length)), { code: "argument", message: /^address:/ });
});

test("text is ASCII, every character of it, and nothing else", () => {
  const all = Uint8Array.from({ length: 128 }, (_, code) => code);
  assert.deepEqual(ascii(String.fromCharCode(...all)), all);
  for (const text of ["\x80", "gw.exämple", "\u0141"])
    assert.throws(() => ascii(text), { code: "argument", message: /^text:/ });
});

test("a network: 4 or 16 octets, and a prefix in them", () => {
  for (const size of [4, 16])
    for (let prefix = 0; prefix <= 8 * size; prefix++) {
      const bits = (bit: string) => `${"1".repeat(prefix)}${bit.repeat(8 * size - prefix)}`.match(/.{8}/g)!;
      const { start, end } = net(new Uint8Array(size).fill(0xff), prefix);
      assert.deepEqual(
        [...start],
        bits("0").map((octet) => Number.parseInt(octet, 2)),
      );
      assert.deepEqual(
        [...end],
        bits("1").map((octet) => Number.parseInt(octet, 2)),
      );
    }
  for (const [size, prefix] of [
    [5, 3],
    [0, 0],
    [4, 33],
    [16, 129],
    [4, -1],
    [4, Number.NaN],
  ] as const)
    assert.throws(() => net(new Uint8Array(size), prefix), {
      code: "argument",
      message: new RegExp(`^selector: .* got ${size} and ${prefix}$`),
    });
});

test("a critical payload: only of a type that RFC 7296 does not define", () => {
  for (let type = 1; type < 256; type++) {
    const [one] = parsePayloads(type, Uint8Array.of(0, 0x80, 0, 4))!;
    assert.equal(one!.critical, type < 33 || type > 48, `${type}`);
  }
});

test("authentication", () => {
  fc.assert(
    fc.property(octets(0, 80), octet, (mic, method) => {
      const body = emitAuthentication(mic);
      assert.deepEqual(parseAuthentication(body), mic);
      body[0] = method;
      assert.deepEqual(parseAuthentication(body), method === 2 ? mic : undefined);
    }),
  );
  for (const length of [1, 2, 3])
    assert.equal(parseAuthentication(Uint8Array.of(2, 0, 0).subarray(0, length)), undefined);
});

test("nonce", () => {
  fc.assert(
    fc.property(octets(0, 300), (nonce) => {
      const good = nonce.length >= 16 && nonce.length <= 256;
      assert.deepEqual(parseNonce(nonce), good ? nonce : undefined);
    }),
  );
});

const transform = record({
  type: fc.integer({ min: 1, max: 5 }),
  id: number16,
  keyBits: fc.constantFrom(undefined, 128, 256),
});

test("proposal: what was offered is accepted in any order, and nothing else is", () => {
  const offers = fc.uniqueArray(transform, { minLength: 1, maxLength: 5, selector: ({ type }) => type });
  fc.assert(
    fc.property(
      offers,
      octets(0, 8),
      fc.constantFrom(1, 3),
      fc.nat(),
      octet,
      (list, spi, protocol, at, bit) => {
        const emitted = list.map(({ type, id, keyBits }) => emitTransform(type, id, keyBits));
        const accept = (body: Uint8Array) => acceptedSpi(body, protocol, spi.length, emitted);
        const body = emitProposal(protocol, spi, emitted);
        assert.deepEqual(accept(body), spi);
        assert.deepEqual(accept(emitProposal(protocol, spi, [...emitted].reverse())), spi);
        assert.equal(accept(emitProposal(protocol, spi, emitted.slice(1))), undefined);
        assert.equal(accept(emitProposal(protocol, spi, [...emitted, emitted[0]!])), undefined);

        // A bit turned over anywhere but in the SPI and in RESERVED octets is another proposal.
        const index = at % body.length;
        const damaged = body.slice();
        damaged[index]! ^= 1 << (bit % 8);
        const starts = [...emitted.keys()].map((i) =>
          emitted.slice(0, i).reduce((sum, { length }) => sum + length, 8 + spi.length),
        );
        const free = index === 1 || (index >= 8 && index < 8 + spi.length);
        const reserved = starts.some((start) => index === start + 1 || index === start + 5);
        if (!free && !reserved) assert.equal(accept(damaged), undefined);
      },
    ),
    { numRuns: 500 },
  );
});
