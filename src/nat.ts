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
  /** Where our first request comes from. A device that does not know has to use `force`. */
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
}

/** The extension, with what the caller asks it. */
export interface Nat extends Extension {
  /**
   * The port of the gateway, and our own source port, for all that is sent in this session: 500 or 4500. (An
   * answer to a request of the gateway goes to where the request came from.)
   */
  readonly port: (session: Session) => number;
  /** Puts a datagram of `step.send` into the form of the port that it goes to. */
  readonly frame: (session: Session, datagram: Uint8Array) => Uint8Array;
  /** What is known of NATs, or `undefined` if the gateway does not do NAT traversal or has not answered yet. */
  readonly state: (session: Session) => NatState | undefined;
  /** Whether ESP packets of this session go inside of UDP, on port 4500. Both forms may come at any time. */
  readonly encapsulates: (session: Session) => boolean;
  /**
   * Whether the caller should send to a new address and port of the gateway when a datagram from there was
   * found genuine: not if we are behind a NAT ourselves (RFC 7296 section 2.23).
   */
  readonly follows: (session: Session) => boolean;
}

/**
 * Finds NATs on the way to the gateway, moves to port 4500, and keeps the mapping alive with `step.wait`: when
 * the timer ends in silence, `timeout` gives the keepalive to send. Set the timer anew whenever an ESP packet has
 * been sent and no request is unanswered.
 *
 * @example
 * ```ts
 * import { sha1 } from "ikelet/crypto/sha1.js";
 * import { nat } from "ikelet/nat.js";
 * import assert from "node:assert/strict";
 *
 * const traversal = nat({
 *   sha1,
 *   local: { address: new Uint8Array([10, 0, 0, 2]), port: 500 },
 *   remote: { address: new Uint8Array([192, 0, 2, 1]), port: 500 },
 * });
 * assert.equal(traversal.name, "nat"); // for `extensions` of the profile
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
    if (!sources.length || !destinations.length) return heard;
    const translated = (found: Uint8Array[], endpoint: Endpoint): boolean => {
      const wanted = hash(session, endpoint);
      return !found.some((data) => equalOctets(data, wanted));
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
    const payloads = heard.payloads.map((payload) => {
      const { type, body } = payload;
      const address =
        type === PAYLOAD_TSI && nats.local
          ? local?.address
          : type === PAYLOAD_TSR && nats.remote
            ? remote.address
            : undefined;
      // One selector of one address: any other is refused when it is compared with the offer.
      return address && body.length === 12 + 2 * address.length
        ? { ...payload, body: concat(body.subarray(0, 12), address, address) }
        : payload;
    });
    return { ...heard, payloads };
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
    follows: (session) => !state(session)?.local,
    add: (session, place) =>
      place === "initial"
        ? [
            emitNotify(NAT_DETECTION_SOURCE_IP, local && !force ? hash(session, local) : sha1(session.spiI)),
            emitNotify(NAT_DETECTION_DESTINATION_IP, hash(session, remote)),
          ]
        : [],
    read: (heard, exchange) =>
      exchange === INFORMATIONAL ? heard : exchange === IKE_AUTH ? translate(heard) : detect(heard),
    idle: (session) =>
      state(session)?.local ? { wait: keepalive, send: new Uint8Array([KEEPALIVE]) } : undefined,
  };
}

/** What came in a UDP payload on port 4500. */
export type Unframed =
  | { readonly type: "ike" | "esp"; readonly datagram: Uint8Array }
  /** To be ignored; no sign of life (RFC 3948 section 4). */
  | { readonly type: "keepalive" };

/**
 * Tells IKE, ESP and keepalives on port 4500 apart (RFC 3948 section 2).
 *
 * @param payload of a UDP packet to port 4500
 * @returns `undefined` for what is none of them
 * @example
 * ```ts
 * import { unframe } from "ikelet/nat.js";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(unframe(new Uint8Array([0xff])), { type: "keepalive" });
 * ```
 */
export function unframe(payload: Uint8Array): Unframed | undefined {
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
 * address that its receiver knows (RFC 3948 section 3.1.2, RFC 1624).
 *
 * @param protocol of the segment; what is neither TCP nor UDP comes back as it is
 * @param original the address that the sender's checksum covers: that of the gateway's selector
 * @param seen the address that ours covers, of the same length
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
