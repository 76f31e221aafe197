import type { Event, IgnoredReason, Step } from "./event.ts";
import type { Profile } from "./profile.ts";
import type { Session } from "./session.ts";
import type { Message } from "./wire/message.ts";
import type { Notify } from "./wire/notify.ts";
import type { Payload } from "./wire/payload.ts";

/** Where payloads of an extension stand in a request of ours, in the order of the RFCs' figures. */
export type Place =
  /** In the first request, behind the nonce. */
  | "initial"
  /** In IKE_AUTH, behind AUTH and before all that concerns the Child SA. */
  | "auth"
  /** In IKE_AUTH, behind TSr. */
  | "end";

/** What the gateway sent, and what has become of it. */
export interface Heard {
  /** The session; an extension puts what it wants to remember in there with `keep`. */
  readonly session: Session;
  /** The payloads; an extension may change them for the core. */
  readonly payloads: readonly Payload[];
  /** What the application should know; an extension adds its own. */
  readonly events: readonly Event[];
}

/** What an initial exchange has agreed on. */
export interface Agreement {
  /** SKEYSEED; it is overwritten after use. */
  readonly seed: Uint8Array;
  /** The nonce of the responder. */
  readonly nonceR: Uint8Array;
}

/** An initial exchange of an extension's own, in place of IKE_SA_INIT. */
export interface InitialExchange {
  /** Its exchange type. */
  readonly exchange: number;
  /** Reads the gateway's response, which holds more than notifications, and is not authenticated. */
  readonly agree: (
    profile: Profile,
    session: Session,
    payloads: readonly Payload[],
  ) => Agreement | IgnoredReason;
  /**
   * Looks at a response that is nothing but notifications, and no cookie: it answers our request, but anybody can
   * have sent it.
   *
   * @returns `undefined` to leave it to the core
   */
  readonly refused?: (session: Session, notifies: readonly Notify[]) => Step | undefined;
  /**
   * The content of AUTH of one side, empty if nothing can be right; the arguments are those of `authentication` in
   * `ikelet/keys.js`, less the key.
   */
  readonly sign: (
    profile: Profile,
    session: Session,
    message: Uint8Array,
    peerNonce: Uint8Array,
    skP: Uint8Array,
    identification: Uint8Array,
  ) => Uint8Array;
}

/** What has to be sent when nothing else is. */
export interface Idle {
  /** Milliseconds between two of them. */
  readonly wait: number;
  /** No IKE message, but a UDP payload as it is. */
  readonly send: Uint8Array;
}

/**
 * The contract of an extension: a plain object of pure functions. It lives in the profile; what it has to
 * remember is plain data in the session, under its name.
 */
export interface Extension {
  readonly name: string;
  /** What it keeps is secret, and goes with the keys when the session ends. */
  readonly secret?: boolean;
  /** Payloads to add to a request of ours. */
  readonly add?: (session: Session, place: Place) => readonly Payload[];
  /**
   * Reads what the gateway sent: the accepted response of the first exchange (not authenticated yet), the
   * response of IKE_AUTH once its AUTH is good, and afterwards all protected INFORMATIONAL messages.
   *
   * @param exchange the exchange type
   * @param isResponse whether we have asked for it
   * @returns `heard`, or a changed copy
   */
  readonly read?: (profile: Profile, heard: Heard, exchange: number, isResponse: boolean) => Heard;
  /**
   * Looks at a message in the clear: anybody can have sent it, and for any session.
   *
   * @returns `undefined` to leave it to the core
   */
  readonly clear?: (profile: Profile, session: Session, message: Message) => Step | undefined;
  readonly initial?: InitialExchange;
  /** For an established session. */
  readonly idle?: (session: Session) => Idle | undefined;
}

/** What an extension keeps in a session. Of one that the gateway has closed it is still there, unless it is secret. */
export function kept(session: Session, name: string): unknown {
  return session.extensions?.[name];
}

/**
 * The session with plain data of an extension in it: whole numbers from 0 to 2^53 - 1, booleans, text in Latin-1, octets,
 * and lists and records of these, if it is to be stored.
 *
 * @param data in memory of its own: `wipe` overwrites it
 */
export function keep(session: Session, name: string, data: unknown): Session {
  return { ...session, extensions: { ...session.extensions, [name]: data } };
}
