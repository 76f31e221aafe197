// What the gateway is told (options), what it keeps (SAs, plain data) and what it shows to a test.

import type { Bytes } from "./bytes.ts";
import type { DirectionKeys, IkeKeys } from "./keys.ts";
import type { Endpoint, NatState } from "./nat.ts";
import type { Identity } from "./payloads.ts";
import type { QcdOptions } from "./qcd.ts";
import type { Random } from "./random.ts";
import type { Selector } from "./selectors.ts";
import type { Sealing } from "./sk.ts";
import type { ChildSuite, Suite } from "./suites.ts";
import type { TicketOptions } from "./tickets.ts";
import type { Header, Payload } from "./wire.ts";

export interface Options {
  psk: Bytes;
  /** IDr; gw.example if left out. */
  local?: Identity;
  /** The only IDi that is let in; anybody who holds the secret if left out. */
  remote?: Identity;
  random?: Random;
  /** Says which offered suites are welcome; all supported ones if left out. */
  accept?: (suite: Suite) => boolean;
  /** Nonce, or its length; 32 octets if left out. */
  nonce?: Bytes | number;
  /** SPI of the IKE SA; random if left out. */
  spiR?: Bytes;
  cookie?: CookieOptions;
  child?: ChildOptions;
  /** Notifies CHILDLESS_IKEV2_SUPPORTED and lets IKE_AUTH pass without SA and TS (RFC 6023). */
  childless?: boolean;
  /** Payload that answers a CFG_REQUEST in IKE_AUTH. */
  configuration?: Payload;
  /** Both ends of the path as the gateway sees them: turns NAT detection on. */
  nat?: { local: Endpoint; remote: Endpoint };
  tickets?: TicketOptions;
  qcd?: QcdOptions;
  edit?: Edit;
}

export interface CookieOptions {
  /** How many cookies are demanded before the request is taken; Infinity for no end. */
  rounds: number;
  /** The cookie, or its length; 32 random octets, new in every round, if left out. */
  data?: Bytes | number;
  /** Payloads beside the cookie, such as a PUZZLE. */
  beside?: readonly Payload[];
  /** SPIr of the cookie response; zero if left out. */
  spiR?: Bytes;
}

export interface ChildOptions {
  /** Says which offered suites are welcome; all supported ones if left out. */
  accept?: (suite: ChildSuite) => boolean;
  /** Tunnel even if transport mode is asked for. */
  tunnelOnly?: boolean;
  /** What the offered selectors are narrowed to. */
  tsI?: readonly Selector[];
  tsR?: readonly Selector[];
  /** Refuses the Child SA with this notify beside a good AUTH. */
  refuse?: number;
  /** SPI of inbound ESP of the gateway; random if left out. */
  spiR?: Bytes;
}

export interface About {
  exchange: number;
  response: boolean;
  messageId: number;
}

/**
 * Hooks for misbehaviour. All work on what is about to be sent; AUTH is computed over what they return:
 * it covers the response of the initial exchange as `raw` left it, and the ID payload as `auth` left it.
 */
export interface Edit {
  /** Payloads of the IKE_SA_INIT response. A changed nonce is the one that keys are derived from. */
  saInit?: (payloads: Payload[]) => Payload[];
  /** Payloads of the IKE_SESSION_RESUME response. */
  resume?: (payloads: Payload[]) => Payload[];
  /** Inner payloads of the IKE_AUTH response. An AUTH payload of method and RESERVED alone is completed later. */
  auth?: (payloads: Payload[]) => Payload[];
  /** The data of AUTH, which comes in as it should be. */
  authData?: (data: Bytes) => Bytes;
  /** Inner payloads of answers to INFORMATIONAL requests. */
  informational?: (payloads: Payload[], request: Payload[]) => Payload[];
  /** Header of any message. A changed SPIr in the initial response becomes the SPIr of the SA. */
  header?: (header: Header, about: About) => Header;
  /** Padding, IV and company of any protected message. */
  sealing?: Sealing | ((about: About) => Sealing | undefined);
  /** The whole datagram, last. */
  raw?: (datagram: Bytes, about: About) => Bytes;
}

export interface Child {
  /** SPI of packets towards the initiator (from SAi2) and towards the gateway (from SAr2). */
  spiI: Bytes;
  spiR: Bytes;
  suite: ChildSuite;
  mode: "tunnel" | "transport";
  tsI: Selector[];
  tsR: Selector[];
  keymat: Bytes;
  keyI2R: DirectionKeys;
  keyR2I: DirectionKeys;
}

export interface OwnRequest {
  exchange: number;
  messageId: number;
  payloads: Payload[];
  datagram: Bytes;
  answer?: Bytes;
}

export interface Sa {
  spiI: Bytes;
  spiR: Bytes;
  stage: "half-open" | "up" | "gone";
  /** Why it is gone. */
  end?: string;
  suite: Suite;
  nonceI: Bytes;
  nonceR: Bytes;
  /** g^ir; absent on a resumed SA. */
  sharedSecret?: Bytes;
  keys: IkeKeys;
  /** The two messages that AUTH covers. */
  messageI: Bytes;
  messageR: Bytes;
  idI?: Identity;
  idR?: Identity;
  initialContact?: boolean;
  child?: Child;
  nat?: NatState;
  /** What the ticket said, if this SA was resumed. */
  resumed?: { ticket: Bytes; spiI: Bytes; spiR: Bytes; idI: Identity };
  /** Token of the device (RFC 6290). */
  token?: Bytes;
  /** Requests of the device: the next Message ID, the last request and what was answered. */
  expectedId: number;
  lastRequest: Bytes;
  lastReplies: Bytes[];
  /** Requests of the gateway. */
  ownId: number;
  open: OwnRequest[];
  ivCounter: number;
  /** Every IV of the device, and the datagram that it came with. */
  ivs: Record<string, Bytes>;
  lastBlock?: Bytes;
}

/** A demand for cookies, by SPIi. */
export interface CookieState {
  request: Bytes;
  latest: Bytes;
  cookie: Bytes;
  rounds: number;
  reply: Bytes;
}

/** One message, either way. */
export interface Seen {
  direction: "in" | "out";
  exchange: number;
  flags: number;
  messageId: number;
  protected: boolean;
  /** Inner payloads of a protected message, those in the clear otherwise. */
  payloads: Payload[];
  padLength?: number;
  iv?: Bytes;
  datagram: Bytes;
}

/** A response of the device to a request of the gateway. */
export interface Answer {
  exchange: number;
  messageId: number;
  payloads: Payload[];
  datagram: Bytes;
}

export interface Gateway {
  options: Options;
  random: Random;
  sas: Sa[];
  cookies: Record<string, CookieState>;
  log: Seen[];
  answers: Answer[];
  /** What the device did against the RFCs, with the row of the conformance matrix. */
  violations: string[];
  /** Messages that were dropped, and why. */
  ignored: string[];
  /** Seconds, for the lifetime of tickets; moved by the test. */
  now: number;
  /** Tickets by reference, spent tickets and tickets of deleted SAs. */
  ticketStore: Record<string, Bytes>;
  spentTickets: Record<string, true>;
  revoked: Record<string, true>;
}
