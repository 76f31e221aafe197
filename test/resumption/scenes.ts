/** A device with a ticket, and how it comes back with it. */

import assert from "node:assert/strict";
import type { Event, Profile } from "ikelet";
import {
  type ResumptionOptions,
  resume,
  resumeEntropyLength,
  resumption,
  type Ticket,
} from "ikelet/resumption.js";
import {
  connect,
  type Device,
  deliver,
  exchange,
  makeDevice,
  makeProfile,
  octets,
  only,
} from "../initiator/harness.ts";
import {
  findNotify,
  type Notification,
  type Options,
  type Responder,
  type Seen,
  type TicketOptions,
} from "../responder/index.ts";

export function resumable(changes: Partial<Profile> = {}): Partial<Profile> {
  return { extensions: [resumption()], ...changes };
}

/** A profile that can do nothing but resume. */
export function frugal(changes: Partial<Profile> = {}): Profile {
  const { psk: _, suite, ...rest } = makeProfile(resumable(changes));
  const { keyExchange: __, ...others } = suite;
  return { ...rest, suite: others };
}

/** After a full handshake that brought a ticket. */
export function granted(
  tickets: TicketOptions = {},
  options: Partial<Options> = {},
  changes: Partial<Profile> = {},
): { device: Device; gateway: Responder; ticket: Ticket } {
  const { device, gateway } = connect(resumable(changes), { tickets, ...options });
  only(device.events, "established");
  assert.deepEqual(gateway.violations, []);
  return { device, gateway, ticket: only(device.events, "ticket").ticket };
}

let attempts = 0;

/** A device that has sent IKE_SESSION_RESUME. */
export function present(
  ticket: Ticket,
  profile: Profile = makeProfile(resumable()),
  elapsed: number = 0,
  options?: ResumptionOptions,
): Device {
  const entropy = octets(resumeEntropyLength(profile), `resumption ${attempts++}`);
  const step = resume(profile, ticket, elapsed, entropy, options);
  return { profile, session: step.session, step, events: [...step.events] };
}

/** The whole of a resumption, in which neither side has anything to complain about. */
export function resumed(gateway: Responder, ticket: Ticket, profile?: Profile, elapsed?: number): Device {
  const device = present(ticket, profile, elapsed);
  exchange(device, gateway);
  only(device.events, "established");
  assert.deepEqual(gateway.violations, []);
  return device;
}

/** The device makes a full handshake with a gateway that may know it. */
export function reconnect(gateway: Responder, seed: string, changes: Partial<Profile> = {}): Device {
  const device = makeDevice(resumable(changes), seed);
  exchange(device, gateway);
  only(device.events, "established");
  return device;
}

/** The gateway has answered IKE_SESSION_RESUME, and the device has sent the request of IKE_AUTH. */
export function halfResumed(
  tickets: TicketOptions = {},
  options: Partial<Options> = {},
): { device: Device; gateway: Responder; ticket: Ticket; request: Uint8Array } {
  const { gateway, ticket } = granted(tickets, options);
  const device = present(ticket);
  const [response] = gateway.receive(device.step.send[0]!);
  deliver(device, response!);
  assert.equal(device.session.state, "authenticating");
  return { device, gateway, ticket, request: device.step.send[0]! };
}

/** What the gateway has read of an exchange type, the latest last. */
export function read(gateway: Responder, exchangeType: number): Seen[] {
  return gateway.log.filter(({ direction, exchange: type }) => direction === "in" && type === exchangeType);
}

export function notified({ payloads }: Seen, type: number): Notification | undefined {
  return findNotify(payloads, type);
}

export function types(events: readonly Event[]): string[] {
  return events.map(({ type }) => type);
}
