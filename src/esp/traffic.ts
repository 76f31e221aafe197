/** Which traffic an SA carries (RFC 4301 sections 4.4.1.1 and 5.2): its IP versions and its traffic selectors. */

import { uint16 } from "../wire/octets.ts";
import type { TrafficSelector } from "../wire/selectors.ts";
import type { EspParameters } from "./sa.ts";

/** Next Header of a dummy packet (RFC 4303 section 2.6). */
export const DUMMY = 59;
const FRAGMENT = 44;

/** Hop-by-hop, routing, fragment, destination options: in IPv6 they stand before the upper layer. */
function isExtension(protocol: number | undefined): boolean {
  return protocol === 0 || protocol === 43 || protocol === FRAGMENT || protocol === 60;
}

/**
 * Octets of the payload that the SA carries, without what stands behind an inner packet (RFC 4303 section 2.7),
 * or why it does not carry it.
 */
export function carried(
  { mode, source, destination }: EspParameters,
  payload: Uint8Array,
  nextHeader: number,
): number | "next-header" | "selectors" {
  const isTunnel = mode === "tunnel";
  const isV6 = nextHeader === 41;
  let { length } = payload;
  let protocol: number | undefined = nextHeader;
  /** Offset of the header of the upper layer. */
  let upper = 0;
  /** Octets of an address; 0 in transport mode, where the addresses are the ends of the SA by definition. */
  let size = 0;
  if ((isV6 || nextHeader === 4) !== isTunnel) return "next-header";
  if (isTunnel) {
    size = isV6 ? 16 : 4;
    protocol = payload[isV6 ? 6 : 9];
    upper = isV6 ? 40 : (payload[0]! & 15) * 4;
    length = isV6 ? 40 + uint16(payload, 4) : uint16(payload, 2);
    if (payload[0]! >> 4 !== (isV6 ? 6 : 4) || upper < 20 || upper > length || length > payload.length)
      return "next-header";
    // Only the first fragment has ports.
    if (!isV6 && uint16(payload, 6) & 0x1fff) upper = length;
  }
  while (size !== 4 && isExtension(protocol)) {
    const header = upper;
    upper += 8;
    if (protocol !== FRAGMENT) upper += 8 * payload[header + 1]!;
    else if (uint16(payload, header + 2) & 0xfff8) upper = length;
    protocol = payload[header];
  }

  const isSelected = (selectors: readonly TrafficSelector[], address: number, portAt: number): boolean => {
    // Without a port, only a selector of all ports takes the packet.
    const port = portAt + 2 <= length ? uint16(payload, portAt) : -1;
    for (const selector of selectors) {
      const { startPort, endPort, start, end } = selector;
      // The first octet that differs decides.
      let aboveStart = 0;
      let belowEnd = 0;
      for (let i = 0; i < size; i++) {
        aboveStart = aboveStart || payload[address + i]! - start[i]!;
        belowEnd = belowEnd || end[i]! - payload[address + i]!;
      }
      if (
        aboveStart >= 0 &&
        belowEnd >= 0 &&
        (!size || size === start.length) &&
        (!selector.protocol || selector.protocol === protocol) &&
        (endPort - startPort === 0xffff || (port >= startPort && port <= endPort))
      )
        return true;
    }
    return false;
  };
  // The source address stands before the destination address, and so do the ports. Of ICMP, type and code are
  // what either port is compared with.
  const address = isV6 ? 8 : 12;
  const isIcmp = protocol === 1 || protocol === 58;
  return isSelected(source, address, upper) &&
    isSelected(destination, address + size, isIcmp ? upper : upper + 2)
    ? length
    : "selectors";
}
