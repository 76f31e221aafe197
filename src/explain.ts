/** Events in plain English: `ikelet/explain.js`. For logs and the desk; a finished firmware need not carry it. */

import type { Event, IgnoredReason } from "./event.ts";
import {
  addressText,
  cipherName,
  groupName,
  identityText,
  notifyName,
  selectorText,
  spiText,
  suiteName,
} from "./explain/names.ts";
import { DEFAULT_RETRANSMISSION, type Profile } from "./profile.ts";
import type { Hint } from "./session.ts";
import { INVALID_SYNTAX, NO_ADDITIONAL_SAS, UNSUPPORTED_CRITICAL_PAYLOAD } from "./wire/notify.ts";

export * from "./explain/names.ts";

type EventOf<T extends Event["type"]> = Extract<Event, { type: T }>;

// The notifications that have an advice of their own, and that the core need not know by name.
const INVALID_MAJOR_VERSION = 5;
const INVALID_SPI = 11;
const NO_PROPOSAL_CHOSEN = 14;
const INVALID_KE_PAYLOAD = 17;
const AUTHENTICATION_FAILED = 24;
const SINGLE_PAIR_REQUIRED = 34;
const INTERNAL_ADDRESS_FAILURE = 36;
const FAILED_CP_REQUIRED = 37;
const TS_UNACCEPTABLE = 38;
const INVALID_SELECTORS = 39;
const TEMPORARY_FAILURE = 43;

/** Where the library has a key exchange method. */
const KEY_EXCHANGES: Readonly<Record<number, string>> = {
  14: "modp2048",
  19: "p256",
  20: "p384",
  31: "x25519",
};

const IGNORED: Readonly<Record<Exclude<IgnoredReason, "hint">, string>> = {
  malformed:
    "is no well-formed IKEv2 message: nothing to do, unless every answer of the gateway is like that",
  foreign: "does not belong to this IKE SA: nothing to do, it may be of an earlier session",
  unexpected: "answers no open request or is out of order: nothing to do, most often it is a late repetition",
  unprotected:
    "came in the clear where only protected messages count: if it comes again and again, start anew",
  integrity: "is damaged, forged or sealed with other keys: nothing to do, the real one can still come",
  critical: "holds a critical payload that ikelet does not know: switch off that extension on the gateway",
  cookie: "asks for yet another cookie: if no session comes up, see whether the gateway is under attack",
  proposal: "chooses algorithms for the IKE SA that were not offered: look into the gateway's configuration",
  "key-exchange":
    "holds a public value that must not be used or is of another group: look into the gateway's log",
  nonce: "holds a nonce shorter than 16 or longer than 256 octets: repair the gateway",
};

function traffic({ child }: Profile): string {
  return `child.local ${selectorText(child.local)} and child.remote ${selectorText(child.remote)}`;
}

function esp({ child }: Profile): string {
  return `${cipherName(child.cipher)} ${child.esn ? "with" : "without"} extended sequence numbers`;
}

function both({ local, remote }: Profile): string {
  return `ours is ${identityText(local)}, the gateway's ${remote ? identityText(remote) : "left open"}`;
}

function alike(one: string, other: string): string {
  return `set both to the same, ${one} in the profile or ${other} on the gateway`;
}

/** What an error in the clear, which nobody has signed, says about an initial exchange without an end. */
function explainHint(profile: Profile, { notify, data }: Hint): string {
  const { suite } = profile;
  switch (notify) {
    case INVALID_KE_PAYLOAD: {
      const ours = suite.keyExchange ? groupName(suite.keyExchange.transformId) : "none";
      if (data.length !== 2) return `the gateway wants another group than ${ours}: see which one it allows`;
      const wanted = (data[0]! << 8) | data[1]!;
      const name = KEY_EXCHANGES[wanted];
      const change = name ? `set suite.keyExchange to ${name}` : "choose a group that both have";
      return `the gateway wants ${groupName(wanted)}, the profile offers ${ours}: ${change}, or allow ours on the gateway`;
    }
    case NO_PROPOSAL_CHOSEN:
      return `the gateway takes no proposal for the IKE SA, or knows no connection for our address; the profile offers ${suiteName(suite)}: allow exactly these on the gateway, or change the suite`;
    case INVALID_MAJOR_VERSION:
      return "the gateway does not speak IKEv2: switch it on there";
    case INVALID_SYNTAX:
      return "the gateway could not read our request: its log says what it stumbled over";
    case UNSUPPORTED_CRITICAL_PAYLOAD:
      return "the gateway demands that a payload be understood which it does not know itself: see its log";
    case AUTHENTICATION_FAILED:
      return "the gateway lets nobody in from our address: add a connection for it there";
    case TEMPORARY_FAILURE:
    case NO_ADDITIONAL_SAS:
      return "the gateway is too busy: try again in a minute";
    default:
      return "the log of the gateway says why";
  }
}

function explainTimeout(profile: Profile, hint: Hint | undefined): string {
  const { wait, sends } = profile.retransmission ?? DEFAULT_RETRANSMISSION;
  const ticket = profile.extensions?.some(({ initial }) => initial) ? ", or fewer of a ticket" : "";
  const seconds = Math.round((wait * ((1 << sends) - 1)) / 100) / 10;
  return hint
    ? `No good answer came, only an unprotected ${notifyName(hint.notify)}: ${explainHint(profile, hint)}.`
    : `The gateway has not answered ${sends} sends in ${seconds} s or more${ticket}: check its address, that IKE runs there, and that firewalls let UDP ports 500 and 4500 pass both ways.`;
}

/** The whole of IKE_AUTH was refused: there is no IKE SA. */
function explainRefusal(profile: Profile, notify: number | undefined): string {
  const said = notify ? ` (${notifyName(notify)})` : "";
  switch (notify) {
    case AUTHENTICATION_FAILED:
      return `The gateway does not accept our identity or our pre-shared key${said}: compare psk and both identities with its configuration; ${both(profile)}.`;
    case NO_PROPOSAL_CHOSEN:
    case TS_UNACCEPTABLE:
    case SINGLE_PAIR_REQUIRED:
    case INTERNAL_ADDRESS_FAILURE:
    case FAILED_CP_REQUIRED:
      return `The gateway refused IKE_AUTH: ${explainChildRefusal(profile, notify)}`;
    case INVALID_SYNTAX:
    case UNSUPPORTED_CRITICAL_PAYLOAD:
      return `The gateway could not read our IKE_AUTH request${said}: its log says what it stumbled over.`;
    case TEMPORARY_FAILURE:
    case NO_ADDITIONAL_SAS:
      return `The gateway has no room for us now${said}: try again in a minute.`;
    default:
      return `The gateway refused us in IKE_AUTH${said}: its log says why.`;
  }
}

/** The Child SA was refused. */
function explainChildRefusal(profile: Profile, notify: number | undefined): string {
  const said = notify ? ` (${notifyName(notify)})` : "";
  switch (notify) {
    case TS_UNACCEPTABLE:
      return `the gateway does not allow our traffic selectors${said}: make ${traffic(profile)} fit its configuration.`;
    case SINGLE_PAIR_REQUIRED:
      return `the gateway wants one pair of addresses${said}: narrow ${traffic(profile)} to one address each.`;
    case NO_PROPOSAL_CHOSEN:
      return `the gateway does not allow our proposal for ESP${said}: the profile offers ${esp(profile)}; allow exactly that on the gateway, or change child.cipher.`;
    case INTERNAL_ADDRESS_FAILURE:
    case FAILED_CP_REQUIRED:
      return `the gateway wants to hand out an address${said}: give us a fixed one there, and put it into child.local.`;
    case TEMPORARY_FAILURE:
    case NO_ADDITIONAL_SAS:
      return `the gateway has no room for it now${said}: try again in a minute.`;
    default:
      return `the gateway refused it${said}: its log says why.`;
  }
}

function explainChildFailure(profile: Profile, { reason, notify }: EventOf<"child-failed">): string {
  const failed = "The gateway accepts our key, but there is no Child SA";
  switch (reason) {
    case "refused":
      return `${failed}: ${explainChildRefusal(profile, notify)}`;
    case "missing":
      return `${failed}: the answer is without SA, TSi or TSr; give the connection on the gateway a Child SA that starts with IKE_AUTH.`;
    case "proposal":
      return `${failed}: the gateway chose algorithms that were not offered; make it use ${esp(profile)}, or change child.cipher.`;
    case "selectors":
      return `${failed}: the selectors of the gateway are not a part of ours; widen ${traffic(profile)}, or narrow the gateway's.`;
    case "mode":
      return `${failed}: the profile wants ${profile.child.mode} mode, the gateway chose the other one; ${alike("child.mode", "the mode")}.`;
  }
}

function explainNotified({ notify }: EventOf<"notified">): string {
  const said = `The gateway reports ${notifyName(notify)}`;
  switch (notify) {
    case INVALID_SPI:
      return `${said}: it got ESP packets of a Child SA that it does not have; start a new session.`;
    case INVALID_SELECTORS:
      return `${said}: it got packets through the tunnel that the traffic selectors do not cover; send only what they cover.`;
    case AUTHENTICATION_FAILED:
      return `${said}: it does not want us any more; close this session and see its log.`;
    default:
      return `${said}: if traffic stops, start a new session and see the gateway's log.`;
  }
}

function explainClosed(profile: Profile, { reason, notify, hint }: EventOf<"closed">): string {
  switch (reason) {
    case "requested":
      return "The session is closed as we asked: for another one, start anew.";
    case "deleted":
      return "The gateway closed the session: start a new one, and if that happens often, see the gateway's log.";
    case "crashed":
      return "The gateway has lost its state and said so with its token: resume with the ticket, or start anew.";
    case "timeout":
      return explainTimeout(profile, hint);
    case "authentication":
      return `The gateway's proof of identity is wrong: its pre-shared key differs from ours, or it uses certificates; ${alike("psk", "the secret")}, for this pair of identities: ${both(profile)}.`;
    case "identity":
      return profile.remote
        ? `The gateway knows the pre-shared key but is not ${identityText(profile.remote)}, which the profile expects: change remote in the profile, or the gateway's own identity.`
        : "The gateway is not the one that the profile expects: change remote in the profile, or the gateway's own identity.";
    case "refused":
      return explainRefusal(profile, notify);
    case "malformed":
      return "The gateway sent a protected message that makes no sense: start anew, and if it happens again, report it to those who make the gateway.";
    case "exhausted":
      return "All Message IDs of this session are used up: start a new one.";
  }
}

/**
 * One English sentence about an event, which says what to do. There is no secret in it, and no octet of the
 * network that could steer a terminal.
 *
 * @example
 * ```ts
 * import { type Event, fqdn, net } from "ikelet";
 * import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
 * import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
 * import { x25519 } from "ikelet/crypto/x25519.js";
 * import { explain } from "ikelet/explain.js";
 * import assert from "node:assert/strict";
 *
 * const profile = {
 *   suite: { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519 },
 *   local: fqdn("sensor-7.example"),
 *   psk: new Uint8Array(32),
 *   child: {
 *     cipher: chacha20Poly1305,
 *     mode: "tunnel" as const,
 *     local: net([10, 1, 0, 7], 32),
 *     remote: net([10, 99, 0, 0], 16),
 *   },
 * };
 * const hint = { notify: 17, data: new Uint8Array([0, 19]) };
 * const event: Event = { type: "closed", reason: "timeout", hint };
 * assert.match(explain(profile, event), /wants group 19 .* offers group 31 .*set suite.keyExchange to p256/);
 * ```
 */
export function explain(profile: Profile, event: Event): string {
  switch (event.type) {
    case "established":
      return `${identityText(event.remote)} has proved itself and the Child SA is up: give its keys to ESP and send.`;
    case "child-failed":
      return explainChildFailure(profile, event);
    case "alive":
      return "The gateway has answered: it is alive, and there is nothing to do.";
    case "rekey-refused":
      return event.sa === "ike"
        ? "The gateway wanted new keys for the IKE SA, which ikelet does not make: start a new session before it gives this one up, or lengthen the lifetime there."
        : "The gateway wanted new keys or one more Child SA, which ikelet does not make: start a new session before it gives this one up, or lengthen the lifetime there.";
    case "child-deleted":
      return `The gateway deleted the Child SA (SPIs ${spiText(event.spiIn)} in, ${spiText(event.spiOut)} out): stop using its keys, and start a new session for more traffic.`;
    case "notified":
      return explainNotified(event);
    case "ticket":
      return `The gateway gave a ticket for ${event.ticket.lifetime} s: store it with the time, in place of any older one.`;
    case "no-ticket":
      return event.reason === "later"
        ? "The gateway gives no ticket now: ask again later with requestTicket."
        : "The gateway gives no ticket: turn session resumption on there, or leave the extension out.";
    case "configured":
      return `The gateway gave ${event.configuration.addresses.map(addressText).join(" and ")}: use it as the inner source address.`;
    case "not-configured":
      return "The gateway gave no inner address: set up a pool of addresses for this device there, or leave the configuration extension out.";
    case "ignored":
      return event.reason === "hint"
        ? `An unprotected ${notifyName(event.notify ?? 0)} came, from the gateway or a forger: wait, and if nothing better comes, the end will explain it.`
        : `A datagram was passed over: it ${IGNORED[event.reason]}.`;
    case "closed":
      return explainClosed(profile, event);
  }
}
