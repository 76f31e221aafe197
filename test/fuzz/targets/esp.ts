/**
 * ESP packets of a gateway, right and wrong: each is accepted once, only if the gateway has sealed it, and what comes
 * out is what went in, and traffic of the SA.
 */

import assert from "node:assert/strict";
import { inboundSa, open, outboundSa, seal } from "ikelet/esp.js";
import { CIPHERS, gatewayDirection, makeChild } from "../../esp/support.ts";
import {
  type Bytes,
  concat,
  equal,
  hex,
  openEsp,
  ReplayWindow,
  sealEsp,
  u16,
} from "../../responder/index.ts";
import { type Choices, choicesOf } from "../choices.ts";

const MOST_PACKETS = 6;
const LOCAL6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
const REMOTE6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1];
const ALL = { protocol: 0, startPort: 0, endPort: 0xffff };
const PROTOCOLS = [0, 1, 4, 6, 17, 41, 43, 44, 50, 58, 59, 60, 255];

function ipv4(choices: Choices, from: number[], to: number[]): Bytes {
  const rest = choices.octets(40);
  const options = choices.once(8) ? choices.below(4) : 0;
  const header = Uint8Array.of(
    0x45 + options,
    0,
    ...u16(20 + 4 * options + rest.length),
    0,
    0,
    ...u16(choices.once(6) ? choices.below(0x10000) : 0),
    64,
    choices.among(PROTOCOLS),
    0,
    0,
    ...from,
    ...to,
  );
  return concat(header, new Uint8Array(4 * options), rest);
}

function ipv6(choices: Choices, from: number[], to: number[]): Bytes {
  const rest = choices.octets(60);
  return concat(
    Uint8Array.of(0x60, 0, 0, 0, ...u16(rest.length), choices.among(PROTOCOLS), 64, ...from, ...to),
    rest,
  );
}

function inner(choices: Choices, isOurs: boolean): Bytes {
  const four = [
    [10, 1, 0, 7],
    [10, 99, choices.below(256), 1],
  ];
  const six = [LOCAL6, REMOTE6];
  const v6 = choices.once(2);
  const [local, remote] = (v6 ? six : four) as [number[], number[]];
  const packet = (v6 ? ipv6 : ipv4)(choices, isOurs ? local : remote, isOurs ? remote : local);
  if (choices.once(4) && packet.length) packet[choices.below(packet.length)] = choices.octet();
  return choices.once(8) ? concat(packet, choices.octets(20)) : packet;
}

function within(octets: Bytes, start: Bytes, end: Bytes): boolean {
  return Buffer.compare(start, octets) <= 0 && Buffer.compare(octets, end) <= 0;
}

export function fuzzEsp(input: Uint8Array): void {
  const choices = choicesOf(input);
  const [, cipher] = choices.among(CIPHERS);
  const mode = choices.once(3) ? "transport" : "tunnel";
  const esn = choices.once(2);
  const narrow = choices.once(3) ? { ...ALL, protocol: 17, endPort: 0x7fff } : ALL;
  const base = makeChild(cipher);
  const child = {
    ...base,
    mode,
    esn,
    local: base.local.map((selector) => ({ ...selector, ...narrow })),
  } as typeof base;
  const direction = gatewayDirection(cipher, child, "inbound");
  const behind = choices.once(3) ? 0xffffff00 : 0;
  let inbound = { ...inboundSa(child), sequence: behind };
  let outbound = outboundSa(child);
  const model = new ReplayWindow();
  model.highest = behind;
  const genuine: Record<string, { sequence: number; payload: Bytes }> = {};
  const sent: Bytes[] = [];

  for (let n = 0; n < MOST_PACKETS && choices.left(); n++) {
    const before = inbound;
    const window = hex(before.window);
    const sequence = Math.max(1, before.sequence + choices.below(80) - 70 + (choices.once(5) ? 4000 : 0));
    const payload = inner(choices, false);
    const nextHeader =
      mode === "tunnel" && !choices.once(8) ? (payload[0]! >> 4 === 6 ? 41 : 4) : choices.among(PROTOCOLS);
    const wrong = choices.once(12) ? { padLengthOctet: choices.octet() } : {};
    const right = sealEsp(direction, sequence, payload, nextHeader, wrong);
    if (esn || sequence < 2 ** 32) genuine[hex(right)] = { sequence, payload };
    let packet = choices.once(6) && sent.length ? choices.among(sent) : right;
    if (choices.once(3)) {
      packet = packet.slice(0, packet.length - (choices.once(3) ? choices.below(packet.length) : 0));
      for (let k = choices.below(3); k; k--)
        if (packet.length) packet[choices.below(packet.length)]! ^= 1 << choices.below(8);
    }
    sent.push(packet);
    const copy = packet.slice();
    const output = choices.once(4) ? new Uint8Array(choices.below(300)) : undefined;
    const opened = open(cipher, before, packet, output);
    assert.ok(equal(packet, copy), "the packet is changed");
    assert.equal(hex(before.window), window, "the SA before is changed");
    inbound = { ...opened.sa, window: opened.sa.window };
    const known = genuine[hex(packet)];
    if (opened.sa !== before) {
      assert.ok(known, "a forgery is accepted");
      assert.ok(model.isFresh(known.sequence), "a packet twice");
      model.accept(known.sequence);
      assert.equal(inbound.sequence, model.highest);
    }
    if (opened.reason) continue;
    assert.ok(opened.sa !== before && known, "a payload without a packet");
    // With a wrong Pad Length some of the padding counts as payload.
    const common = Math.min(opened.payload.length, known.payload.length);
    assert.ok(equal(opened.payload.slice(0, common), known.payload.slice(0, common)), "another payload");
    if (mode === "transport") {
      assert.ok(opened.nextHeader !== 4 && opened.nextHeader !== 41, "IP inside of IP");
      continue;
    }
    const v6 = opened.nextHeader === 41;
    assert.equal(opened.payload[0]! >> 4, v6 ? 6 : 4);
    const [from, to] = v6 ? [8, 24] : [12, 16];
    const size = v6 ? 16 : 4;
    const at = (start: number) => opened.payload.slice(start, start + size);
    const isOf = (list: typeof child.local, address: Bytes): boolean =>
      list.some(({ start, end }) => start.length === size && within(address, start, end));
    assert.ok(isOf(child.remote, at(from)) && isOf(child.local, at(to)), "traffic of no SA");
  }

  const payload = inner(choices, true);
  const sealed = seal(cipher, outbound, payload, choices.once(4) ? choices.among(PROTOCOLS) : undefined);
  if (sealed.reason) assert.equal(sealed.sa, outbound);
  else {
    outbound = sealed.sa;
    assert.equal(outbound.sequence, 1);
    const read = openEsp(gatewayDirection(cipher, child, "outbound"), sealed.packet);
    assert.ok(read && equal(read.payload, payload.slice(0, read.payload.length)), "sealed wrongly");
  }
}
