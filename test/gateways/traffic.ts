// Echo packets between a device and what is behind the gateway: user-space ESP here, the kernel's ESP there.

import assert from "node:assert/strict";
import { inboundSa, type OpenRefusal, open, outboundSa, seal } from "ikelet/esp.js";
import {
  type Echo,
  echoProtocol,
  emitEcho,
  emitEchoPacket,
  parseEcho,
  parseEchoPacket,
} from "../../examples/node/echo.ts";
import type { Connected } from "./cases/checks.ts";
import { type EspForm, eventually } from "./device.ts";

/** What becomes of a packet on its way: none, one, or more of them arrive now. */
export type Way = (packet: Uint8Array) => readonly Uint8Array[];

export interface TrafficOptions {
  readonly out?: Way;
  readonly in?: Way;
}

export interface Traffic {
  /** What `open` let through. Requests among it have been answered. */
  readonly arrived: readonly Echo[];
  /** Why `open` refused the others. */
  readonly refused: readonly OpenRefusal[];
  /** Sealed packets, and those that `open` let through, with their sequence numbers. */
  readonly packets: readonly { readonly direction: "in" | "out"; readonly octets: Uint8Array }[];
  /** How packets came. */
  readonly forms: ReadonlySet<EspForm>;
  /** Sends an echo request. */
  request(sequence: number): void;
  /** Sends one, waits for the reply, and looks at it. */
  echo(): Promise<void>;
}

const ID = 0x1ce1;

/** Octets that belong to one sequence number alone. */
function dataOf(sequence: number): Uint8Array {
  const data = new Uint8Array(40).map((_, i) => i * sequence);
  data.set([sequence >> 8, sequence & 0xff]);
  return data;
}

const unchanged: Way = (packet) => [packet];

export function openTraffic(
  { device, child }: Connected,
  { out = unchanged, in: inWay = unchanged }: TrafficOptions = {},
): Traffic {
  const { cipher } = device.profile.child;
  const ours = child.local[0]!.start;
  const theirs = child.remote[0]!.start;
  const arrived: Echo[] = [];
  const refused: OpenRefusal[] = [];
  const packets: { direction: "in" | "out"; octets: Uint8Array }[] = [];
  const forms = new Set<EspForm>();
  let outbound = outboundSa(child);
  let inbound = inboundSa(child);
  let last = 0;

  function send(echo: Echo): void {
    const sealed =
      child.mode === "tunnel"
        ? seal(cipher, outbound, emitEchoPacket(echo))
        : seal(cipher, outbound, emitEcho(echo), echoProtocol(echo));
    outbound = sealed.sa;
    if (sealed.reason) throw new Error(`not sealed: ${sealed.reason}`);
    packets.push({ direction: "out", octets: sealed.packet });
    for (const packet of out(sealed.packet)) device.sendPacket(packet);
  }

  function take(packet: Uint8Array): void {
    const opened = open(cipher, inbound, packet);
    inbound = opened.sa;
    if (opened.reason) {
      refused.push(opened.reason);
      return;
    }
    packets.push({ direction: "in", octets: packet });
    const echo =
      child.mode === "tunnel" ? parseEchoPacket(opened.payload) : parseEcho(opened.payload, theirs, ours);
    // The gateway's kernel may have more to say, such as to look for its neighbour.
    if (!echo) return;
    arrived.push(echo);
    if (!echo.reply) send({ ...echo, source: echo.destination, destination: echo.source, reply: true });
  }

  device.onPacket = (packet, form) => {
    forms.add(form);
    for (const one of inWay(packet)) take(one);
  };

  const request = (sequence: number): void =>
    send({ source: ours, destination: theirs, reply: false, id: ID, sequence, data: dataOf(sequence) });

  return {
    arrived,
    refused,
    packets,
    forms,
    request,
    async echo() {
      const sequence = ++last;
      request(sequence);
      // On a busy machine a datagram may get lost, as on any network.
      const again = setInterval(() => request(sequence), 1000);
      const reply = await eventually("an echo reply through ESP", () =>
        arrived.find((echo) => echo.reply && echo.sequence === sequence),
      )
        .catch((error: Error) => {
          throw new Error(`${error.message}; ${arrived.length} packets arrived, refused: ${refused}`);
        })
        .finally(() => clearInterval(again));
      checkReply(reply, ours, theirs);
    },
  };
}

export function checkReply(reply: Echo, source: Uint8Array, destination: Uint8Array): void {
  assert.equal(reply.id, ID, "the identifier of the reply");
  assert.deepEqual([...reply.data], [...dataOf(reply.sequence)], "the data of the reply");
  assert.deepEqual([...reply.source], [...destination], "where the reply comes from");
  assert.deepEqual([...reply.destination], [...source], "where the reply goes");
}
