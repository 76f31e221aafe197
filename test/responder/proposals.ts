// Security Association payload (RFC 7296 section 3.3).

import { type Bytes, concat, EMPTY, readU16, u16 } from "./bytes.ts";
import { Type } from "./numbers.ts";
import { Malformed, type Payload } from "./wire.ts";

export interface Transform {
  type: number;
  id: number;
  /** Key Length attribute, in bits. */
  keyLength?: number;
  /** Further attributes as they stand on the wire. */
  attributes?: Bytes;
}

export interface Proposal {
  number: number;
  protocol: number;
  spi: Bytes;
  transforms: Transform[];
}

const KEY_LENGTH = 14;

export function sa(...proposals: readonly Proposal[]): Payload {
  return { type: Type.SA, body: saBody(proposals) };
}

export function saBody(proposals: readonly Proposal[]): Bytes {
  return concat(
    ...proposals.map((proposal, index) => encodeProposal(proposal, index === proposals.length - 1)),
  );
}

function encodeProposal(proposal: Proposal, last: boolean): Bytes {
  const { spi, transforms } = proposal;
  const encoded = concat(
    ...transforms.map((transform, index) => encodeTransform(transform, index === transforms.length - 1)),
  );
  return concat(
    Uint8Array.of(last ? 0 : 2, 0),
    u16(8 + spi.length + encoded.length),
    Uint8Array.of(proposal.number, proposal.protocol, spi.length, transforms.length),
    spi,
    encoded,
  );
}

function encodeTransform(transform: Transform, last: boolean): Bytes {
  const keyLength =
    transform.keyLength === undefined ? EMPTY : concat(u16(0x8000 | KEY_LENGTH), u16(transform.keyLength));
  const attributes = concat(keyLength, transform.attributes ?? EMPTY);
  return concat(
    Uint8Array.of(last ? 0 : 3, 0),
    u16(8 + attributes.length),
    Uint8Array.of(transform.type, 0),
    u16(transform.id),
    attributes,
  );
}

export function readSa(body: Bytes): Proposal[] {
  const proposals: Proposal[] = [];
  let at = 0;
  for (let more = true; more; ) {
    if (body.length - at < 8) throw new Malformed("proposal runs off the end");
    more = isMore(body[at] as number, 2);
    const length = readU16(body, at + 2);
    if (length < 8 || at + length > body.length) throw new Malformed("Proposal Length");
    proposals.push(readProposal(body.slice(at, at + length)));
    at += length;
  }
  if (at !== body.length) throw new Malformed("octets after the last proposal");
  return proposals;
}

function readProposal(octets: Bytes): Proposal {
  const spiSize = octets[6] as number;
  const count = octets[7] as number;
  const transforms: Transform[] = [];
  let at = 8 + spiSize;
  for (let more = count > 0; more; ) {
    if (octets.length - at < 8) throw new Malformed("transform runs off the end");
    more = isMore(octets[at] as number, 3);
    const length = readU16(octets, at + 2);
    if (length < 8 || at + length > octets.length) throw new Malformed("Transform Length");
    transforms.push(readTransform(octets.slice(at, at + length)));
    at += length;
  }
  if (at !== octets.length) throw new Malformed("octets after the last transform");
  if (transforms.length !== count) throw new Malformed("Num Transforms");
  return {
    number: octets[4] as number,
    protocol: octets[5] as number,
    spi: octets.slice(8, 8 + spiSize),
    transforms,
  };
}

function readTransform(octets: Bytes): Transform {
  const transform: Transform = { type: octets[4] as number, id: readU16(octets, 6) };
  const attributes = octets.slice(8);
  if (attributes.length === 4 && readU16(attributes, 0) === (0x8000 | KEY_LENGTH)) {
    transform.keyLength = readU16(attributes, 2);
  } else if (attributes.length > 0) {
    transform.attributes = attributes;
  }
  return transform;
}

function isMore(octet: number, more: number): boolean {
  if (octet !== 0 && octet !== more) throw new Malformed("Last Substruc");
  return octet === more;
}

export function transformOf(proposal: Proposal, type: number): Transform | undefined {
  return proposal.transforms.find((t) => t.type === type);
}

/** Changes the proposals of the SA payload in a list of payloads. */
export function editSa(
  payloads: readonly Payload[],
  change: (proposals: Proposal[]) => Proposal[],
): Payload[] {
  return payloads.map((p) => (p.type === Type.SA ? { ...p, body: saBody(change(readSa(p.body))) } : p));
}

/** Changes the transforms of every proposal in a list of payloads. */
export function editTransforms(
  payloads: readonly Payload[],
  change: (transforms: Transform[]) => Transform[],
): Payload[] {
  return editSa(payloads, (proposals) => proposals.map((p) => ({ ...p, transforms: change(p.transforms) })));
}
