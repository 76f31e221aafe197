/** The Configuration payload (RFC 7296 section 3.15). */

import { concat, equalOctets, octets16, uint16 } from "./octets.ts";
import { net, type TrafficSelector } from "./selectors.ts";

export const PAYLOAD_CP = 47;

/** CFG types. */
const CFG_REQUEST = 1;
const CFG_REPLY = 2;

/** Configuration attribute types. */
export const INTERNAL_IP4_ADDRESS = 1;
export const INTERNAL_IP4_NETMASK = 2;
export const INTERNAL_IP4_DNS = 3;
export const INTERNAL_IP6_ADDRESS = 8;
export const INTERNAL_IP6_DNS = 10;
export const INTERNAL_IP4_SUBNET = 13;
export const INTERNAL_IP6_SUBNET = 15;

/** What the gateway gave. Addresses are 4 or 16 octets in network order, in memory of their own. */
export interface Configuration {
  /** For us. */
  readonly addresses: readonly Uint8Array[];
  /** Of the IPv4 address, if the gateway says: 4 octets. */
  readonly netmask?: Uint8Array;
  /** Name servers. */
  readonly dns: readonly Uint8Array[];
  /** Networks behind the gateway. */
  readonly subnets: readonly TrafficSelector[];
}

/** The body of a CP payload that asks for attributes, each left empty for the gateway to fill. */
export function emitConfigurationRequest(attributes: readonly number[]): Uint8Array {
  return concat([CFG_REQUEST, 0, 0, 0], ...attributes.map((type) => octets16(type).concat(0, 0)));
}

/** The network of an address and a netmask; `undefined` if that is no row of ones and then of zeros. */
function masked(value: Uint8Array): TrafficSelector | undefined {
  const mask = value.subarray(4);
  let prefix = 0;
  while (mask[prefix >> 3]! & (0x80 >> (prefix & 7))) prefix++;
  return equalOctets(net(mask, prefix).start, mask) ? net(value.subarray(0, 4), prefix) : undefined;
}

/**
 * Reads the body of a CP payload with the answer of the gateway, passing over attributes of unknown types and
 * with impossible lengths or netmasks.
 *
 * @returns `undefined` if it is no answer, or its lengths do not add up
 */
export function parseConfigurationReply(body: Uint8Array): Configuration | undefined {
  if (body[0] !== CFG_REPLY) return;
  const addresses: Uint8Array[] = [];
  const dns: Uint8Array[] = [];
  const subnets: TrafficSelector[] = [];
  let netmask: Uint8Array | undefined;
  for (let at = 4; at < body.length; ) {
    const start = at + 4;
    // The highest bit is reserved (RFC 7296 section 3.15.1).
    const type = uint16(body, at) & 0x7fff;
    // Behind the end there are zeros to read, and `start` is behind it then.
    const length = uint16(body, at + 2);
    at = start + length;
    if (at > body.length) return;
    const value = concat(body.subarray(start, at));
    const prefix = value[16]!;
    if (type === INTERNAL_IP4_ADDRESS && length === 4) addresses.push(value);
    else if (type === INTERNAL_IP6_ADDRESS && length === 17) addresses.push(value.subarray(0, 16));
    else if (type === INTERNAL_IP4_NETMASK && length === 4) netmask = value;
    else if ((type === INTERNAL_IP4_DNS && length === 4) || (type === INTERNAL_IP6_DNS && length === 16))
      dns.push(value);
    else {
      const subnet =
        type === INTERNAL_IP4_SUBNET && length === 8
          ? masked(value)
          : type === INTERNAL_IP6_SUBNET && length === 17 && prefix <= 128
            ? net(value.subarray(0, 16), prefix)
            : undefined;
      if (subnet) subnets.push(subnet);
    }
  }
  return { addresses, dns, subnets, ...(netmask && { netmask }) };
}
