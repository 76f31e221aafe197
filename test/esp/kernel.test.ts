/** Packets of a real gateway's kernel, recorded by `npm run test:gateways -- --record packets`. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { ChildSa } from "ikelet";
import { inboundSa, open, outboundSa, seal } from "ikelet/esp.js";
import { type Echo, echoProtocol, parseEcho, parseEchoPacket } from "../../examples/node/echo.ts";
import { espCipherOf } from "../gateways/algorithms.ts";
import type { EspProposal } from "../gateways/config.ts";
import { octetsOf } from "../gateways/json.ts";
import { mustOpen, mustSeal, toHex } from "./support.ts";

interface Recorded {
  readonly name: string;
  readonly esp: EspProposal;
  readonly child: ChildSa;
  readonly packets: readonly { readonly direction: "in" | "out"; readonly octets: Uint8Array }[];
}

const OCTETS = new Set(["key", "start", "end", "octets"]);
const directory = new URL("../vectors/esp/", import.meta.url);

function load(file: string): Recorded[] {
  const text = readFileSync(new URL(file, directory), "utf8");
  return JSON.parse(text, (key, value) => (OCTETS.has(key) ? octetsOf(value) : value));
}

for (const file of readdirSync(directory))
  for (const { name, esp, child, packets } of load(file)) {
    const cipher = espCipherOf(esp);
    const ours = child.local[0]!.start;
    const theirs = child.remote[0]!.start;

    const echoOf = (payload: Uint8Array, source: Uint8Array, destination: Uint8Array): Echo => {
      const echo =
        child.mode === "tunnel" ? parseEchoPacket(payload) : parseEcho(payload, source, destination);
      assert.ok(echo, "an echo with a good checksum");
      return echo;
    };

    test(`${file}, ${name}: the kernel's packets open, and ours are sealed again bit for bit [4303-3.4.4.1-a]`, () => {
      let inbound = inboundSa(child);
      let outbound = outboundSa(child);
      let asked: Echo | undefined;
      for (const { direction, octets } of packets)
        if (direction === "in") {
          const opened = mustOpen(open(cipher, inbound, octets));
          inbound = opened.sa;
          const reply = echoOf(opened.payload, theirs, ours);
          assert.deepEqual(reply, { ...asked, source: theirs, destination: ours, reply: true });
        } else {
          // As the gateway sees it.
          const mirrored = {
            ...child,
            inbound: child.outbound,
            local: child.remote,
            remote: child.local,
          };
          const { payload, nextHeader } = mustOpen(open(cipher, inboundSa(mirrored), octets));
          asked = echoOf(payload, ours, theirs);
          if (child.mode === "transport") assert.equal(nextHeader, echoProtocol(asked));
          const sealed = mustSeal(seal(cipher, outbound, payload, nextHeader));
          outbound = sealed.sa;
          assert.equal(toHex(sealed.packet), toHex(octets));
        }
      assert.equal(inbound.sequence, outbound.sequence, "a reply for each");
    });

    test(`${file}, ${name}: with one octet changed the kernel's packet is refused`, () => {
      const { octets } = packets.find(({ direction }) => direction === "in")!;
      const inbound = inboundSa(child);
      for (let at = 0; at < octets.length; at++) {
        const changed = octets.with(at, octets[at]! ^ (1 << (at % 8)));
        const opened = open(cipher, inbound, changed);
        assert.equal(opened.sa, inbound, `octet ${at}: the SA is unchanged`);
        assert.equal(opened.reason, at < 4 ? "foreign" : "integrity", `octet ${at}`);
      }
    });
  }
