import type { Cipher, Suite } from "./crypto/contracts.ts";
import type { Mode } from "./event.ts";
import type { Extension } from "./extension.ts";
import type { Identification } from "./wire/identification.ts";
import type { TrafficSelector } from "./wire/selectors.ts";

/** The Child SA that a profile asks for: one cipher, one mode. */
export interface ChildProfile {
  readonly cipher: Cipher;
  /** What the gateway does not grant is not taken: the Child SA fails with the reason `mode`. */
  readonly mode: Mode;
  /** Extended sequence numbers of 64 bits (RFC 4303 section 2.2.1). Default: 32 bits. */
  readonly esn?: boolean;
  /** Our traffic. The gateway may answer with a part of it. In transport mode: our own address. */
  readonly local: TrafficSelector;
  /** The traffic behind the gateway. In transport mode: the gateway's address. */
  readonly remote: TrafficSelector;
}

/** How long to wait for an answer. */
export interface Retransmission {
  /**
   * Milliseconds until the request is sent a second time; each further wait is twice as long. Each session stretches
   * its waits by another part, up to a half, so that a fleet does not repeat itself in step.
   */
  readonly wait: number;
  /** How often a request is sent altogether, 1 to 20. */
  readonly sends: number;
}

/**
 * Eight sends in 255 to 382 seconds. RFC 7296 section 2.4 suggests a dozen; with waits that double, the last four would
 * add an hour in which a device had better start anew.
 */
export const DEFAULT_RETRANSMISSION: Retransmission = { wait: 1000, sends: 8 };

/** What the firmware knows beforehand. It holds code, so it is never stored; a session is. */
export interface Profile {
  /** The one proposal for the IKE SA. */
  readonly suite: Suite;
  /** Who we are. */
  readonly local: Identification;
  /**
   * Who the gateway has to be; it is told, and its answer must be the same. Without it, every gateway that
   * knows the pre-shared key is good.
   */
  readonly remote?: Identification;
  /** The pre-shared key: octets, as many and as random as the keys that it protects (RFC 7296 section 2.15). */
  readonly psk?: Uint8Array;
  /** In place of `psk`: prf(PSK, "Key Pad for IKEv2"), from `keyPad` of `ikelet/keys.js`. */
  readonly pskPad?: Uint8Array;
  readonly child: ChildProfile;
  /**
   * Tell the gateway that older SAs of this identity are dead (RFC 7296 section 2.4). Only for an identity
   * that no second device has. Default: false.
   */
  readonly initialContact?: boolean;
  readonly retransmission?: Retransmission;
  /** NAT traversal, configuration and the like, each from an entry point of its own. */
  readonly extensions?: readonly Extension[];
}
