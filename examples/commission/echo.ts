/** An ICMP echo request over IPv4, in place of what a device has to say. */

/** Of the Internet (RFC 1071). */
function checksum(octets: Uint8Array): [number, number] {
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) sum += (octets[i]! << 8) | octets[i + 1]!;
  sum = 0xffff - (sum % 0xffff);
  return [sum >> 8, sum & 0xff];
}

/** The IP packet. */
export function emitEcho(source: ArrayLike<number>, destination: ArrayLike<number>): Uint8Array {
  const packet = new Uint8Array(28);
  packet.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1]);
  packet.set(source, 12);
  packet.set(destination, 16);
  packet.set(checksum(packet.subarray(0, 20)), 10);
  packet.set([8, 0, 0, 0, 0, 7, 0, 1], 20);
  packet.set(checksum(packet.subarray(20)), 22);
  return packet;
}

export function isEchoReply(packet: Uint8Array): boolean {
  return packet[9] === 1 && packet[20] === 0;
}
