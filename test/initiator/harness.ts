/** A device and a gateway on a wire that the test holds in its hands. */

import { createHash } from "node:crypto";
import {
  type Event,
  entropyLength,
  fqdn,
  host,
  initiate,
  net,
  type Profile,
  receive,
  type Session,
  type Step,
} from "ikelet";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import {
  createResponder,
  fqdn as gatewayFqdn,
  type Options,
  type Responder,
  seededRandom,
} from "../responder/index.ts";

export const PSK: Uint8Array = new Uint8Array(32).fill(0x5a);

/**
 * Octets that look random and are the same in every run. Of the entropy of a session the eighth octet stretches the
 * waits: 0 leaves them as the profile has them.
 */
export function octets(length: number, seed: string = "entropy"): Uint8Array {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) blocks.push(createHash("sha256").update(`${seed} ${i}`).digest());
  const found = new Uint8Array(Buffer.concat(blocks).subarray(0, length));
  found[7] = 0;
  return found;
}

export function makeProfile(changes: Partial<Profile> = {}): Profile {
  return {
    suite: { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519 },
    local: fqdn("device.example"),
    remote: fqdn("gw.example"),
    psk: PSK,
    child: {
      cipher: chacha20Poly1305,
      mode: "tunnel",
      local: host([10, 1, 0, 7]),
      remote: net([10, 99, 0, 0], 16),
    },
    ...changes,
  };
}

export function makeGateway(options: Partial<Options> = {}): Responder {
  return createResponder({
    psk: PSK,
    local: gatewayFqdn("gw.example"),
    remote: gatewayFqdn("device.example"),
    random: seededRandom("gateway"),
    ...options,
  });
}

/** A device whose steps follow one another. */
export interface Device {
  readonly profile: Profile;
  session: Session;
  /** The latest step. */
  step: Step;
  /** All events so far, the passed-over datagrams left out. */
  readonly events: Event[];
}

export function makeDevice(changes: Partial<Profile> = {}, seed?: string): Device {
  const profile = makeProfile(changes);
  const step = initiate(profile, octets(entropyLength(profile), seed));
  return { profile, session: step.session, step, events: [...step.events] };
}

/** More than any test takes: a session that does not end is an error, too. */
const MOST_STEPS = 20_000;
const stepsTaken = new WeakMap<Device, number>();

/** Takes a step of the device. */
export function take(device: Device, step: Step): Step {
  const count = (stepsTaken.get(device) ?? 0) + 1;
  if (count > MOST_STEPS) throw new Error("the session does not end");
  stepsTaken.set(device, count);
  device.step = step;
  device.session = step.session;
  device.events.push(...step.events.filter(({ type }) => type !== "ignored"));
  return step;
}

export function deliver(device: Device, ...datagrams: readonly Uint8Array[]): Step {
  for (const datagram of datagrams) take(device, receive(device.profile, device.session, datagram));
  return device.step;
}

/** Carries datagrams to and fro until nobody has anything to say; a run that does not end is an error. */
export function exchange(
  device: Device,
  gateway: Responder,
  send: readonly Uint8Array[] = device.step.send,
): void {
  let rounds = 0;
  let inFlight = [...send];
  while (inFlight.length) {
    if (++rounds > 20) throw new Error("the exchange does not end");
    const replies = inFlight.flatMap((datagram) => gateway.receive(datagram));
    inFlight = replies.flatMap((datagram) => [...deliver(device, datagram).send]);
  }
}

/** Device and gateway after the whole handshake. */
export function connect(
  changes: Partial<Profile> = {},
  options: Partial<Options> = {},
): { device: Device; gateway: Responder } {
  const device = makeDevice(changes);
  const gateway = makeGateway(options);
  exchange(device, gateway);
  return { device, gateway };
}

/** The event of a type, which has to have happened exactly once. */
export function only<T extends Event["type"]>(
  events: readonly Event[],
  type: T,
): Extract<Event, { type: T }> {
  const found = events.filter((event): event is Extract<Event, { type: T }> => event.type === type);
  if (found.length !== 1) throw new Error(`expected one event ${type}, got ${JSON.stringify(events)}`);
  return found[0]!;
}
