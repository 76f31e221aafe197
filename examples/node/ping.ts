/** An ICMP echo through the Child SA, in user-space ESP inside of UDP. */

import { randomInt } from "node:crypto";
import type { Profile } from "ikelet";
import { inboundSa, open, outboundSa, seal } from "ikelet/esp.js";
import type { Connection } from "./driver.ts";
import { type Echo, echoProtocol, emitEcho, emitEchoPacket, parseEcho, parseEchoPacket } from "./echo.ts";

const WAIT = 3000;

/** What `connect` hands arriving ESP packets to, and what asks for an echo. */
export interface Pinger {
  readonly onPacket: (packet: Uint8Array) => void;
  /** Resolves with the octets of request and reply on the wire, or with the reason why there was no reply. */
  ping(connection: Connection, destination: Uint8Array): Promise<[number, number] | string>;
}

export function createPinger({ child: { cipher, mode } }: Profile): Pinger {
  let listener: ((packet: Uint8Array) => void) | undefined;
  return {
    onPacket: (packet) => listener?.(packet),
    ping: (connection, destination) =>
      new Promise((resolve) => {
        const source = connection.child.local[0]!.start;
        const id = randomInt(0x10000);
        const request: Echo = {
          source,
          destination,
          reply: false,
          id,
          sequence: 1,
          data: new Uint8Array(32),
        };
        const sealed =
          mode === "tunnel"
            ? seal(cipher, outboundSa(connection.child), emitEchoPacket(request))
            : seal(cipher, outboundSa(connection.child), emitEcho(request), echoProtocol(request));
        if (sealed.reason) return resolve(`it is no traffic of this Child SA (${sealed.reason})`);
        const { packet } = sealed;
        let sa = inboundSa(connection.child);
        const timer = setTimeout(() => resolve("see routes and policies behind the gateway"), WAIT);
        listener = (arrived) => {
          const opened = open(cipher, sa, arrived);
          sa = opened.sa;
          if (opened.reason) return;
          const echo =
            mode === "tunnel"
              ? parseEchoPacket(opened.payload)
              : parseEcho(opened.payload, destination, source);
          if (!echo?.reply || echo.id !== id) return;
          clearTimeout(timer);
          resolve([packet.length, arrived.length]);
        };
        connection.sendPacket(packet);
      }),
  };
}
