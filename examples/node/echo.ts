/** ICMP and ICMPv6 echo, and the IP header around it: what travels in the tunnel is the user's own. */

const ICMP = 1;
const ICMPV6 = 58;
const HOP_LIMIT = 64;

/** Echo request and reply, in ICMP and in ICMPv6. */
const TYPES = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } };

/** The ones' complement sum of RFC 1071. */
function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts)
    for (let i = 0; i < part.length; i += 2) sum += (part[i]! << 8) | (part[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return 0xffff - sum;
}

export interface Echo {
  /** 4 or 16 octets each. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly reply: boolean;
  readonly id: number;
  readonly sequence: number;
  readonly data: Uint8Array;
}

/** Its protocol number, which stands in ESP in transport mode. */
export function echoProtocol({ source }: Pick<Echo, "source">): number {
  return source.length === 4 ? ICMP : ICMPV6;
}

/** The ICMP message alone: the payload of transport mode. */
export function emitEcho(echo: Echo): Uint8Array {
  const { source, destination, reply, id, sequence, data } = echo;
  const message = Buffer.alloc(8 + data.length);
  message[0] = TYPES[source.length === 4 ? 4 : 6][reply ? "reply" : "request"];
  message.writeUInt16BE(id, 4);
  message.writeUInt16BE(sequence, 6);
  message.set(data, 8);
  // ICMPv6 covers a pseudo header as well (RFC 8200 section 8.1).
  const pseudo = Buffer.alloc(8);
  pseudo.writeUInt32BE(message.length, 0);
  pseudo[7] = ICMPV6;
  const sum = source.length === 4 ? checksum(message) : checksum(source, destination, pseudo, message);
  message.writeUInt16BE(sum, 2);
  return new Uint8Array(message);
}

/** The whole IP packet: the payload of tunnel mode. */
export function emitEchoPacket(echo: Echo): Uint8Array {
  const { source, destination } = echo;
  const message = emitEcho(echo);
  const header = Buffer.alloc(source.length === 4 ? 20 : 40);
  if (source.length === 4) {
    header[0] = 0x45;
    header.writeUInt16BE(20 + message.length, 2);
    header[8] = HOP_LIMIT;
    header[9] = ICMP;
    header.set(source, 12);
    header.set(destination, 16);
    header.writeUInt16BE(checksum(header), 10);
  } else {
    header[0] = 0x60;
    header.writeUInt16BE(message.length, 4);
    header[6] = ICMPV6;
    header[7] = HOP_LIMIT;
    header.set(source, 8);
    header.set(destination, 24);
  }
  return new Uint8Array(Buffer.concat([header, message]));
}

/** Reads an ICMP message; `undefined` if it is no echo. */
export function parseEcho(
  message: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
): Echo | undefined {
  const { request, reply } = TYPES[source.length === 4 ? 4 : 6];
  if (message.length < 8 || (message[0] !== request && message[0] !== reply)) return undefined;
  const view = Buffer.from(message);
  const echo: Echo = {
    source,
    destination,
    reply: message[0] === reply,
    id: view.readUInt16BE(4),
    sequence: view.readUInt16BE(6),
    data: message.subarray(8),
  };
  // Made anew it has the same checksum, or the one that came is wrong.
  return view.equals(emitEcho(echo)) ? echo : undefined;
}

/** Reads an IP packet; `undefined` if it is no echo. */
export function parseEchoPacket(packet: Uint8Array): Echo | undefined {
  const version = (packet[0] ?? 0) >> 4;
  const start = version === 4 ? 4 * (packet[0]! & 15) : 40;
  if ((version !== 4 && version !== 6) || packet.length < start) return undefined;
  const [protocol, at, size] = version === 4 ? [packet[9], 12, 4] : [packet[6], 8, 16];
  if (protocol !== (version === 4 ? ICMP : ICMPV6)) return undefined;
  const source = packet.subarray(at, at + size);
  return parseEcho(packet.subarray(start), source, packet.subarray(at + size, at + 2 * size));
}
