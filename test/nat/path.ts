/** The way between device and gateway: addresses, NATs, and a driver with a socket on port 500 and one on 4500. */

import assert from "node:assert/strict";
import { type Event, entropyLength, initiate, type Profile, receive, type Session, type Step } from "ikelet";
import { sha1 } from "ikelet/crypto/sha1.js";
import { type Endpoint, type Nat, type NatOptions, nat, unframe } from "ikelet/nat.js";
import { makeGateway, makeProfile, octets } from "../initiator/harness.ts";
import { concat, type Options, type Responder } from "../responder/index.ts";

/** The device as it knows itself, and the gateway as the device knows it. */
export const DEVICE: Endpoint = { address: new Uint8Array([10, 0, 0, 2]), port: 500 };
export const GATEWAY: Endpoint = { address: new Uint8Array([192, 0, 2, 1]), port: 500 };
/** The device behind its NAT as the gateway sees it, and the gateway behind its own as it knows itself. */
export const MAPPED: Endpoint = { address: new Uint8Array([203, 0, 113, 9]), port: 1024 };
export const INNER: Endpoint = { address: new Uint8Array([10, 5, 0, 1]), port: 500 };

export interface Behind {
  readonly device?: boolean;
  readonly gateway?: boolean;
}

/** What the gateway sees of the path. */
export function ends(behind: Behind = {}): NonNullable<Options["nat"]> {
  return { local: behind.gateway ? INNER : GATEWAY, remote: behind.device ? MAPPED : DEVICE };
}

export function traversing(options: Partial<NatOptions> = {}): Nat {
  return nat({ sha1, local: DEVICE, remote: GATEWAY, ...options });
}

/** A UDP packet: the socket of the device that it left or came to, the other end, and the payload. */
export interface Packet {
  readonly port: number;
  readonly peer: Endpoint;
  readonly payload: Uint8Array;
}

/** The driver that the documentation of `nat` shows. */
export class Driver {
  readonly traversal: Nat;
  readonly profile: Profile;
  session: Session;
  moved: Endpoint | undefined;
  wait: number | undefined;
  /** All that was sent, and what of it nobody has taken away yet. */
  readonly sent: Packet[] = [];
  inFlight: Packet[] = [];
  readonly events: Event[] = [];

  constructor(traversal: Nat, changes: Partial<Profile> = {}) {
    this.traversal = traversal;
    this.profile = makeProfile({ extensions: [traversal], ...changes });
    const step = initiate(this.profile, octets(entropyLength(this.profile)));
    this.session = step.session;
    this.perform(step);
  }

  perform(step: Step, from?: Endpoint): void {
    if (from && this.traversal.follows(step.session, this.session)) this.moved = from;
    this.session = step.session;
    const port = this.traversal.port(step.session);
    for (const datagram of step.send) {
      const peer = datagram === step.session.response ? from : (this.moved ?? { ...GATEWAY, port });
      if (!peer) throw new Error("an answer to nothing");
      const packet = { port, peer, payload: this.traversal.frame(step.session, datagram) };
      this.sent.push(packet);
      this.inFlight.push(packet);
    }
    this.wait = step.wait ?? this.wait;
    this.events.push(...step.events);
  }

  arrived({ port, peer, payload }: Packet): void {
    const found = unframe(payload, port);
    if (found?.type === "ike") this.perform(receive(this.profile, this.session, found.datagram), peer);
  }
}

const MARKER = new Uint8Array(4);

/** The gateway's end: takes off and puts on the marker on port 4500, and answers to where a message came from. */
export function serve(gateway: Responder, { port, peer, payload }: Packet): Packet[] {
  const marked = port !== 500;
  if (marked) assert.deepEqual(payload.slice(0, 4), MARKER, "no marker");
  return gateway
    .receive(marked ? payload.slice(4) : payload)
    .map((reply) => ({ port, peer, payload: marked ? concat(MARKER, reply) : reply }));
}

/** Carries packets until nobody has anything to say. */
export function carry(driver: Driver, gateway: Responder): void {
  for (let rounds = 0; driver.inFlight.length; rounds++) {
    if (rounds > 20) throw new Error("the exchange does not end");
    const packets = driver.inFlight;
    driver.inFlight = [];
    for (const reply of packets.flatMap((packet) => serve(gateway, packet))) driver.arrived(reply);
  }
}

/** A driver and a gateway after the handshake. */
export function drive(
  behind: Behind,
  natOptions: Partial<NatOptions> = {},
  changes: Partial<Profile> = {},
  options: Partial<Options> = {},
): { driver: Driver; gateway: Responder; traversal: Nat } {
  const traversal = traversing(natOptions);
  const driver = new Driver(traversal, changes);
  const gateway = makeGateway({ nat: ends(behind), ...options });
  carry(driver, gateway);
  assert.equal(driver.session.state, "established");
  assert.deepEqual(gateway.violations, []);
  assert.deepEqual(gateway.ignored, []);
  return { driver, gateway, traversal };
}
