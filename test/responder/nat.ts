// NAT detection (RFC 7296 section 2.23).

import { createHash } from "node:crypto";
import { type Bytes, equal, plain, u16 } from "./bytes.ts";
import { Notify } from "./numbers.ts";
import { notifications, notify } from "./payloads.ts";
import type { Payload } from "./wire.ts";

export interface Endpoint {
  address: Bytes;
  port: number;
}

export interface NatState {
  initiatorBehindNat: boolean;
  responderBehindNat: boolean;
}

export function natHash(spiI: Bytes, spiR: Bytes, endpoint: Endpoint): Bytes {
  const hash = createHash("sha1")
    .update(spiI)
    .update(spiR)
    .update(endpoint.address)
    .update(u16(endpoint.port));
  return plain(hash.digest());
}

export function natDetection(spiI: Bytes, spiR: Bytes, source: Endpoint, destination: Endpoint): Payload[] {
  return [
    notify(Notify.NAT_DETECTION_SOURCE_IP, natHash(spiI, spiR, source)),
    notify(Notify.NAT_DETECTION_DESTINATION_IP, natHash(spiI, spiR, destination)),
  ];
}

/** What a received message says about the path; undefined without the notifies. */
export function natState(
  payloads: readonly Payload[],
  spiI: Bytes,
  spiR: Bytes,
  nat: { local: Endpoint; remote: Endpoint },
): NatState | undefined {
  const hashes = (type: number) =>
    notifications(payloads)
      .filter((n) => n.type === type)
      .map((n) => n.data);
  const sources = hashes(Notify.NAT_DETECTION_SOURCE_IP);
  const destinations = hashes(Notify.NAT_DETECTION_DESTINATION_IP);
  if (sources.length === 0 || destinations.length === 0) return undefined;
  const among = (list: Bytes[], wanted: Bytes) => list.some((hash) => equal(hash, wanted));
  return {
    initiatorBehindNat: !among(sources, natHash(spiI, spiR, nat.remote)),
    responderBehindNat: !among(destinations, natHash(spiI, spiR, nat.local)),
  };
}
