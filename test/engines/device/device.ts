/** A device that an engine runs: told what to do in octets, it answers in octets. */

import {
  type ChildSa,
  checkLiveness,
  close,
  type Event,
  fqdn,
  host,
  net,
  type Profile,
  receive,
  type Session,
  type Step,
} from "ikelet";
import { qcd } from "ikelet/qcd.js";
import { resume, resumption } from "ikelet/resumption.js";
import { loadSession, loadTicket, saveSession, saveTicket } from "ikelet/storage.js";
import { ascii, concat, octets16 } from "ikelet/wire.js";
import {
  CHECK_LIVENESS,
  CLOSE,
  DATAGRAM,
  ENTROPY_LENGTH,
  EVENT,
  FORGET,
  LOAD_SESSION,
  RECEIVE,
  RESULT,
  RESUME,
  SAVE_SESSION,
  TICKET,
} from "../commands.ts";
import { DEVICE, DEVICE_ADDRESS, GATEWAY, GATEWAY_NETWORK, GATEWAY_PREFIX } from "../parties.ts";

/** So many seconds ago the ticket came, as far as the device can tell. */
const ELAPSED = 1800;

/** All that the device has between two commands. */
export interface Memory {
  session?: Session | undefined;
  /** Takes the Child SA, for a device with ESP. */
  readonly established?: (child: ChildSa) => void;
}

/** The profile but for the key exchange and the pre-shared key. */
export function makeProfile(suite: Profile["suite"]): Profile {
  return {
    suite,
    local: fqdn(DEVICE),
    remote: fqdn(GATEWAY),
    child: {
      cipher: suite.cipher,
      mode: "tunnel",
      local: host(DEVICE_ADDRESS),
      remote: net(GATEWAY_NETWORK, GATEWAY_PREFIX),
    },
    extensions: [resumption(), qcd()],
  };
}

export function part(kind: number, octets: Uint8Array): Uint8Array {
  return concat([kind], octets16(octets.length), octets);
}

function partOf(event: Event): Uint8Array {
  if (event.type === "ticket") return part(TICKET, saveTicket(event.ticket));
  const { type, reason } = event as { type: string; reason?: string };
  return part(EVENT, ascii(reason ? `${type} ${reason}` : type));
}

/** Keeps the session of a step, and tells the rest. */
export function take(memory: Memory, step: Step): Uint8Array {
  memory.session = step.session;
  for (const event of step.events) if (event.type === "established") memory.established?.(event.child);
  return concat(
    ...step.send.map((datagram) => part(DATAGRAM, datagram)),
    ...step.events.map((event) => partOf(event)),
  );
}

/** Does what the core, resumption, crash detection and storage can do. */
export function obey(profile: Profile, memory: Memory, command: Uint8Array): Uint8Array {
  const argument = command.subarray(1);
  const session = memory.session!;
  switch (command[0]) {
    case RECEIVE:
      return take(memory, receive(profile, session, argument));
    case RESUME: {
      const ticket = loadTicket(argument.subarray(ENTROPY_LENGTH));
      return take(memory, resume(profile, ticket, ELAPSED, argument.subarray(0, ENTROPY_LENGTH)));
    }
    case CHECK_LIVENESS:
      return take(memory, checkLiveness(profile, session));
    case CLOSE:
      return take(memory, close(profile, session));
    case SAVE_SESSION:
      return part(RESULT, saveSession(session));
    case LOAD_SESSION:
      memory.session = loadSession(argument);
      return concat();
    case FORGET:
      memory.session = undefined;
      return concat();
    default:
      throw new Error("unknown command");
  }
}
