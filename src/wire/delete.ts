/** The Delete payload (RFC 7296 section 3.11). */

import { concat, octets32, uint16, uint32 } from "./octets.ts";
import { PAYLOAD_DELETE, type Payload } from "./payload.ts";
import { PROTOCOL_ESP, PROTOCOL_IKE } from "./proposal.ts";

const ESP_SPI_LENGTH = 4;

/** What the sender of a Delete has given up. */
export interface Deletion {
  /** Protocol ID: the IKE SA, or Child SAs of AH or ESP. */
  readonly protocol: number;
  /** The SPIs that the sender expects in packets to it; none for the IKE SA. */
  readonly spis: readonly number[];
}

/** The Delete payloads of a chain; `undefined` if size, count and length of one do not agree. */
export function parseDeletes(payloads: readonly Payload[]): Deletion[] | undefined {
  const deletes: Deletion[] = [];
  for (const { type, body } of payloads)
    if (type === PAYLOAD_DELETE) {
      const protocol = body[0]!;
      const size = protocol === PROTOCOL_IKE ? 0 : ESP_SPI_LENGTH;
      if (body[1] !== size || body.length !== 4 + size * uint16(body, 2)) return;
      const spis: number[] = [];
      for (let at = 4; at < body.length; at += size) spis.push(uint32(body, at));
      deletes.push({ protocol, spis });
    }
  return deletes;
}

/** A Delete payload for the IKE SA, or for one ESP SA by the SPI of packets to us. */
export function emitDelete(spi?: number): Payload {
  return {
    type: PAYLOAD_DELETE,
    body: spi
      ? concat([PROTOCOL_ESP, ESP_SPI_LENGTH, 0, 1], octets32(spi))
      : new Uint8Array([PROTOCOL_IKE, 0, 0, 0]),
  };
}
