/** Looks at all that a device sends, and says what must never be there: by the datagrams alone. */

import assert from "node:assert/strict";
import type { Session } from "ikelet";
import { hex, readHeader, Type } from "../responder/index.ts";

const RESPONSE = 0x20;
/** No session is larger, whatever arrives. */
const MOST_OCTETS = 8192;
/** Where the IV stands: behind the header and that of the Encrypted payload. */
const IV_START = 32;

interface Seen {
  /** The latest request, and its Message ID; the first one has 0. */
  request?: { readonly messageId: number; readonly octets: string };
  readonly answered: Record<number, true>;
  readonly responses: Record<number, string>;
  readonly ivs: Record<string, string>;
}

export interface Observer {
  readonly sent: (datagram: Uint8Array) => void;
  /** A datagram has arrived at the device. */
  readonly arrived: (datagram: Uint8Array) => void;
  readonly session: (session: Session) => void;
}

function octetsIn(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  return typeof value === "object" && value !== null
    ? Object.values(value).reduce<number>((sum, inside) => sum + octetsIn(inside), 0)
    : 0;
}

export function makeObserver(): Observer {
  const seen: Record<string, Seen> = {};
  const of = (datagram: Uint8Array): Seen => {
    const spi = hex(datagram.slice(0, 8));
    seen[spi] ??= { answered: {}, responses: {}, ivs: {} };
    return seen[spi];
  };

  const request = (known: Seen, messageId: number, octets: string): void => {
    const latest = known.request;
    const next = { messageId, octets };
    if (!latest) {
      assert.equal(messageId, 0, "the first Message ID");
      known.request = next;
    } else if (messageId !== latest.messageId) {
      assert.equal(messageId, latest.messageId + 1, "Message IDs in order");
      assert.equal(known.answered[latest.messageId], true, "one request at a time");
      known.request = next;
    } else if (messageId === 0)
      known.request = next; // with a cookie in front
    else assert.equal(octets, latest.octets, "a request repeated bit for bit");
  };

  return {
    sent: (datagram) => {
      const { flags, messageId, nextPayload } = readHeader(datagram);
      const known = of(datagram);
      const octets = hex(datagram);
      if (flags & RESPONSE) {
        known.responses[messageId] ??= octets;
        assert.equal(octets, known.responses[messageId], "a response repeated bit for bit");
      } else request(known, messageId, octets);
      if (nextPayload !== Type.SK) return;
      const iv = hex(datagram.slice(IV_START, IV_START + 8));
      known.ivs[iv] ??= octets;
      assert.equal(octets, known.ivs[iv], "an IV once");
    },
    arrived: (datagram) => {
      if (datagram.length < 28) return;
      const { flags, messageId } = readHeaderOrNothing(datagram) ?? { flags: 0, messageId: 0 };
      if (flags & RESPONSE) of(datagram).answered[messageId] = true;
    },
    session: (session) => assert.ok(octetsIn(session) <= MOST_OCTETS, "a session that grows"),
  };
}

function readHeaderOrNothing(datagram: Uint8Array): ReturnType<typeof readHeader> | undefined {
  try {
    return readHeader(datagram);
  } catch {
    return undefined; // corrupted on the way
  }
}
