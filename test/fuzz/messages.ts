/**
 * Makes messages out of choices: an honest one for the state of the session, and then wrong in its payloads, in its
 * lengths, in its header, under the Encrypted payload or outside of it.
 */

import { createHash } from "node:crypto";
import type { Profile, Session } from "ikelet";
import { x25519 } from "ikelet/crypto/x25519.js";
import {
  auth,
  type Bytes,
  concat,
  configuration,
  deletePayload,
  encodeChain,
  encodeMessage,
  fqdn,
  type Header,
  idr,
  ke,
  nonce,
  notify,
  type Payload,
  type Protection,
  prfOf,
  protectorOf,
  pskAuth,
  range,
  resumedAuth,
  type Sealing,
  type Selector,
  sa,
  sealMessage,
  Type,
  ts,
  u32,
} from "../responder/index.ts";
import type { Choices } from "./choices.ts";

/** What a program has to work with. */
export interface Surroundings {
  readonly profile: Profile;
  readonly session: Session;
  readonly history: readonly Bytes[];
  readonly tokens: readonly Bytes[];
}

const GATEWAY_VALUE = x25519.publicValue(new Uint8Array(32).fill(9));
const GATEWAY_NONCE = new Uint8Array(32).fill(0x4e);
const GATEWAY_SPI = new Uint8Array(8).fill(0x53);
const CHILD_SPI = Uint8Array.of(0xc0, 0, 0, 1);
const NOTIFIES = [
  1, 4, 5, 7, 9, 11, 14, 17, 24, 34, 35, 36, 37, 38, 39, 43, 44, 16384, 16388, 16389, 16390, 16391, 16393,
  16407, 16409, 16410, 16411, 16412, 16413, 16418, 16419, 16430,
];
const TYPES = [0, 1, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 53, 200];
/** Addresses, netmask, name servers and networks of both IP versions, and types of no meaning. */
const ATTRIBUTES = [1, 2, 3, 8, 10, 13, 15, 7, 0x8001];
const EXCHANGES = [0, 34, 35, 36, 37, 38, 43, 255];

const hash = (name: string): Bytes => new Uint8Array(createHash("sha1").update(name).digest());

function suiteOf({ encryptionId, keyBits, integrityId }: Profile["suite"]["cipher"]) {
  return { encr: encryptionId, ...(keyBits && { keyBits }), ...(integrityId && { integ: integrityId }) };
}

/** The gateway's keys, from what the session must know to open its messages. */
export function protectionOf({ suite: { cipher } }: Profile, key: Bytes): Protection {
  return {
    ...protectorOf(suiteOf(cipher)),
    skE: key.slice(0, cipher.keyLength),
    skA: key.slice(cipher.keyLength),
  };
}

/** AUTH of the gateway, by the responder's own derivation. */
export function authOf({ profile, session }: Surroundings, idBody: Bytes): Bytes {
  const { nonceI, response } = session.handshake!;
  const prf = prfOf(profile.suite.prf.transformId)!;
  const { skPr } = session.keys!;
  return session.request && response![18] === 38
    ? resumedAuth(prf, skPr!, response!, nonceI, idBody)
    : pskAuth(prf, profile.psk!, skPr!, response!, nonceI, idBody);
}

function ikeSa({ suite }: Profile): Payload {
  const { encr, keyBits, integ } = suiteOf(suite.cipher);
  const transforms = [
    { type: 1, id: encr, ...(keyBits && { keyLength: keyBits }) },
    { type: 2, id: suite.prf.transformId },
    ...(integ ? [{ type: 3, id: integ }] : []),
    { type: 4, id: 31 },
  ];
  return sa({ number: 1, protocol: 1, spi: new Uint8Array(0), transforms });
}

function childSa({ child }: Profile): Payload {
  const { encr, keyBits, integ } = suiteOf(child.cipher);
  const transforms = [
    { type: 1, id: encr, ...(keyBits && { keyLength: keyBits }) },
    ...(integ ? [{ type: 3, id: integ }] : []),
    { type: 5, id: 0 },
  ];
  return sa({ number: 1, protocol: 3, spi: CHILD_SPI, transforms });
}

function dotted(address: Bytes): string {
  return address.join(".");
}

/** The offer, or some part of it, or more than it. */
function selectors(choices: Choices, { start, end }: Profile["child"]["local"]): Selector[] {
  const near = (address: Bytes): string =>
    dotted(choices.once(6) ? address.map((octet, i) => octet + (i ? choices.below(3) - 1 : 0)) : address);
  const ports = choices.once(6) ? { protocol: choices.octet(), endPort: choices.below(0x10000) } : {};
  return [range(near(start), near(end), ports)];
}

/** What a gateway may give beside an address, in lengths that are right more often than by chance. */
function attributes(choices: Choices): [type: number, value: Bytes][] {
  return Array.from({ length: choices.below(4) }, () => {
    const value = new Uint8Array(choices.among([0, 4, 8, 16, 17])).fill(choices.octet());
    value.set(choices.octets(value.length));
    return [choices.among(ATTRIBUTES), value];
  });
}

/** What the gateway would answer to the open request. */
function answer(choices: Choices, { profile, session, tokens }: Surroundings): Payload[] {
  const { state, request, handshake } = session;
  if (state === "initiating") {
    const resumes = request![18] === 38;
    switch (choices.below(6)) {
      case 0:
        return [notify(16390, choices.octets(70))];
      case 1:
        return [notify(choices.among(NOTIFIES), choices.octets(4))];
      case 2:
        return [notify(16412)];
      default:
        return [
          ...(resumes ? [] : [ikeSa(profile), ke(31, GATEWAY_VALUE)]),
          nonce(GATEWAY_NONCE),
          notify(16388, hash("source")),
          notify(16389, hash("destination")),
        ];
    }
  }
  if (handshake) {
    const { mode, local, remote } = profile.child;
    const transport = mode === "transport";
    return [
      idr(fqdn("gw.example")),
      auth(new Uint8Array(0)),
      ...(transport ? [notify(16391)] : [configuration(2, [[1, local.start], ...attributes(choices)])]),
      childSa(profile),
      ts(Type.TSi, selectors(choices, local)),
      ts(Type.TSr, selectors(choices, remote)),
      notify(16409, concat(u32(3600), new Uint8Array(40).fill(0x54))),
      notify(16419, new Uint8Array(32).fill(0x71), undefined, 1),
    ];
  }
  return choices.once(3) ? [notify(16409, concat(u32(60), tokens[0] ?? CHILD_SPI))] : [];
}

/** What the gateway may ask. */
function question(choices: Choices, { session, profile }: Surroundings): Payload[] {
  const spi = u32(session.child?.spiOut ?? 0xc0000001);
  switch (choices.below(8)) {
    case 0:
      return [];
    case 1:
      return [deletePayload(1)];
    case 2:
      return [deletePayload(3, [spi])];
    case 3:
      return [notify(16393, undefined, spi, 3), childSa(profile), nonce(GATEWAY_NONCE), ts(Type.TSi, [])];
    case 4:
      return [ikeSa(profile), nonce(GATEWAY_NONCE), ke(31, GATEWAY_VALUE)];
    case 5:
      return [notify(16419, choices.octets(140), undefined, 1)];
    case 6:
      return [notify(11, spi)];
    default:
      return [notify(choices.among(NOTIFIES), choices.octets(40))];
  }
}

/** Octets changed here and there; a length in octets 2 and 3 can be made good again. */
function touched(choices: Choices, octets: Bytes): Bytes {
  let changed: Bytes = octets.slice();
  for (let n = choices.below(3) + 1; n; n--) {
    const at = choices.below(changed.length + 1);
    switch (choices.below(6)) {
      case 0:
        if (at < changed.length) changed[at]! ^= 1 << choices.below(8);
        break;
      case 1:
        if (at < changed.length) changed[at] = choices.octet();
        break;
      case 2:
        changed = changed.slice(0, at);
        break;
      case 3:
        changed = concat(changed, choices.octets(24));
        break;
      case 4:
        changed = concat(changed.slice(0, at), choices.octets(8), changed.slice(at));
        break;
      default:
        changed = concat(changed.slice(0, at), changed.slice(at + choices.below(9)));
    }
  }
  if (choices.once(2) && changed.length > 3) {
    changed[2] = changed.length >> 8;
    changed[3] = changed.length & 0xff;
  }
  return changed;
}

function edited(choices: Choices, payloads: Payload[], around: Surroundings): Payload[] {
  const list = payloads.slice();
  for (let n = choices.below(4); n; n--) {
    const at = choices.below(list.length + 1);
    const found = list[at];
    switch (choices.below(8)) {
      case 0:
        list.splice(at, 1);
        break;
      case 1:
        if (found) list.push(found);
        break;
      case 2:
        if (found) list[at] = { ...found, body: touched(choices, found.body) };
        break;
      case 3:
        if (found) list[at] = { ...found, critical: true, reserved: choices.below(128) };
        break;
      case 4:
        if (found)
          list[at] = {
            ...found,
            ...(choices.once(2) ? { length: choices.below(600) } : { next: choices.octet() }),
          };
        break;
      case 5:
        list.splice(at, 0, {
          type: choices.among(TYPES),
          critical: choices.once(2),
          body: choices.octets(60),
        });
        break;
      case 6:
        list.splice(
          at,
          0,
          notify(choices.among(NOTIFIES), choices.once(2) ? choices.octets(80) : around.tokens[0]),
        );
        break;
      default:
        if (found && list[0]) [list[0], list[at]] = [found, list[0]];
    }
  }
  return list;
}

/** AUTH without data gets the right data, for whatever is in the ID payload. */
function signed(payloads: Payload[], around: Surroundings): Payload[] {
  const id = payloads.find(({ type }) => type === Type.IDr)?.body ?? new Uint8Array(4);
  return around.session.handshake?.response
    ? payloads.map((payload) =>
        payload.type === Type.AUTH && payload.body.length === 4
          ? { ...payload, body: concat(payload.body, authOf(around, id)) }
          : payload,
      )
    : payloads;
}

function headed(choices: Choices, header: Header): Header {
  if (!choices.once(6)) return header;
  switch (choices.below(6)) {
    case 0:
      return { ...header, exchange: choices.among(EXCHANGES) };
    case 1:
      return { ...header, flags: choices.octet() };
    case 2:
      return { ...header, messageId: choices.once(2) ? 0xffffffff : header.messageId + choices.below(3) - 1 };
    case 3:
      return { ...header, version: choices.octet() };
    case 4:
      return {
        ...header,
        spiR: choices.once(2) ? new Uint8Array(8) : touched(choices, header.spiR).slice(0, 8),
      };
    default:
      return { ...header, spiI: touched(choices, concat(header.spiI, new Uint8Array(8))).slice(0, 8) };
  }
}

function liberties(choices: Choices, cipherBlock: number): Sealing {
  if (!choices.once(4)) return {};
  switch (choices.below(6)) {
    case 0:
      // Of a block cipher only whole blocks can be sealed.
      return cipherBlock > 1 ? {} : { padLength: choices.below(256) };
    case 1:
      return { padLengthOctet: choices.octet() };
    case 2:
      return {
        before: [{ type: choices.among(TYPES), body: choices.octets(20), critical: choices.once(2) }],
      };
    case 3:
      return { after: [{ type: choices.among(TYPES), body: choices.octets(20) }] };
    case 4:
      return { firstType: choices.among(TYPES) };
    default:
      return { inner: choices.octets(80) };
  }
}

let ivs = 0;

function sealedBy(
  choices: Choices,
  header: Header,
  payloads: Payload[],
  around: Surroundings,
  note: (sealed: Bytes) => void,
): Bytes {
  const { profile, session } = around;
  const right = protectionOf(profile, session.keys!.skR);
  const wrong = choices.once(16);
  const another = (key: Bytes) => key.map((octet) => octet ^ 1);
  const protection = wrong ? { ...right, skE: another(right.skE), skA: another(right.skA) } : right;
  const sealing = liberties(choices, right.cipher.block);
  if (choices.once(4)) sealing.inner = touched(choices, encodeChain(payloads));
  const iv = concat(new Uint8Array(right.cipher.ivLength - 4), u32(ivs++));
  const sealed = sealMessage(header, payloads, protection, iv, sealing);
  if (!wrong) note(sealed);
  return sealed;
}

/** The Length of the header made good. */
function withLength(datagram: Bytes): Bytes {
  const changed = datagram.slice();
  if (changed.length >= 28) changed.set(u32(changed.length), 24);
  return changed;
}

/**
 * A message for the session, right or wrong.
 *
 * @param note gets what was sealed with the gateway's keys: all that its owner can have sent
 */
export function compose(choices: Choices, around: Surroundings, note: (sealed: Bytes) => void): Bytes {
  const { session } = around;
  const { request, keys } = session;
  const asks = !session.handshake && (!request || choices.once(2));
  const header: Header = {
    spiI: session.spiI,
    spiR: session.state === "initiating" ? GATEWAY_SPI : session.spiR,
    version: 0x20,
    exchange: asks ? 37 : (request?.[18] ?? 37),
    flags: asks ? 0 : 0x20,
    messageId: asks ? session.peerMessageId : session.messageId - 1,
  };
  const plain = asks ? question(choices, around) : answer(choices, around);
  if (plain.some(({ type }) => type === Type.NONCE) && asks) header.exchange = 36;
  const payloads = signed(edited(choices, plain, around), around);
  const isSealed = keys && !choices.once(8);
  const message = isSealed
    ? sealedBy(choices, headed(choices, header), payloads, around, note)
    : encodeMessage(headed(choices, header), payloads);
  if (!choices.once(5)) return message;
  const wrong = touched(choices, message);
  return choices.once(2) ? wrong : withLength(wrong);
}
