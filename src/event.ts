import type { Hint, Session } from "./session.ts";
import type { Configuration } from "./wire/configuration.ts";
import type { Identification } from "./wire/identification.ts";
import type { TrafficSelector } from "./wire/selectors.ts";

/** How packets travel in the Child SA (RFC 7296 section 1.3.1). */
export type Mode = "tunnel" | "transport";

/**
 * What a device has to keep in order to resume (RFC 5723 section 5): plain data. **It contains a key**, SK_d, and
 * is as secret as the session that it comes from.
 */
export interface Ticket {
  /** What the gateway wants to see again; only the gateway can read it. */
  readonly ticket: Uint8Array;
  /** Seconds for which it is good, from the moment of the event on. */
  readonly lifetime: number;
  /** SK_d of the IKE SA that brought it. */
  readonly skD: Uint8Array;
  /** Transform ID of the encryption algorithm of the IKE SA. */
  readonly encryptionId: number;
  /** Its key length in bits, or 0 where it has one only. */
  readonly keyBits: number;
  /** Transform ID of the integrity algorithm, or 0 for an AEAD. */
  readonly integrityId: number;
  /** Transform ID of the PRF. */
  readonly prfId: number;
  /** Who we were; both sides authenticated themselves by the shared key. */
  readonly local: Identification;
  /** Who the gateway was. */
  readonly remote: Identification;
  /** Which octets AUTH covers: those of RFC 5723, or the first message alone. */
  readonly signed: "rfc" | "first-message";
  /** How often it has been presented in vain. */
  readonly attempts: number;
}

/** One direction of a Child SA. */
export interface ChildDirection {
  /** SPI, a 32-bit number. */
  readonly spi: number;
  /** Encryption key ‖ salt ‖ integrity key, as `Cipher` takes it. */
  readonly key: Uint8Array;
}

/** The Child SA: all that a kernel, an IP stack or `ikelet/esp.js` needs. **It contains keys.** */
export interface ChildSa {
  readonly mode: Mode;
  /** Extended sequence numbers. */
  readonly esn: boolean;
  /** Transform ID of the encryption algorithm. */
  readonly encryptionId: number;
  /** Its key length in bits, or 0 where it has one only. */
  readonly keyBits: number;
  /** Transform ID of the integrity algorithm, or 0 for an AEAD. */
  readonly integrityId: number;
  /** Packets to the gateway. */
  readonly outbound: ChildDirection;
  /** Packets from the gateway. */
  readonly inbound: ChildDirection;
  /** Our traffic, as the gateway narrowed it. */
  readonly local: readonly TrafficSelector[];
  /** The traffic behind the gateway, as the gateway narrowed it. */
  readonly remote: readonly TrafficSelector[];
}

/** Why an arriving datagram was passed over. The session is as it was, and so is the timer. */
export type IgnoredReason =
  /** No IKEv2 message, or one with impossible lengths. */
  | "malformed"
  /** Not of this IKE SA, or from its initiator, which we are. */
  | "foreign"
  /** Not the answer that is awaited, or a request out of order. */
  | "unexpected"
  /** In the clear where only a protected message counts. */
  | "unprotected"
  /** Protected with other keys, or damaged. */
  | "integrity"
  /** An unknown payload that is marked critical. */
  | "critical"
  /** An error in the clear; remembered as a hint. */
  | "hint"
  /** One cookie too many, or most likely for an earlier request of ours. */
  | "cookie"
  /** The gateway chose what was not offered. */
  | "proposal"
  /** A public value that must not be used, or of another group. */
  | "key-exchange"
  /** A nonce of less than 16 or more than 256 octets. */
  | "nonce";

/** Why a Child SA did not come up although the gateway authenticated itself. */
export type ChildFailure =
  /** The gateway said so: `notify`. */
  | "refused"
  /** It answered without the payloads of a Child SA. */
  | "missing"
  /** It chose what was not offered. */
  | "proposal"
  /** Its traffic selectors are not a part of ours. */
  | "selectors"
  /** Transport mode was asked for and not granted, or the other way round. */
  | "mode";

/** Why a session ended. */
export type CloseReason =
  /** We closed it. */
  | "requested"
  /** The gateway closed it with a Delete. */
  | "deleted"
  /** From `ikelet/qcd.js`: the gateway has lost its state. A ticket is still good. */
  | "crashed"
  /** A request stayed unanswered. `hint` may say why. */
  | "timeout"
  /** The gateway's AUTH is wrong or missing: it does not know the pre-shared key. */
  | "authentication"
  /** The gateway is not `remote` of the profile. */
  | "identity"
  /** The gateway refused in a protected message: `notify`. */
  | "refused"
  /** The gateway sent what makes no sense, with good integrity. */
  | "malformed"
  /** The Message IDs are used up. */
  | "exhausted";

/** What the application should know. */
export type Event =
  /** The gateway has authenticated itself, and the Child SA is up. */
  | { readonly type: "established"; readonly remote: Identification; readonly child: ChildSa }
  /** The gateway has authenticated itself, but there is no Child SA; the session closes itself. */
  | {
      readonly type: "child-failed";
      readonly remote: Identification;
      readonly reason: ChildFailure;
      readonly notify?: number | undefined;
    }
  /** An answer to a request of ours: the gateway is alive. */
  | { readonly type: "alive" }
  /** The gateway wanted new keys and was told that there are none: start anew before its patience ends. */
  | { readonly type: "rekey-refused"; readonly sa: "ike" | "child" }
  /** The gateway has deleted the Child SA; its keys must not be used any more. The IKE SA stands. */
  | { readonly type: "child-deleted"; readonly spiIn: number; readonly spiOut: number }
  /** The gateway reported an error in a protected message. */
  | { readonly type: "notified"; readonly notify: number; readonly data: Uint8Array }
  /** From `ikelet/configuration.js`: what the gateway gave. */
  | { readonly type: "configured"; readonly configuration: Configuration }
  /** From `ikelet/configuration.js`: it gave no address. */
  | { readonly type: "not-configured" }
  /** From `ikelet/resumption.js`: a ticket, to be stored with the time; it takes the place of any older one. */
  | { readonly type: "ticket"; readonly ticket: Ticket }
  /** From `ikelet/resumption.js`: none was given. `later`: ask again with `requestTicket`. */
  | { readonly type: "no-ticket"; readonly reason: "refused" | "later" }
  /** A datagram was passed over. */
  | { readonly type: "ignored"; readonly reason: IgnoredReason; readonly notify?: number | undefined }
  /** The end of the session. */
  | {
      readonly type: "closed";
      readonly reason: CloseReason;
      readonly notify?: number | undefined;
      readonly hint?: Hint | undefined;
    };

/** The result of every transition. */
export interface Step {
  /** The next session. The one that was passed in must not be used again. */
  readonly session: Session;
  /** Datagrams for the gateway, in this order, without the non-ESP marker of port 4500. */
  readonly send: readonly Uint8Array[];
  readonly events: readonly Event[];
  /**
   * The one timer. A number of milliseconds: set it anew, and call `timeout` when it ends. 0: stop it. Absent:
   * leave it as it runs; whatever arrives, an unanswered request must be repeated in time.
   */
  readonly wait?: number | undefined;
}
