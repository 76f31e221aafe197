/** The Traffic Selector payloads TSi and TSr (RFC 7296 section 3.13). */

import { misuse } from "../error.ts";
import { emitBlock, parseBlocks } from "./block.ts";
import { concat, octets16, uint16 } from "./octets.ts";

const TS_IPV4_ADDR_RANGE = 7;
const TS_IPV6_ADDR_RANGE = 8;
const HIGHEST_PORT = 0xffff;

/** Traffic from or to a range of addresses. */
export interface TrafficSelector {
  /** IP protocol number, or 0 for any. */
  readonly protocol: number;
  /** 0 to 65535; 0 to 65535 is any port. For ICMP: type × 256 + code. */
  readonly startPort: number;
  readonly endPort: number;
  /** First and last address: 4 octets (IPv4) or 16 (IPv6), network order. */
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}

/**
 * Reads the body of a TS payload, passing over selectors of unknown types.
 *
 * @returns `undefined` if count and lengths do not agree
 */
export function parseSelectors(body: Uint8Array): TrafficSelector[] | undefined {
  const selectors: TrafficSelector[] = [];
  const blocks = parseBlocks(body.subarray(4), 8);
  if (blocks?.length !== body[0]) return;
  for (const block of blocks!) {
    const size = block[0] === TS_IPV4_ADDR_RANGE ? 4 : block[0] === TS_IPV6_ADDR_RANGE ? 16 : 0;
    if (!size) continue;
    if (block.length !== 8 + 2 * size) return;
    selectors.push({
      protocol: block[1]!,
      startPort: uint16(block, 4),
      endPort: uint16(block, 6),
      start: block.subarray(8, 8 + size),
      end: block.subarray(8 + size),
    });
  }
  return selectors;
}

/** The body of a TS payload with one selector. */
export function emitSelector({ protocol, startPort, endPort, start, end }: TrafficSelector): Uint8Array {
  const type = start.length > 4 ? TS_IPV6_ADDR_RANGE : TS_IPV4_ADDR_RANGE;
  return concat([1, 0, 0, 0], emitBlock(type, protocol, octets16(startPort), octets16(endPort), start, end));
}

/** Whether the address `a` is not behind the address `b`; both of one length. */
function notBehind(a: Uint8Array, b: Uint8Array): boolean {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return !(a[i]! > b[i]!);
}

/** Whether all traffic of the selector `inner` is also traffic of the selector `outer`. */
export function within(inner: TrafficSelector, outer: TrafficSelector): boolean {
  return (
    inner.start.length === outer.start.length &&
    notBehind(inner.start, inner.end) &&
    notBehind(outer.start, inner.start) &&
    notBehind(inner.end, outer.end) &&
    (!outer.protocol || inner.protocol === outer.protocol) &&
    inner.startPort >= outer.startPort &&
    inner.endPort <= outer.endPort
  );
}

function anyTraffic(start: Uint8Array, end: Uint8Array): TrafficSelector {
  return { protocol: 0, startPort: 0, endPort: HIGHEST_PORT, start, end };
}

/**
 * All traffic of one network.
 *
 * @param address any address in it: 4 or 16 octets, network order
 * @param prefix bits that all its addresses share: 0 to 32, or 0 to 128
 * @throws IkeletError `argument` for other lengths
 * @example
 * ```ts
 * import { net } from "ikelet";
 * import assert from "node:assert/strict";
 *
 * const selector = net([10, 99, 0, 0], 16);
 * assert.deepEqual(selector.end, new Uint8Array([10, 99, 255, 255]));
 * ```
 */
export function net(address: ArrayLike<number>, prefix: number): TrafficSelector {
  const bits = 8 * address.length;
  if ((bits !== 32 && bits !== 128) || !(prefix >= 0 && prefix <= bits))
    throw misuse(
      "argument",
      `selector: expected 4 or 16 octets and a prefix in them, got ${bits / 8} and ${prefix}`,
    );
  const start = new Uint8Array(address);
  const end = new Uint8Array(address);
  for (let i = 0; i < start.length; i++) {
    const free = 0xff >> Math.min(8, Math.max(0, prefix - 8 * i));
    start[i]! &= ~free;
    end[i]! |= free;
  }
  return anyTraffic(start, end);
}

/**
 * All traffic of one address.
 *
 * @param address 4 or 16 octets, network order
 * @throws IkeletError `argument` for another length
 */
export function host(address: ArrayLike<number>): TrafficSelector {
  return net(address, 8 * address.length);
}
