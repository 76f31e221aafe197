/** NAT traversal (RFC 7296 section 2.23, RFC 3948): `ikelet/nat.js`. */

import type { Digest } from "./crypto/contracts.ts";
import { type Extension, type Heard, keep, kept } from "./extension.ts";
import type { Session } from "./session.ts";
import { IKE_AUTH, INFORMATIONAL } from "./wire/header.ts";
import { emitNotify, findNotify, parseNotifies, USE_TRANSPORT_MODE } from "./wire/notify.ts";
import { allZero, concat, equalOctets, octets16, uint16 } from "./wire/octets.ts";
import { PAYLOAD_TSI, PAYLOAD_TSR } from "./wire/payload.ts";

/** Notify message types (RFC 7296 section 3.10.1). */
const NAT_DETECTION_SOURCE_IP = 16388;
const NAT_DETECTION_DESTINATION_IP = 16389;

const NAME = "nat";
const NAT_PORT = 4500;
/** RFC 3948 section 4. */
const KEEPALIVE_INTERVAL = 20_000;
const KEEPALIVE = 0xff;
const MARKER_LENGTH = 4;
/** Where the addresses of the first selector are in the body of a TS payload. */
const TS_ADDRESSES = 12;
/** SPI and sequence number: no ESP packet is shorter. */
const SHORTEST_ESP = 8;

/** An address and a UDP port. */
export interface Endpoint {
  /** 4 or 16 octets, network order. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** What the extension has to know. */
export interface NatOptions {
  /** `sha1` of `ikelet/crypto/sha1.js`, or the device's own. */
  readonly sha1: Digest;
  /** Where our first request comes from. Without it we count as behind a NAT; transport mode then needs it. */
  readonly local?: Endpoint;
  /** Where it goes. With port 4500 all goes there from the start, in the form of that port. */
  readonly remote: Endpoint;
  /** Act as if we were behind a NAT, so that ESP is always inside of UDP. Default: false. */
  readonly force?: boolean;
  /** Milliseconds of silence after which a keepalive is due. Default: 20 000. */
  readonly keepalive?: number;
}

/** What was found out; kept in the session. */
export interface NatState {
  /** Our address is translated on the way. */
  readonly local: boolean;
  /** That of the gateway is. */
  readonly remote: boolean;
  /** In transport mode: the addresses of both ends as the gateway knows them, for `fixChecksum`. */
  readonly original?: Uint8Array;
}

/** The extension, with what the caller asks it. */
export interface Nat extends Extension {
  /**
   * Our own port, and that of the gateway unless it has moved, for all that is sent in this session: 500 or 4500.
   * Only an answer, which is `session.response`, goes back to where the request came from.
   */
  readonly port: (session: Session) => number;
  /** Puts a datagram of `step.send` into the form of the port that it goes to. */
  readonly frame: (session: Session, datagram: Uint8Array) => Uint8Array;
  /** What is known of NATs, or `undefined` if the gateway does not do NAT traversal or has not answered yet. */
  readonly state: (session: Session) => NatState | undefined;
  /** Whether ESP packets of this session go inside of UDP, on port 4500. Both forms may come at any time. */
  readonly encapsulates: (session: Session) => boolean;
  /**
   * Whether to send to another address and port of the gateway from now on, because something new and genuine
   * came from there: never while we are behind a NAT ourselves (RFC 7296 section 2.23).
   *
   * @param session of the step of `receive`, or the one that stands when an ESP packet came that was in order
   * @param before the session that `receive` got: an old message, or a forged one, leaves it as it is
   */
  readonly follows: (session: Session, before?: Session) => boolean;
}

/**
 * Finds NATs on the way to the gateway, moves to port 4500, and keeps the mapping alive with `step.wait`: when
 * the timer ends in silence, `timeout` gives the keepalive to send. Set the timer anew whenever an ESP packet has
 * been sent and no request is unanswered.
 *
 * @example
 * A driver with a socket on port 500 and one on port 4500:
 * ```ts
 * import { entropyLength, fqdn, host, initiate, net, receive, type Session, type Step } from "ikelet";
 * import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
 * import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
 * import { sha1 } from "ikelet/crypto/sha1.js";
 * import { x25519 } from "ikelet/crypto/x25519.js";
 * import { type Endpoint, nat, unframe } from "ikelet/nat.js";
 * import assert from "node:assert/strict";
 * import { randomBytes } from "node:crypto";
 *
 * const device = { address: new Uint8Array([10, 0, 0, 2]), port: 500 };
 * const gateway = { address: new Uint8Array([192, 0, 2, 1]), port: 500 };
 * const traversal = nat({ sha1, local: device, remote: gateway });
 * const profile = {
 *   suite: { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519 },
 *   local: fqdn("sensor-7.example"),
 *   psk: randomBytes(32),
 *   child: {
 *     cipher: chacha20Poly1305,
 *     mode: "tunnel" as const,
 *     local: host([10, 1, 0, 7]),
 *     remote: net([10, 99, 0, 0], 16),
 *   },
 *   extensions: [traversal],
 * };
 * let session: Session;
 * let moved: Endpoint | undefined;
 *
 * function perform(step: Step, from?: Endpoint): void {
 *   if (from && traversal.follows(step.session, session)) moved = from;
 *   session = step.session;
 *   const port = traversal.port(session);
 *   for (const datagram of step.send) {
 *     const to = datagram === session.response ? from! : (moved ?? { ...gateway, port });
 *     transmit(port, to, traversal.frame(session, datagram));
 *   }
 *   // Then step.events, and one timer with step.wait, which does perform(timeout(profile, session)).
 * }
 *
 * function arrived(port: number, from: Endpoint, payload: Uint8Array): void {
 *   const found = unframe(payload, port);
 *   if (found?.type === "ike") perform(receive(profile, session, found.datagram), from);
 *   if (found?.type === "esp" && decrypt(found.datagram) && traversal.follows(session)) moved = from;
 * }
 *
 * // In place of the two sockets, and of ESP:
 * const sent: { port: number; to: Endpoint; length: number }[] = [];
 * const transmit = (port: number, to: Endpoint, { length }: Uint8Array) => sent.push({ port, to, length });
 * const decrypt = (packet: Uint8Array) => packet.length > 8;
 *
 * perform(initiate(profile, randomBytes(entropyLength(profile))));
 * arrived(4500, gateway, new Uint8Array([0xff]));
 * assert.deepEqual(sent, [{ port: 500, to: gateway, length: 180 }]);
 * ```
 */
export function nat({ sha1, local, remote, force = false, keepalive = KEEPALIVE_INTERVAL }: NatOptions): Nat {
  const state = (session: Session): NatState | undefined => kept(session, NAME) as NatState | undefined;
  const encapsulates = (session: Session): boolean => {
    const found = state(session);
    return !!found && (found.local || found.remote);
  };
  const port = (session: Session): number => (encapsulates(session) ? NAT_PORT : remote.port);
  // The SPIs stand in the hash as in the header of the message (RFC 7296 section 2.23).
  const hash = ({ spiI, spiR }: Session, endpoint: Endpoint): Uint8Array =>
    sha1(spiI, spiR, endpoint.address, new Uint8Array(octets16(endpoint.port)));

  const detect = (heard: Heard): Heard => {
    const { session } = heard;
    const hashes = (type: number): Uint8Array[] =>
      (parseNotifies(heard.payloads) ?? [])
        .filter((notify) => notify.type === type && notify.data.length === 20)
        .map(({ data }) => data);
    const sources = hashes(NAT_DETECTION_SOURCE_IP);
    const destinations = hashes(NAT_DETECTION_DESTINATION_IP);
    if (!sources.length && !destinations.length) return heard;
    const translated = (found: Uint8Array[], endpoint: Endpoint): boolean => {
      const wanted = hash(session, endpoint);
      return found.length > 0 && !found.some((data) => equalOctets(data, wanted));
    };
    const nats: NatState = {
      local: force || !local || translated(destinations, local),
      remote: translated(sources, remote),
    };
    return { ...heard, session: keep(session, NAME, nats) };
  };

  /** In transport mode the selectors speak of addresses as the gateway sees them (RFC 7296 section 2.23.1). */
  const translate = (heard: Heard): Heard => {
    const nats = state(heard.session);
    if (!nats || !findNotify(parseNotifies(heard.payloads) ?? [], USE_TRANSPORT_MODE)) return heard;
    const original: Uint8Array[] = [];
    const payloads = heard.payloads.map((payload) => {
      const { type, body } = payload;
      const ours = type === PAYLOAD_TSI;
      const address = ours ? local?.address : type === PAYLOAD_TSR ? remote.address : undefined;
      if (!address) return payload;
      const start = body.subarray(TS_ADDRESSES, TS_ADDRESSES + address.length);
      // One selector of one address: any other is refused when it is compared with the offer.
      if (!start.length || !equalOctets(start, body.subarray(TS_ADDRESSES + start.length))) return payload;
      original.push(start);
      return (ours ? nats.local : nats.remote)
        ? { ...payload, body: concat(body.subarray(0, TS_ADDRESSES), address, address) }
        : payload;
    });
    const found: NatState = { ...nats, original: concat(...original) };
    return { ...heard, payloads, session: keep(heard.session, NAME, found) };
  };

  return {
    name: NAME,
    state,
    encapsulates,
    port,
    frame: (session, datagram) =>
      port(session) === NAT_PORT && datagram.length > 1
        ? concat(new Uint8Array(MARKER_LENGTH), datagram)
        : datagram,
    follows: (session, before) => session !== before && !session.handshake && state(session)?.local === false,
    add: (session, place) =>
      place === "initial"
        ? [
            emitNotify(NAT_DETECTION_SOURCE_IP, local && !force ? hash(session, local) : sha1(session.spiI)),
            emitNotify(NAT_DETECTION_DESTINATION_IP, hash(session, remote)),
          ]
        : [],
    read: (_, heard, exchange) =>
      exchange === INFORMATIONAL ? heard : exchange === IKE_AUTH ? translate(heard) : detect(heard),
    idle: (session) =>
      state(session)?.local ? { wait: keepalive, send: new Uint8Array([KEEPALIVE]) } : undefined,
  };
}

/** What came in a UDP payload. */
export type Unframed =
  | { readonly type: "ike" | "esp"; readonly datagram: Uint8Array }
  /** To be ignored; no sign of life (RFC 3948 section 4). */
  | { readonly type: "keepalive" };

/**
 * Tells IKE, ESP and keepalives on port 4500 apart (RFC 3948 section 2).
 *
 * @param payload of a UDP packet to us
 * @param port of ours that it came to; on any but 4500 there is nothing but IKE
 * @returns `undefined` for what is none of them
 * @example
 * ```ts
 * import { unframe } from "ikelet/nat.js";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(unframe(new Uint8Array([0xff])), { type: "keepalive" });
 * ```
 */
export function unframe(payload: Uint8Array, port: number = NAT_PORT): Unframed | undefined {
  if (port !== NAT_PORT) return { type: "ike", datagram: payload };
  if (payload.length === 1 && payload[0] === KEEPALIVE) return { type: "keepalive" };
  if (payload.length < SHORTEST_ESP) return;
  return allZero(payload.subarray(0, MARKER_LENGTH))
    ? { type: "ike", datagram: payload.subarray(MARKER_LENGTH) }
    : { type: "esp", datagram: payload };
}

const UDP = 17;
const TCP = 6;

/**
 * The TCP or UDP segment of a packet that came in transport mode through a NAT, its checksum made good for the
 * addresses that its receiver knows (RFC 3948 section 3.1.2, RFC 1624).
 *
 * @param protocol of the segment; what is neither TCP nor UDP comes back as it is
 * @param original the addresses that the sender's checksum covers: `original` of the `state`
 * @param seen the addresses that ours covers, of the same length
 * @example
 * ```ts
 * import { fixChecksum } from "ikelet/nat.js";
 * import assert from "node:assert/strict";
 *
 * // A gateway 198.51.100.7 that knows itself as 10.5.0.1, and us, 10.0.0.2, as 203.0.113.9.
 * const original = new Uint8Array([10, 5, 0, 1, 203, 0, 113, 9]);
 * const seen = new Uint8Array([198, 51, 100, 7, 10, 0, 0, 2]);
 * const udp = new Uint8Array([0, 53, 0, 53, 0, 8, 0xb9, 0x64]);
 * assert.deepEqual(fixChecksum(17, udp, original, seen), new Uint8Array([0, 53, 0, 53, 0, 8, 0xcb, 0x37]));
 * ```
 */
export function fixChecksum(
  protocol: number,
  segment: Uint8Array,
  original: Uint8Array,
  seen: Uint8Array,
): Uint8Array {
  const at = protocol === UDP ? 6 : protocol === TCP ? 16 : -1;
  // A UDP checksum of zero is none.
  if (at < 0 || at + 2 > segment.length || (protocol === UDP && !uint16(segment, at))) return segment;
  let sum = 0xffff - uint16(segment, at);
  for (let i = 0; i < seen.length; i += 2) sum += 0xffff - uint16(original, i) + uint16(seen, i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  const fixed = concat(segment);
  fixed.set(octets16(0xffff - sum || (protocol === UDP ? 0xffff : 0)), at);
  return fixed;
}
