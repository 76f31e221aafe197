/**
 * A fleet and its gateway in virtual time: every message is made and read by the library, as on a device. All devices
 * are connected; the gateway loses its state, and is away for a while; then all of them come back.
 */

import {
  checkLiveness,
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
  timeout,
} from "ikelet";
import { keyPad } from "ikelet/keys.js";
import { qcd } from "ikelet/qcd.js";
import { afterResume, resume, resumeEntropyLength, resumption, type Ticket } from "ikelet/resumption.js";
import { makeAgenda } from "./agenda.ts";
import { type Gateway, makeGateway } from "./gateway.ts";
import { type Random, seeded } from "./random.ts";
import { SUITE } from "./stand-ins.ts";

/** What the devices and the gateway have. */
export interface Variant {
  readonly name: string;
  readonly crashDetection: boolean;
  readonly resumption: boolean;
}

export const VARIANTS: readonly Variant[] = [
  { name: "no extension", crashDetection: false, resumption: false },
  { name: "crash detection", crashDetection: true, resumption: false },
  { name: "resumption", crashDetection: false, resumption: true },
  { name: "both", crashDetection: true, resumption: true },
];

/** Times are milliseconds. */
export interface World {
  /** Diffie-Hellman operations and messages that the gateway can do in a second. */
  readonly operationsPerSecond: number;
  readonly messagesPerSecond: number;
  /** How many datagrams wait for it; what comes beyond that is lost. */
  readonly backlog: number;
  /** From the crash until it answers again. */
  readonly outage: number;
  /** How often a device asks for liveness; it begins at a random time. 0: nobody asks, all begin anew. */
  readonly checkEvery: number;
  /** If all begin anew: over how long a time they spread themselves. */
  readonly spread: number;
  /** Each session stretches its waits by another part, as the library does; without, all repeat in step. */
  readonly jitter: boolean;
  /** Part of the datagrams that are lost on the way. */
  readonly loss: number;
}

export const WORLD: World = {
  operationsPerSecond: 1000,
  messagesPerSecond: 20_000,
  backlog: 1000,
  outage: 10_000,
  checkEvery: 60_000,
  spread: 0,
  jitter: true,
  loss: 0.01,
};

export interface Outcome {
  /** Milliseconds from the return of the gateway until each device was back, in order. */
  readonly recovered: readonly number[];
  /** Of the gateway. */
  readonly operations: number;
  readonly messages: number;
  /** Lost before a full queue. */
  readonly dropped: number;
  /** IKE messages, both ways, without UDP and IP. */
  readonly octets: number;
  /** Full handshakes that devices began. */
  readonly handshakes: number;
}

/** One way, for a device. */
const SHORTEST_LATENCY = 10;
const LATENCY_RANGE = 50;
/** Nobody has to wait longer in any sensible world. */
const END = 4 * 3600_000;

const IDENTITY = fqdn("gw.example");
const PSK_PAD = keyPad(SUITE.prf, new Uint8Array(32).fill(0x5a));
/** Both are asked for before the crash; a variant then uses what it has. */
const BOTH: Variant = VARIANTS[3]!;

interface Member {
  readonly index: number;
  readonly session: Session;
  readonly ticket: Ticket;
}

/** All devices, connected: plain data, so that each variant begins with the same. */
export interface Fleet {
  readonly seed: number;
  readonly members: readonly Member[];
}

const RESUMPTION = resumption();
const CRASH_DETECTION = qcd();

function profileOf(index: number, variant: Variant): Profile {
  return {
    suite: SUITE,
    local: fqdn(`device-${index}.example`),
    remote: IDENTITY,
    pskPad: PSK_PAD,
    child: {
      cipher: SUITE.cipher,
      mode: "tunnel",
      local: host([10, index >> 16, (index >> 8) & 255, index & 255]),
      remote: net([10, 99, 0, 0], 16),
    },
    extensions: [
      ...(variant.resumption ? [RESUMPTION] : []),
      ...(variant.crashDetection ? [CRASH_DETECTION] : []),
    ],
  };
}

function gatewayOf(seed: number, variant: Variant): Gateway {
  // The same seed, and so the same keys of tickets and tokens as before the crash.
  const abilities = { tickets: variant.resumption, tokens: variant.crashDetection };
  return makeGateway(IDENTITY, PSK_PAD, seeded(seed), abilities);
}

export function connectFleet(devices: number, seed: number, show: (text: string) => void = () => {}): Fleet {
  const gateway = gatewayOf(seed, BOTH);
  const random = seeded(seed + 1);
  const members: Member[] = [];
  for (let index = 0; index < devices; index++) {
    const profile = profileOf(index, BOTH);
    let step = initiate(profile, random.octets(entropyLength(profile)));
    step = receive(profile, step.session, gateway.receive(step.send[0]!)!);
    step = receive(profile, step.session, gateway.receive(step.send[0]!)!);
    const granted = step.events.find((event) => event.type === "ticket");
    if (granted?.type !== "ticket" || step.session.state !== "established")
      throw new Error(`device ${index} is not connected`);
    members.push({ index, session: step.session, ticket: granted.ticket });
    // What is not connected any more needs no memory.
    gateway.crash();
    if (index % 1000 === 0) show(`connecting ${index} of ${devices} devices`);
  }
  return { seed, members };
}

interface Device {
  readonly profile: Profile;
  readonly latency: number;
  session: Session;
  ticket: Ticket | undefined;
  /** The ticket that is being presented. */
  presented: Ticket | undefined;
  /** Counts the timers: only the last one that was set is good. */
  timer: number;
}

/** The gateway as a queue: one thing after the other, each with its cost. */
interface Desk {
  /** When each of those that wait will be done. */
  readonly done: number[];
  first: number;
  busyUntil: number;
}

export function simulate(
  fleet: Fleet,
  variant: Variant,
  world: World = WORLD,
  show: (text: string) => void = () => {},
): Outcome {
  const random: Random = seeded(fleet.seed + 2);
  const agenda = makeAgenda();
  const gateway = gatewayOf(fleet.seed, variant);
  const desk: Desk = { done: [], first: 0, busyUntil: 0 };
  const recovered: number[] = [];
  const size = fleet.members.length;
  let messages = 0;
  let dropped = 0;
  let octets = 0;
  let handshakes = 0;

  function arrive(device: Device, datagram: Uint8Array): void {
    const { now } = agenda;
    if (now < world.outage) return;
    while (desk.done[desk.first]! <= now) desk.first++;
    if (desk.done.length - desk.first >= world.backlog) {
      dropped++;
      return;
    }
    messages++;
    const before = gateway.operations;
    const reply = gateway.receive(datagram);
    const operations = gateway.operations - before;
    const cost = 1000 / world.messagesPerSecond + (operations * 1000) / world.operationsPerSecond;
    desk.busyUntil = Math.max(desk.busyUntil, now) + cost;
    desk.done.push(desk.busyUntil);
    if (!reply) return;
    octets += reply.length;
    if (random.fraction() >= world.loss)
      agenda.after(desk.busyUntil - now + device.latency, () =>
        perform(device, receive(device.profile, device.session, reply)),
      );
  }

  function perform(device: Device, step: Step): void {
    device.session = step.session;
    for (const datagram of step.send) {
      octets += datagram.length;
      if (random.fraction() >= world.loss) agenda.after(device.latency, () => arrive(device, datagram));
    }
    if (step.wait !== undefined) {
      const timer = ++device.timer;
      if (step.wait)
        agenda.after(step.wait, () => {
          if (timer === device.timer) perform(device, timeout(device.profile, device.session));
        });
    }
    for (const event of step.events) handle(device, event);
  }

  function handle(device: Device, event: Event): void {
    if (event.type === "ticket") device.ticket = event.ticket;
    if (event.type === "established") {
      recovered.push(agenda.now - world.outage);
      if (recovered.length % 1000 === 0)
        show(`${variant.name}: ${recovered.length} of ${size} devices are back`);
    }
    if (event.type === "closed") {
      if (event.reason !== "timeout" && event.reason !== "crashed")
        throw new Error(`a device was closed: ${event.reason}`);
      const { presented } = device;
      recover(device, presented ? afterResume(presented, event) : device.ticket);
    }
  }

  /** The octet of SPIi that stretches the waits is the eighth. */
  function freshEntropy(length: number): Uint8Array {
    const entropy = random.octets(length);
    if (!world.jitter) entropy[7] = 0;
    return entropy;
  }

  function recover(device: Device, ticket: Ticket | undefined): void {
    const { profile } = device;
    device.presented = variant.resumption ? ticket : undefined;
    if (device.presented) {
      const entropy = freshEntropy(resumeEntropyLength(profile));
      perform(device, resume(profile, device.presented, agenda.now / 1000, entropy));
    } else {
      handshakes++;
      perform(device, initiate(profile, freshEntropy(entropyLength(profile))));
    }
  }

  for (const { index, session, ticket } of fleet.members) {
    const device: Device = {
      profile: profileOf(index, variant),
      latency: SHORTEST_LATENCY + LATENCY_RANGE * random.fraction(),
      session,
      ticket,
      presented: undefined,
      timer: 0,
    };
    if (world.checkEvery)
      agenda.after(world.checkEvery * random.fraction(), () =>
        perform(device, checkLiveness(device.profile, device.session)),
      );
    else agenda.after(world.outage + world.spread * random.fraction(), () => recover(device, ticket));
  }
  while (recovered.length < size && agenda.step(END));
  const { operations } = gateway;
  return { recovered, operations, messages, dropped, octets, handshakes };
}
