// A tiny initiator of the responder's own primitives: it shows that the responder runs, not that it is right.

import { type Bytes, u64 } from "./bytes.ts";
import { cookieRetry } from "./cookies.ts";
import {
  type IkeKeys,
  ikeKeys,
  libreswanResumedAuth,
  pskAuth,
  resumedAuth,
  resumedSkeyseedOf,
  skeyseedOf,
} from "./keys.ts";
import { Exchange, Flag, Notify, Type } from "./numbers.ts";
import { auth, find, findNotify, fqdn, identityBody, ke, nonce, notify, readKe } from "./payloads.ts";
import { sa } from "./proposals.ts";
import { type Random, systemRandom } from "./random.ts";
import { range, ts } from "./selectors.ts";
import { type Opened, openMessage, sealMessage } from "./sk.ts";
import {
  type ChildSuite,
  childProposalOf,
  groupOfSuite,
  prfOfSuite,
  proposalOf,
  protectorOf,
  type Suite,
} from "./suites.ts";
import { decodeChain, encodeMessage, HEADER_LENGTH, type Payload, readHeader } from "./wire.ts";

export interface SmokeOptions {
  psk: Bytes;
  suite: Suite;
  child: ChildSuite;
  random?: Random;
  /** Payloads at the end of the first request and of IKE_AUTH. */
  first?: Payload[];
  last?: Payload[];
  transport?: boolean;
  childless?: boolean;
  /** After AUTH. */
  middle?: Payload[];
  ticket?: { octets: Bytes; skD: Bytes; libreswan?: boolean };
}

const ID_BODY = identityBody(fqdn("sensor"));

export class SmokeInitiator {
  options: SmokeOptions;
  random: Random;
  spiI: Bytes;
  spiR: Bytes = new Uint8Array(8);
  nonceI: Bytes;
  nonceR: Bytes = new Uint8Array(0);
  secret: Bytes;
  request: Bytes;
  keys!: IkeKeys;
  ivCounter = 0;

  constructor(options: SmokeOptions) {
    const { suite, ticket, first = [] } = options;
    this.options = options;
    this.random = options.random ?? systemRandom;
    this.spiI = this.random(8);
    this.nonceI = this.random(32);
    const pair = groupOfSuite(suite).generate(this.random);
    this.secret = pair.secret;
    const payloads = ticket
      ? [nonce(this.nonceI), notify(Notify.TICKET_OPAQUE, ticket.octets)]
      : [sa(proposalOf(suite, new Uint8Array(0))), ke(suite.group, pair.publicValue), nonce(this.nonceI)];
    const exchange = ticket ? Exchange.IKE_SESSION_RESUME : Exchange.IKE_SA_INIT;
    this.request = encodeMessage(this.header(exchange, 0, false), [...payloads, ...first]);
  }

  header(exchange: number, messageId: number, response: boolean) {
    const flags = Flag.INITIATOR | (response ? Flag.RESPONSE : 0);
    return { spiI: this.spiI, spiR: this.spiR, version: 0x20, exchange, flags, messageId };
  }

  /** The answer to the first response: a retry with cookie, or IKE_AUTH. */
  next(response: Bytes): Bytes {
    const payloads = decodeChain(readHeader(response).nextPayload, response.slice(HEADER_LENGTH));
    const cookie = findNotify(payloads, Notify.COOKIE);
    if (cookie) {
      this.request = cookieRetry(this.original ?? this.request, cookie.data);
      return this.request;
    }
    return this.authenticate(response, payloads);
  }

  original?: Bytes;

  authenticate(response: Bytes, payloads: Payload[]): Bytes {
    const { suite, ticket, psk, child, transport, childless, middle = [], last = [] } = this.options;
    const prf = prfOfSuite(suite);
    this.spiR = readHeader(response).spiR;
    this.nonceR = (find(payloads, Type.NONCE) as Payload).body;
    const [i, r] = [this.nonceI, this.nonceR];
    const skeyseed = ticket
      ? resumedSkeyseedOf(prf, ticket.skD, i, r)
      : skeyseedOf(prf, i, r, this.shared((find(payloads, Type.KE) as Payload).body));
    this.keys = ikeKeys(prf, protectorOf(suite), skeyseed, i, r, this.spiI, this.spiR);
    const { skPi } = this.keys;
    let data = pskAuth(prf, psk, skPi, this.request, r, ID_BODY);
    if (ticket) data = resumedAuth(prf, skPi, this.request, r, ID_BODY);
    if (ticket?.libreswan) data = libreswanResumedAuth(prf, skPi, this.request);
    const childPayloads = [
      ...(transport ? [notify(Notify.USE_TRANSPORT_MODE)] : []),
      sa(childProposalOf(child, Uint8Array.of(0x11, 0x22, 0x33, 0x44))),
      ts(Type.TSi, [range("10.0.0.1")]),
      ts(Type.TSr, [transport ? range("10.0.0.2") : range("10.9.0.0", "10.9.255.255")]),
    ];
    return this.seal(Exchange.IKE_AUTH, 1, false, [
      { type: Type.IDi, body: ID_BODY },
      auth(data),
      ...middle,
      ...(childless ? [] : childPayloads),
      ...last,
    ]);
  }

  shared(keBody: Bytes): Bytes {
    return groupOfSuite(this.options.suite).sharedSecret(this.secret, readKe(keBody).value) as Bytes;
  }

  seal(exchange: number, messageId: number, response: boolean, payloads: Payload[]): Bytes {
    const protector = protectorOf(this.options.suite);
    const { skEi: skE, skAi: skA } = this.keys;
    const iv = protector.cipher.tagLength ? u64(this.ivCounter++) : this.random(16);
    return sealMessage(this.header(exchange, messageId, response), payloads, { ...protector, skE, skA }, iv);
  }

  open(datagram: Bytes): Opened {
    const { skEr: skE, skAr: skA } = this.keys;
    const opened = openMessage(datagram, { ...protectorOf(this.options.suite), skE, skA });
    if (!opened) throw new Error("the message does not verify");
    return opened;
  }
}
