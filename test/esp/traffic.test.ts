/** What may go through an SA, and what its packets look like inside. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { host, net } from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { type InboundSa, inboundSa, open, outboundSa, packetLength, seal } from "ikelet/esp.js";
import { type EspChoices, flip, openEsp, sealEsp } from "../responder/index.ts";
import {
  CIPHERS,
  gatewayDirection,
  type Inner,
  innerPacket,
  LOCAL4,
  makeChild,
  mustOpen,
  mustSeal,
  pattern,
  ports,
  REMOTE4,
  reasonOf,
  SPI_IN,
  selector,
  toHex,
} from "./support.ts";

const CIPHER = chacha20Poly1305;
const TUNNEL = makeChild(CIPHER);
const TRANSPORT = makeChild(CIPHER, { mode: "transport" });
const UDP = 17;

function sent(payload: Uint8Array, nextHeader: number, choices: EspChoices = {}, sequence = 1): Uint8Array {
  return sealEsp(gatewayDirection(CIPHER, TUNNEL, "inbound"), sequence, payload, nextHeader, choices);
}

describe("padding", () => {
  for (const [name, cipher] of CIPHERS)
    test(`${name}: the fewest octets, counted up [4303-2.4-a, 3602-2.4-a, 4303-2.3-a]`, () => {
      const child = makeChild(cipher, { mode: "transport" });
      const block = Math.max(4, cipher.blockLength);
      for (let length = 0; length <= 40; length++) {
        const { packet } = mustSeal(seal(cipher, outboundSa(child), pattern(length), UDP));
        const read = openEsp(gatewayDirection(cipher, child, "outbound"), packet);
        const padding = (block - ((length + 2) % block)) % block;
        assert.deepEqual(
          [...read!.padding],
          Array.from({ length: padding }, (_, i) => i + 1),
        );
        assert.equal((length + padding + 2) % block, 0);
        const start = packet.length - cipher.icvLength - length - padding - 2;
        assert.equal(start % 8, 0, "the payload begins at a multiple of 8");
        assert.equal(start, 8 + cipher.ivLength);
      }
    });

  test("is accepted in any length that fits, and checked [4303-2.4-b]", () => {
    const inner = innerPacket({}, true);
    const result = (choices: EspChoices): string =>
      reasonOf(open(CIPHER, inboundSa(TUNNEL), sent(inner, 4, choices)));
    for (const padLength of [2, 6, 10, 254]) assert.equal(result({ padLength }), "accepted");
    assert.equal(result({ padLength: 255 }), "accepted");
    for (const padLengthOctet of [43, 100, 255]) assert.equal(result({ padLengthOctet }), "padding");
    assert.equal(result({ padLength: 6, padOctet: () => 0 }), "padding");
    for (let wrong = 0; wrong < 6; wrong++)
      assert.equal(result({ padLength: 6, padOctet: (i) => (i === wrong ? 0x80 : i + 1) }), "padding");
  });

  test("and all the rest add up to packetLength [4303-3.3.4-a]", () => {
    for (const [name, cipher] of CIPHERS)
      for (let length = 20; length < 60; length++) {
        const inner = innerPacket({ data: pattern(length - 20) });
        const { packet } = mustSeal(seal(cipher, outboundSa(makeChild(cipher)), inner));
        assert.equal(packet.length, packetLength(cipher, length), name);
      }
  });
});

describe("tunnel mode", () => {
  test("Next Header is that of the version [4303-2.6-a]", () => {
    for (const [version, nextHeader] of [
      [4, 4],
      [6, 41],
    ] as const) {
      const { packet } = mustSeal(seal(CIPHER, outboundSa(TUNNEL), innerPacket({ version })));
      const read = openEsp(gatewayDirection(CIPHER, TUNNEL, "outbound"), packet);
      assert.equal(read?.nextHeader, nextHeader);
    }
  });

  test("version and Next Header have to agree, both ways [REC-esp-b]", () => {
    const four = innerPacket({}, true);
    const six = innerPacket({ version: 6 }, true);
    const result = (payload: Uint8Array, nextHeader: number): string =>
      reasonOf(open(CIPHER, inboundSa(TUNNEL), sent(payload, nextHeader)));
    assert.equal(result(four, 4), "accepted");
    assert.equal(result(six, 41), "accepted");
    for (const nextHeader of [0, 5, 6, 17, 41, 50, 255])
      assert.equal(result(four, nextHeader), "next-header");
    for (const nextHeader of [0, 4, 6, 17, 50, 255]) assert.equal(result(six, nextHeader), "next-header");
    for (const version of [0, 1, 5, 7, 15])
      for (const nextHeader of [version, 4, 41]) {
        const odd = new Uint8Array(four);
        odd[0] = version * 16 + 5;
        assert.equal(result(odd, nextHeader), "next-header", `version ${version}`);
        assert.equal(seal(CIPHER, outboundSa(TUNNEL), odd, nextHeader).reason, "next-header");
        assert.equal(seal(CIPHER, outboundSa(TUNNEL), odd).reason, "next-header");
      }
    assert.equal(seal(CIPHER, outboundSa(TUNNEL), innerPacket(), UDP).reason, "next-header");
  });

  test("an inner packet whose lengths are impossible is none", () => {
    const refused = (inner: Uint8Array): void => {
      assert.equal(seal(CIPHER, outboundSa(TUNNEL), inner).reason, "next-header");
      const nextHeader = inner[0]! >> 4 === 6 ? 41 : 4;
      assert.equal(reasonOf(open(CIPHER, inboundSa(TUNNEL), sent(inner, nextHeader))), "next-header");
    };
    for (const version of [4, 6] as const) {
      const inner = innerPacket({ version });
      for (let length = 0; length < inner.length; length++) refused(inner.subarray(0, length));
    }
    const changed = (at: number, ...octets: number[]): Uint8Array => {
      const copy = innerPacket();
      copy.set(octets, at);
      return copy;
    };
    for (const headerWords of [0, 1, 4, 11, 15]) refused(changed(0, 0x40 + headerWords));
    for (const total of [0, 19, 41, 0xffff]) refused(changed(2, total >> 8, total & 255));
  });

  test("what stands behind the inner packet is left out [4303-2.7-a]", () => {
    for (const version of [4, 6] as const) {
      const inner = innerPacket({ version }, true);
      const filled = new Uint8Array(inner.length + 100).fill(0xaa);
      filled.set(inner);
      const opened = mustOpen(open(CIPHER, inboundSa(TUNNEL), sent(filled, version === 4 ? 4 : 41)));
      assert.equal(toHex(opened.payload), toHex(inner));
      const own = innerPacket({ version });
      filled.set(own);
      const { packet } = mustSeal(seal(CIPHER, outboundSa(TUNNEL), filled));
      assert.equal(packet.length, packetLength(CIPHER, own.length));
    }
  });
});

describe("transport mode", () => {
  test("carries any protocol but IP [4303-2.6-a, REC-esp-b]", () => {
    const inbound = inboundSa(TRANSPORT);
    for (const nextHeader of [0, 1, 6, 17, 50, 58, 132, 255]) {
      assert.equal(reasonOf(open(CIPHER, inbound, sent(pattern(24), nextHeader))), "accepted");
      mustSeal(seal(CIPHER, outboundSa(TRANSPORT), pattern(24), nextHeader));
    }
    for (const nextHeader of [4, 41]) {
      const inner = innerPacket({ version: nextHeader === 4 ? 4 : 6 });
      assert.equal(reasonOf(open(CIPHER, inbound, sent(inner, nextHeader))), "next-header");
      assert.equal(seal(CIPHER, outboundSa(TRANSPORT), inner, nextHeader).reason, "next-header");
      assert.equal(seal(CIPHER, outboundSa(TRANSPORT), inner).reason, "next-header");
    }
  });
});

test("dummy packets are dropped, and their numbers are used up [4303-2.6-b, 9333-6-a]", () => {
  for (const child of [TUNNEL, TRANSPORT])
    for (const length of [0, 1, 2, 50]) {
      const dummy = sent(pattern(length), 59);
      const opened = open(CIPHER, inboundSa(child), dummy);
      assert.equal(reasonOf(opened), "dummy");
      assert.equal(opened.sa.sequence, 1);
      assert.equal(reasonOf(open(CIPHER, opened.sa, dummy)), "replayed");
      // The smallest packet there is.
      const smallest = sent(new Uint8Array(0), 59, { padLength: 0 });
      assert.equal(reasonOf(open(CIPHER, inboundSa(child), smallest)), "dummy");
      // We can make them too.
      const { packet, sa } = mustSeal(seal(CIPHER, outboundSa(child), pattern(length), 59));
      assert.equal(sa.sequence, 1);
      const read = openEsp(gatewayDirection(CIPHER, child, "outbound"), packet);
      assert.equal(read?.nextHeader, 59);
    }
});

describe("traffic selectors [REC-esp-b]", () => {
  const local = host([...LOCAL4]);
  const remote = net([...REMOTE4], 16);

  function check(
    expected: "accepted" | "selectors",
    { local: ours = [local], remote: theirs = [remote], ...inner }: Inner & Partial<typeof TUNNEL>,
    note: string = "",
  ): void {
    const child = { ...TUNNEL, local: ours, remote: theirs };
    const out = seal(CIPHER, outboundSa(child), innerPacket(inner));
    assert.equal(out.reason ?? "accepted", expected, `seal ${note}`);
    const nextHeader = inner.version === 6 ? 41 : 4;
    // The ports go the other way round as well.
    const data = inner.data && new Uint8Array(inner.data);
    if (data && data.length >= 4 && inner.protocol !== 1 && inner.protocol !== 58) {
      data.copyWithin(0, 2, 4);
      data.set(inner.data!.subarray(0, 2), 2);
    }
    const back = innerPacket({ ...inner, ...(data && { data }) }, true);
    const opened = open(CIPHER, inboundSa(child), sent(back, nextHeader));
    assert.equal(reasonOf(opened), expected, `open ${note}`);
    assert.equal(opened.sa.sequence, 1, "the number is used up");
  }

  test("addresses", () => {
    check("accepted", {});
    check("selectors", { source: [10, 1, 0, 6] });
    check("selectors", { source: [10, 1, 0, 8] });
    check("selectors", { source: [11, 0, 0, 7] });
    check("selectors", { source: [9, 255, 255, 255] });
    for (const last of [0, 255]) check("accepted", { destination: [10, 99, last, last] });
    check("selectors", { destination: [10, 98, 255, 255] });
    check("selectors", { destination: [10, 100, 0, 0] });
    check("accepted", { remote: [host([1, 2, 3, 4]), remote] }, "the second of two");
    check("selectors", { version: 6 }, "IPv6 through selectors of IPv4");
    check("accepted", { version: 6, local: TUNNEL.local, remote: TUNNEL.remote });
    check(
      "selectors",
      { remote: [TUNNEL.remote[1]!], destination: [0x20, 1, 0xd, 0xb8] },
      "of IPv4 through IPv6",
    );
    const other = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1];
    check("selectors", { version: 6, local: TUNNEL.local, remote: TUNNEL.remote, destination: other });
    // A range that is no network: bytes of the middle may lie outside of what the ends say for one octet.
    const range = { ...remote, start: new Uint8Array([10, 1, 200, 0]), end: new Uint8Array([10, 3, 5, 0]) };
    check("accepted", { remote: [range], destination: [10, 2, 0, 255] });
    check("selectors", { remote: [range], destination: [10, 1, 199, 255] });
    check("selectors", { remote: [range], destination: [10, 3, 5, 1] });
  });

  test("protocol and ports", () => {
    const coap = [selector(remote, UDP, 5683, 5684)];
    check("accepted", { remote: coap, protocol: UDP, data: ports(40000, 5683) });
    check("accepted", { remote: coap, protocol: UDP, data: ports(40000, 5684) });
    check("selectors", { remote: coap, protocol: UDP, data: ports(40000, 5682) });
    check("selectors", { remote: coap, protocol: UDP, data: ports(5683, 5685) });
    check("selectors", { remote: coap, protocol: 6, data: ports(40000, 5683) });
    check("selectors", { remote: coap, protocol: UDP, data: new Uint8Array(3) }, "no ports to be seen");
    check("selectors", { local: [selector(local, UDP, 7, 7)], protocol: UDP, data: ports(8, 7) });
    check("accepted", { local: [selector(local, UDP, 7, 7)], protocol: UDP, data: ports(7, 8) });
    check("accepted", { local: [selector(local, UDP)], protocol: UDP, data: new Uint8Array(0) });
    check("selectors", { local: [selector(local, 6)], protocol: UDP });
    const zero = [selector(local, UDP, 0, 0)];
    check("accepted", { local: zero, protocol: UDP, data: ports(0, 9) });
    check("selectors", { local: zero, protocol: UDP, data: ports(1, 9) });
    // A port that is not to be seen is not port 0.
    check("selectors", { local: zero, protocol: UDP, data: new Uint8Array(1) });
    check("selectors", { local: zero, protocol: UDP, data: ports(0, 9), fragment: 1 });
    const allButZero = [selector(local, UDP, 1, 0xffff)];
    check("accepted", { local: allButZero, protocol: UDP, data: ports(0xffff, 9) });
    check("selectors", { local: allButZero, protocol: UDP, data: ports(0, 9) });
    check("selectors", { local: allButZero, protocol: UDP, data: new Uint8Array(1) });
    const neitherEnd = [selector(local, UDP, 1, 0xfffe)];
    for (const port of [0, 0xffff])
      check("selectors", { local: neitherEnd, protocol: UDP, data: ports(port, 9) });
    // The destination port is the last thing in the packet, or is cut off.
    check("accepted", { remote: coap, protocol: UDP, data: ports(40000, 5683).subarray(0, 4) });
    check("selectors", { remote: coap, protocol: UDP, data: ports(40000, 5683).subarray(0, 3) });
  });

  test("type and code of ICMP stand for either port", () => {
    const echo = [selector(local, 1, 0x0800, 0x08ff)];
    const data = new Uint8Array([8, 0, 1, 2, 3, 4, 5, 6]);
    check("accepted", { local: echo, protocol: 1, data });
    check("selectors", { local: echo, protocol: 1, data: new Uint8Array([3, 1, 8, 0, 0, 0, 0, 0]) });
    check("accepted", { remote: [selector(remote, 1, 0x0800, 0x08ff)], protocol: 1, data });
    const six = { version: 6, protocol: 58, local: TUNNEL.local, data } as const;
    check("accepted", { ...six, remote: [selector(TUNNEL.remote[1]!, 58, 0x0800, 0x08ff)] });
    check("selectors", { ...six, remote: [selector(TUNNEL.remote[1]!, 58, 0x0102, 0x0102)] });
  });

  test("IPv4 options move the ports; later fragments have none", () => {
    const coap = [selector(remote, UDP, 5683, 5683)];
    const child = { ...TUNNEL, remote: coap };
    const data = new Uint8Array([1, 1, 1, 1, ...ports(1, 5683)]);
    const inner = innerPacket({ data });
    assert.equal(seal(CIPHER, outboundSa(child), inner).reason, "selectors");
    inner[0] = 0x46;
    assert.equal(seal(CIPHER, outboundSa(child), inner).reason, undefined);
    for (const protocol of [0, 43, 44, 60])
      check(
        "selectors",
        {
          remote: [selector(remote, UDP)],
          protocol,
          data: new Uint8Array([UDP, 0, 0, 0, 0, 0, 0, 0, ...ports(1, 2)]),
        },
        "IPv4 has no extension headers",
      );
    check("accepted", { remote: coap, fragment: 0x2000, data: ports(1, 5683) }, "the first fragment");
    for (const fragment of [0x2001, 0x0001, 0x1fff])
      check("selectors", { remote: coap, fragment, data: ports(1, 5683) }, "a later fragment");
    check("accepted", { remote: [selector(remote, UDP)], fragment: 0x0001 }, "a later fragment, all ports");
  });

  test("IPv6 extension headers are passed over", () => {
    const [local6] = [TUNNEL.local[1]!];
    const remote6 = TUNNEL.remote[1]!;
    const coap = { local: [selector(local6, UDP)], remote: [selector(remote6, UDP, 5683, 5683)] };
    const chain = (...headers: number[][]): Uint8Array =>
      new Uint8Array([...headers.flat(), ...ports(1, 5683)]);
    const eight = (next: number): number[] => [next, 0, 0, 0, 0, 0, 0, 0];
    const sixteen = (next: number): number[] => [next, 1, ...new Array(14).fill(0)];
    const sealed = (protocol: number, data: Uint8Array): string =>
      seal(CIPHER, outboundSa({ ...TUNNEL, ...coap }), innerPacket({ version: 6, protocol, data })).reason ??
      "accepted";
    assert.equal(sealed(UDP, chain()), "accepted");
    assert.equal(sealed(0, chain(eight(UDP))), "accepted");
    assert.equal(sealed(0, chain(sixteen(43), eight(60), sixteen(UDP))), "accepted");
    assert.equal(sealed(44, chain([UDP, 255, 0, 1, 0, 0, 0, 1])), "accepted", "the first fragment");
    assert.equal(sealed(44, chain([UDP, 0, 0, 8, 0, 0, 0, 1])), "selectors", "a later fragment");
    assert.equal(sealed(0, chain(eight(6))), "selectors");
    assert.equal(sealed(50, chain(eight(UDP))), "selectors", "ESP is no extension header here");
    assert.equal(sealed(0, new Uint8Array([0])), "selectors", "cut off");
    assert.equal(sealed(0, chain([UDP, 200, 0, 0, 0, 0, 0, 0])), "selectors", "too long");
  });

  test("in transport mode ports and protocol, addresses are the SA's own", () => {
    const child = { ...TRANSPORT, remote: [selector(remote, UDP, 5683, 5683)] };
    const out = outboundSa(child);
    assert.equal(seal(CIPHER, out, ports(1, 5683), UDP).reason, undefined);
    assert.equal(seal(CIPHER, out, ports(5683, 1), UDP).reason, "selectors");
    assert.equal(seal(CIPHER, out, ports(1, 5683), 6).reason, "selectors");
    assert.equal(reasonOf(open(CIPHER, inboundSa(child), sent(ports(5683, 1), UDP))), "accepted");
    assert.equal(reasonOf(open(CIPHER, inboundSa(child), sent(ports(1, 5683), UDP))), "selectors");
  });
});

describe("what arrives", () => {
  test("of another SPI is none of ours [4303-3.4.2-a, 9333-3-a]", () => {
    const inbound = inboundSa(TUNNEL);
    const packet = sent(innerPacket({}, true), 4);
    for (let at = 0; at < 4; at++) assert.equal(reasonOf(open(CIPHER, inbound, flip(packet, at))), "foreign");
    // What else comes on port 4500.
    assert.equal(reasonOf(open(CIPHER, inbound, new Uint8Array([0xff]))), "foreign");
    assert.equal(reasonOf(open(CIPHER, inbound, new Uint8Array(40))), "foreign");
  });

  test("has one reason for each cause [4303-4-a]", () => {
    const inner = innerPacket({}, true);
    const sa = open(CIPHER, inboundSa(TUNNEL), sent(inner, 4, {}, 100)).sa;
    const packet = sent(inner, 4, {}, 101);
    const causes: [string, Uint8Array][] = [
      ["foreign", flip(packet, 0)],
      ["malformed", packet.subarray(0, 33)],
      ["old", sent(inner, 4, {}, 36)],
      ["replayed", sent(inner, 4, {}, 100)],
      ["integrity", flip(packet, 30)],
      ["padding", sent(inner, 4, { padLengthOctet: 200 }, 102)],
      ["dummy", sent(inner, 59, {}, 103)],
      ["next-header", sent(inner, 41, {}, 104)],
      ["selectors", sent(innerPacket(), 4, {}, 105)],
    ];
    for (const [reason, octets] of causes) assert.equal(reasonOf(open(CIPHER, sa, octets)), reason);
    assert.equal(reasonOf(open(CIPHER, sa, packet, new Uint8Array(8))), "size");
  });

  test("comes in whole blocks, or is malformed", () => {
    const cipher = aesCbc(128, hmacSha256_128);
    const sa = inboundSa(makeChild(cipher));
    const whole = sealEsp(
      gatewayDirection(cipher, makeChild(cipher), "inbound"),
      1,
      innerPacket({}, true),
      4,
      {
        iv: pattern(16),
      },
    );
    for (let less = 1; less < 16; less++)
      assert.equal(reasonOf(open(cipher, sa, whole.subarray(0, whole.length - less))), "malformed");
    assert.equal(reasonOf(open(cipher, sa, whole.subarray(0, whole.length - 16))), "integrity");
    assert.equal(reasonOf(open(cipher, sa, whole)), "accepted");
  });

  test("is looked at in this order: ICV, padding, Next Header, selectors [4303-3.4.4-a]", () => {
    const wrong = { padLength: 6, padOctet: () => 9 };
    const stranger = innerPacket();
    const result = (packet: Uint8Array): string => reasonOf(open(CIPHER, inboundSa(TUNNEL), packet));
    assert.equal(result(flip(sent(stranger, 7, wrong), 20)), "integrity");
    assert.equal(result(sent(stranger, 7, wrong)), "padding");
    assert.equal(result(sent(stranger, 7)), "next-header");
    assert.equal(result(sent(stranger, 4)), "selectors");
  });

  for (const [name, cipher] of CIPHERS) {
    const child = makeChild(cipher);
    const packet = sealEsp(
      gatewayDirection(cipher, child, "inbound"),
      1,
      innerPacket({}, true),
      4,
      cipher.ivLength ? { iv: pattern(cipher.ivLength) } : {},
    );

    test(`${name}: no bit can be changed, nothing is let out, the SA stays [4303-3.4.4.1-a]`, () => {
      const sa = inboundSa(child);
      const output = new Uint8Array(packet.length).fill(0x55);
      for (let at = 0; at < packet.length; at++)
        for (let bit = 1; bit < 256; bit *= 2) {
          const opened = open(cipher, sa, flip(packet, at, bit), output);
          assert.notEqual(reasonOf(opened), "accepted", `octet ${at}, bit ${bit}`);
          assert.equal(opened.sa, sa);
          assert.equal("payload" in opened, false);
        }
      assert.deepEqual(output, new Uint8Array(packet.length).fill(0x55));
      assert.equal(reasonOf(open(cipher, sa, packet, output)), "accepted");
    });

    test(`${name}: a shorter ICV, or any other cut, is refused [8221-6-b]`, () => {
      const sa = inboundSa(child);
      for (let length = 0; length < packet.length; length++)
        assert.notEqual(reasonOf(open(cipher, sa, packet.subarray(0, length))), "accepted");
    });

    test(`${name}: any octets are refused and never throw`, () => {
      const sa = { ...inboundSa(child), sequence: 70 };
      const own = new Uint8Array([SPI_IN >>> 24, SPI_IN >>> 16, SPI_IN >>> 8, SPI_IN]);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), fc.boolean(), (octets, ours, space) => {
          const any = ours ? new Uint8Array([...own, ...octets]) : octets;
          const opened = open(cipher, sa, any, space ? new Uint8Array(64) : undefined);
          assert.notEqual(reasonOf(opened), "accepted");
          assert.equal(opened.sa, sa);
        }),
        { numRuns: 200 },
      );
    });
  }

  test("with a good ICV and any content never throws, and uses its number", () => {
    for (const child of [TUNNEL, TRANSPORT])
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 90 }), fc.nat(255), fc.nat(255), (content, octet, next) => {
          const packet = sent(content, next, { padLengthOctet: octet });
          const opened = open(CIPHER, inboundSa(child), packet);
          assert.equal(opened.sa.sequence, 1);
          assert.equal(
            ["foreign", "malformed", "old", "replayed", "integrity"].includes(reasonOf(opened)),
            false,
          );
        }),
        { numRuns: 500 },
      );
  });
});

describe("buffers of the caller", () => {
  for (const [name, cipher] of CIPHERS)
    test(`${name}: the same octets, nothing beside them, the payload may lie in the output`, () => {
      const child = makeChild(cipher);
      for (let length = 0; length < 40; length++) {
        const inner = innerPacket({ data: pattern(length) });
        const expected = mustSeal(seal(cipher, outboundSa(child), inner)).packet;
        for (const offset of [0, 8 + cipher.ivLength, 5, 11]) {
          const space = new Uint8Array(expected.length + 40).fill(0xee);
          space.set(inner, offset);
          const output = space.subarray(0, expected.length + 4);
          const payload = output.subarray(offset, offset + inner.length);
          const sealed = mustSeal(seal(cipher, outboundSa(child), payload, undefined, output));
          assert.equal(toHex(sealed.packet), toHex(expected));
          assert.equal(sealed.packet.buffer, space.buffer);
        }
        // Where no word begins.
        const odd = new Uint8Array(expected.length + 8).fill(0xee);
        const sealed = mustSeal(
          seal(cipher, outboundSa(child), inner, undefined, odd.subarray(3, 3 + expected.length)),
        );
        assert.equal(toHex(sealed.packet), toHex(expected));
        assert.equal(toHex(odd), `eeeeee${toHex(expected)}eeeeeeeeee`);

        const inbound: InboundSa = inboundSa({
          ...child,
          inbound: child.outbound,
          local: child.remote,
          remote: child.local,
        });
        const out = new Uint8Array(expected.length + 3).fill(0xee);
        const opened = mustOpen(open(cipher, inbound, sealed.packet, out.subarray(3)));
        assert.equal(toHex(opened.payload), toHex(inner));
        assert.equal(opened.payload.buffer, out.buffer);
        assert.equal(toHex(out.subarray(0, 3)), "eeeeee");
      }
    });

  test("that are too short are told", () => {
    const length = packetLength(CIPHER, 40);
    const sealed = seal(CIPHER, outboundSa(TUNNEL), innerPacket(), undefined, new Uint8Array(length - 1));
    assert.equal(sealed.reason, "size");
    assert.equal(sealed.sa.sequence, 0);
    const inner = innerPacket({}, true);
    for (const short of [0, 43])
      assert.equal(reasonOf(open(CIPHER, inboundSa(TUNNEL), sent(inner, 4), new Uint8Array(short))), "size");
    assert.equal(reasonOf(open(CIPHER, inboundSa(TUNNEL), sent(inner, 4), new Uint8Array(44))), "accepted");
  });
});

describe("misuse", () => {
  test("a cipher that is not the one of the SA", () => {
    for (const [name, cipher] of CIPHERS)
      for (const [other, wrong] of CIPHERS) {
        if (name === other) continue;
        const child = makeChild(cipher);
        const thrown = { name: "IkeletError", code: "argument" };
        assert.throws(() => seal(wrong, outboundSa(child), innerPacket()), thrown, `${name}, ${other}`);
        assert.throws(() => open(wrong, inboundSa(child), new Uint8Array(80)), thrown, `${name}, ${other}`);
      }
  });
});

test("IVs of CBC differ and cannot be told from the number [3602-3-a]", () => {
  for (const [name, cipher] of CIPHERS) {
    if (!cipher.unpredictableIv) continue;
    const ivs = new Set<string>();
    let ones = 0;
    let sa = outboundSa(makeChild(cipher));
    for (let i = 0; i < 200; i++) {
      const sealed = mustSeal(seal(cipher, sa, innerPacket()));
      sa = sealed.sa;
      const iv = sealed.packet.subarray(8, 24);
      for (const octet of iv) for (let bit = 0; bit < 8; bit++) ones += (octet >> bit) & 1;
      ivs.add(toHex(iv));
    }
    assert.equal(ivs.size, 200, name);
    assert.equal(Math.abs(ones / (200 * 128) - 0.5) < 0.03, true, `${name}: ${ones} ones`);
  }
});
