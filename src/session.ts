/**
 * What is going on:
 *
 * - `initiating`: the first request is out, nothing is agreed
 * - `authenticating`: there are keys, the gateway has not proved itself
 * - `established`: the IKE SA is up
 * - `closing`: our Delete is out
 * - `closed`: all is over and the keys are gone
 */
export type State = "initiating" | "authenticating" | "established" | "closing" | "closed";

/** What is needed until the gateway has authenticated itself, and dropped then. */
export interface Handshake {
  /** The nonce of the initiator. */
  readonly nonceI: Uint8Array;
  /** The private value; gone as soon as there are keys. */
  readonly secret?: Uint8Array;
  /** The nonce of the responder. */
  readonly nonceR?: Uint8Array;
  /** The gateway's first message as it was on the wire: its AUTH covers it. */
  readonly response?: Uint8Array;
  /** The SPI that we want in ESP packets to us, 4 octets. */
  readonly childSpi: Uint8Array;
  /** How many cookies have been sent back. */
  readonly cookies: number;
  /** The request with the last cookie has to be sent more often than this before another cookie counts. */
  readonly late?: number;
  /** How often each request is sent, where that is not the profile's number. */
  readonly sends?: number | undefined;
}

/** An error that came in the clear: nobody knows from whom. It is never acted upon, only told in the end. */
export interface Hint {
  /** Notify message type. */
  readonly notify: number;
  /** What came with it, 16 octets at most. */
  readonly data: Uint8Array;
}

/** The secrets that an established IKE SA goes on needing. */
export interface SessionKeys {
  /** SK_d. */
  readonly skD: Uint8Array;
  /** SK_ei ‖ SK_ai: what we seal with. */
  readonly skI: Uint8Array;
  /** SK_er ‖ SK_ar: what the gateway seals with. */
  readonly skR: Uint8Array;
  /** SK_pr, until the gateway has authenticated itself. */
  readonly skPr?: Uint8Array;
}

/** The two SPIs of the Child SA, as 32-bit numbers. */
export interface ChildSpis {
  /** In packets to us. */
  readonly spiIn: number;
  /** In packets to the gateway. */
  readonly spiOut: number;
}

/**
 * The state of one IKE SA: plain data, to be stored, moved and compared. **It contains keys**, so it is as
 * secret as they are. Every function that takes a session returns its successor; the old one must not be used
 * again, because that would repeat IVs. (One that has no keys yet may: `examples/node/candidates.ts`.)
 */
export interface Session {
  readonly state: State;
  /** 8 octets. */
  readonly spiI: Uint8Array;
  /** 8 octets; zeros until the gateway has answered. */
  readonly spiR: Uint8Array;
  /** Message ID of the next request of ours. */
  readonly messageId: number;
  /** Message ID of the next request of the gateway. */
  readonly peerMessageId: number;
  /** How many messages have been sealed with SK_ei. */
  readonly ivCounter: number;
  /** Our request that is unanswered. */
  readonly request?: Uint8Array | undefined;
  /** How often it has been sent. */
  readonly sends: number;
  /** Our last response, for a gateway that repeats its request. */
  readonly response?: Uint8Array | undefined;
  /** Close as soon as the unanswered request is answered. */
  readonly closeNext?: boolean;
  readonly handshake?: Handshake | undefined;
  readonly keys?: SessionKeys | undefined;
  readonly child?: ChildSpis | undefined;
  readonly hint?: Hint | undefined;
  /** What extensions keep, under their names: plain data. */
  readonly extensions?: { readonly [name: string]: unknown } | undefined;
  /** Of a closed session: the gateway's last request, to be recognised without keys. */
  readonly lastPeerRequest?: Uint8Array | undefined;
}
