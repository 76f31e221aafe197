// What a correct RFC 7815 initiator never does. Every complaint begins with its row of the conformance matrix.

import { type Bytes, equal, hex, isZero, readU32 } from "./bytes.ts";
import { Exchange, Flag, Notify, Protocol, SHARED_KEY_MIC, TransformType, Type } from "./numbers.ts";
import {
  auth,
  deletePayload,
  type Identity,
  identityBody,
  ke,
  readAuth,
  readDelete,
  readIdentity,
  readKe,
  readNotify,
} from "./payloads.ts";
import { type Proposal, readSa, saBody } from "./proposals.ts";
import { readTs, tsBody } from "./selectors.ts";
import type { Opened } from "./sk.ts";
import type { Sa } from "./state.ts";
import { prfOfSuite, protectorOf } from "./suites.ts";
import { Malformed, type Payload, type ReceivedHeader } from "./wire.ts";

export type Complain = (text: string) => void;

/** Everything about a header but its SPIs and its exchange. */
export function checkHeader(
  header: ReceivedHeader,
  response: boolean,
  messageId: number,
  complain: Complain,
): void {
  const flags = Flag.INITIATOR | (response ? Flag.RESPONSE : 0);
  if (header.flags !== flags) complain(`7815-A.1-g: flags 0x${header.flags.toString(16)}`);
  if (header.version !== 0x20) complain(`7815-A.1-d: version 0x${header.version.toString(16)}`);
  if (header.messageId !== messageId)
    complain(`7296-2.2-b: Message ID ${header.messageId}, not ${messageId}`);
  if (isZero(header.spiI)) complain("7815-A.1-b: SPIi is zero");
}

// Payload order, as the figures of RFC 7296 appendix C and of the extensions have it.

const ORDER = {
  saInit: /^(N16390,)?SA,KE,NONCE,(N(16388|16389|16406|16430|16435),)*$/,
  resume: /^(N16390,)?NONCE,N16413,(N(16388|16389|16430),)*$/,
  auth: /^IDi,(N16384,)?(IDr,)?AUTH,(N16419,)?(CP,)?(N16391,)?(N16394,)?(N16395,)?SA,TSi,TSr,(N(16384|16410|16436|16437),)*$/,
  childlessAuth: /^IDi,(N16384,)?(IDr,)?AUTH,(N16419,)?(CP,)?(N(16384|16410|16436|16437),)*$/,
} as const;

export function checkOrder(
  payloads: readonly Payload[],
  figure: keyof typeof ORDER,
  complain: Complain,
): void {
  const names = payloads.map((p) => `${payloadName(p)},`).join("");
  if (!ORDER[figure].test(names)) complain(`7296-2.5-f: payloads ${names} in ${figure}`);
}

function payloadName(payload: Payload): string {
  if (payload.type === Type.NOTIFY) return `N${readNotify(payload.body).type}`;
  return Object.entries(Type).find(([, type]) => type === payload.type)?.[0] ?? `${payload.type}`;
}

/** Encoded anew from what was read, a payload must come out the same: this finds every RESERVED octet. */
export function checkPayloads(payloads: readonly Payload[], complain: Complain): void {
  for (const { type, body, critical, reserved } of payloads) {
    if (critical) complain(`7815-A.2-c: critical bit of payload ${type}`);
    if (reserved) complain(`7815-A-a: RESERVED bits in the header of payload ${type}`);
    const again = encodedAnew(type, body);
    if (again && !equal(again, body))
      complain(`7815-A-a: payload ${type} is ${hex(body)}, not ${hex(again)}`);
    if (type === Type.NONCE && (body.length < 16 || body.length > 256)) {
      complain(`7815-A.9-a: nonce of ${body.length} octets`);
    }
    if (type === Type.NOTIFY) checkNotify(body, complain);
    if (type === Type.TSi || type === Type.TSr) checkSelectors(body, complain);
    if (type === Type.IDi || type === Type.IDr) checkIdentity(readIdentity(body), complain);
  }
}

function encodedAnew(type: number, body: Bytes): Bytes | undefined {
  switch (type) {
    case Type.SA:
      return saBody(readSa(body));
    case Type.KE: {
      const { group, value } = readKe(body);
      return ke(group, value).body;
    }
    case Type.IDi:
    case Type.IDr:
      return identityBody(readIdentity(body));
    case Type.AUTH: {
      const { method, data } = readAuth(body);
      return auth(data, method).body;
    }
    case Type.DELETE: {
      const { protocol, spis } = readDelete(body);
      return deletePayload(protocol, spis).body;
    }
    case Type.TSi:
    case Type.TSr:
      return tsBody(readTs(body));
    default:
      return undefined;
  }
}

function checkNotify(body: Bytes, complain: Complain): void {
  const { protocol, spi, type, data } = readNotify(body);
  const expected = type === Notify.QCD_TOKEN ? Protocol.IKE : Protocol.NONE;
  if (spi.length === 0 && protocol !== expected)
    complain(`7815-A.10-b: Protocol ID ${protocol} in notify ${type}`);
  if (spi.length > 0) complain(`7296-3.10-a: SPI in notify ${type}`);
  const lengths: Record<number, number> = {
    [Notify.INITIAL_CONTACT]: 0,
    [Notify.USE_TRANSPORT_MODE]: 0,
    [Notify.ESP_TFC_PADDING_NOT_SUPPORTED]: 0,
    [Notify.TICKET_REQUEST]: 0,
    [Notify.IKEV2_FRAGMENTATION_SUPPORTED]: 0,
    [Notify.USE_PPK]: 0,
    [Notify.NAT_DETECTION_SOURCE_IP]: 20,
    [Notify.NAT_DETECTION_DESTINATION_IP]: 20,
    [Notify.UNSUPPORTED_CRITICAL_PAYLOAD]: 1,
    [Notify.INVALID_SYNTAX]: 0,
    [Notify.AUTHENTICATION_FAILED]: 0,
    [Notify.NO_ADDITIONAL_SAS]: 0,
  };
  const length = lengths[type];
  if (length !== undefined && data.length !== length) complain(`7815-A.10-a: data of notify ${type}`);
}

function checkSelectors(body: Bytes, complain: Complain): void {
  const selectors = readTs(body);
  if (selectors.length === 0) complain("7815-A.11-a: no selector");
  for (const s of selectors) {
    const allPorts = s.startPort === 0 && s.endPort === 65535;
    if (s.protocol === 0 && !allPorts) complain("7815-A.11.1-b: ports without a protocol");
    if (Buffer.compare(s.start, s.end) > 0) complain("7815-A.11.1-a: start address after end address");
  }
}

function checkIdentity(id: Identity, complain: Complain): void {
  const wrong = (id.type === 1 && id.data.length !== 4) || (id.type === 5 && id.data.length !== 16);
  if (wrong) complain("7815-A.5-a: length of an address in ID");
  if ((id.type === 2 || id.type === 3) && id.data.some((octet) => octet === 0 || octet === 13)) {
    complain("7815-A.5-b: terminator in ID");
  }
}

/** The single proposal of RFC 7815 section A.3: one transform of each type. */
export function checkProposal(proposals: readonly Proposal[], protocol: number, complain: Complain): void {
  const [proposal] = proposals;
  if (!proposal || proposals.length !== 1) {
    complain(`7815-A.3-b: ${proposals.length} proposals`);
    return;
  }
  const spiSize = protocol === Protocol.IKE ? 0 : 4;
  if (proposal.number !== 1) complain(`7815-A.3.1-b: Proposal Num ${proposal.number}`);
  if (proposal.protocol !== protocol) complain(`7815-A.3.1-a: Protocol ID ${proposal.protocol}`);
  if (proposal.spi.length !== spiSize) complain(`7815-A.3.1-c: SPI Size ${proposal.spi.length}`);
  if (protocol === Protocol.ESP && proposal.spi.length === 4 && readU32(proposal.spi, 0) < 256) {
    complain("4303-2.1-a: reserved SPI");
  }
  const types = proposal.transforms.map((t) => t.type);
  if (new Set(types).size !== types.length) complain("7815-A.3-b: several transforms of one type");
  const allowed: number[] = [TransformType.ENCR, TransformType.INTEG];
  if (protocol === Protocol.IKE) allowed.push(TransformType.PRF, TransformType.DH);
  else allowed.push(TransformType.ESN);
  if (types.some((type) => !allowed.includes(type))) complain(`7815-A.3.3-a: transform types ${types}`);
  for (const t of proposal.transforms) {
    if (t.attributes) complain(`7296-3.3.5-b: attributes ${hex(t.attributes)}`);
    if (t.keyLength !== undefined && t.type !== TransformType.ENCR) complain("7815-A.3.4-b: Key Length");
    if (t.type === TransformType.INTEG && t.id === 0) complain("7296-3.3-b: INTEG NONE");
  }
}

/** IV, padding and company of a protected message. */
export function checkProtection(sa: Sa, opened: Opened, datagram: Bytes, complain: Complain): void {
  const { cipher } = protectorOf(sa.suite);
  if (opened.before.length > 0) complain("7296-1.2-b: payloads in the clear beside SK");
  if (opened.padLength >= cipher.block) complain(`7815-A.12-d: ${opened.padLength} octets of padding`);
  const earlier = sa.ivs[hex(opened.iv)];
  if (earlier && !equal(earlier, datagram)) complain("5282-3.1-a: IV used for two messages");
  sa.ivs[hex(opened.iv)] = datagram;
  if (cipher.ivLength === 16 && sa.lastBlock && equal(sa.lastBlock, opened.iv) && !earlier) {
    complain("7815-A.12-b: IV is the last block sent before");
  }
  sa.lastBlock = opened.ciphertext.slice(-16);
}

/** Length and method of AUTH. */
export function checkAuth(sa: Sa, body: Bytes, complain: Complain): void {
  const { method, data } = readAuth(body);
  if (method !== SHARED_KEY_MIC) complain(`7815-A.8-b: Auth Method ${method}`);
  if (data.length !== prfOfSuite(sa.suite).length) complain(`7815-A.8-a: ${data.length} octets of AUTH`);
}

/** The payload of this type, of which there must be exactly one. */
export function only(payloads: readonly Payload[], type: number): Payload {
  const found = payloads.filter((p) => p.type === type);
  if (found.length !== 1) throw new Malformed(`${found.length} payloads of type ${type}`);
  return found[0] as Payload;
}

export function isInitial(exchange: number): boolean {
  return exchange === Exchange.IKE_SA_INIT || exchange === Exchange.IKE_SESSION_RESUME;
}
