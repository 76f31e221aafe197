// The library on the device's side of the lab: sends what a step wants sent, keeps the one timer, notes all that happens.

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  checkLiveness,
  close,
  type Event,
  entropyLength,
  initiate,
  type Profile,
  receive,
  type Session,
  type Step,
  timeout,
} from "ikelet";
import { type Nat, unframe } from "ikelet/nat.js";
import { type ResumptionOptions, resume, resumeEntropyLength, type Ticket } from "ikelet/resumption.js";
import { show } from "./json.ts";
import type { Gateway } from "./lab.ts";
import { openSocket } from "./sockets.ts";

type Call = "initiate" | "resume" | "timeout" | "checkLiveness" | "close";

/** What happened, in this order: a call or a datagram from the gateway, then what came of it. */
export type Entry =
  | { readonly call: Call }
  | { readonly direction: "in" | "out"; readonly octets: Uint8Array }
  | { readonly event: Event };

export interface Device {
  readonly profile: Profile;
  readonly session: Session;
  readonly entries: readonly Entry[];
  readonly events: readonly Event[];
  readonly sent: readonly Uint8Array[];
  readonly received: readonly Uint8Array[];
  /** How many of the next datagrams get lost on the way, each direction. */
  lose: { in: number; out: number };
  /** Takes ESP packets of its SA. */
  onPacket: (packet: Uint8Array, form: EspForm) => void;
  /** Sends an ESP packet in the form that its extension for NATs says, by itself without one. */
  sendPacket(packet: Uint8Array): void;
  checkLiveness(): void;
  close(): void;
  /** The next event of this type that nobody has waited for yet. */
  until<T extends Event["type"]>(
    type: T,
    milliseconds?: number,
  ): Promise<Extract<Event, { readonly type: T }>>;
}

/** ESP as an IP protocol of its own, or inside of UDP. */
export type EspForm = "raw" | "udp";

export interface StartOptions {
  readonly ipv6?: boolean;
  readonly entropy?: Uint8Array;
  /** Stands in `extensions` of the profile, too. */
  readonly nat?: Nat | undefined;
  /** Resumes with it in place of a full handshake. */
  readonly ticket?: Ticket;
  readonly resumption?: ResumptionOptions;
}

/** All devices of one gateway. */
export interface Devices {
  start(profile: Profile, options?: StartOptions): Device;
  /** Forgets all devices that were started. */
  reset(): void;
}

const spiOf = (datagram: Uint8Array): string => Buffer.from(datagram.subarray(0, 8)).toString("hex");

/** The device's end of the link in one IP version. */
interface Link {
  send(port: number, payload: Uint8Array): void;
  sendEsp(packet: Uint8Array): void;
}

/** Waits until `find` finds something. */
export async function eventually<T>(
  what: string,
  find: () => T | undefined | false | Promise<T | undefined | false>,
  milliseconds = 8000,
): Promise<T> {
  for (const end = Date.now() + milliseconds; ; await sleep(5)) {
    const found = await find();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${milliseconds} ms in vain: ${what}`);
  }
}

export async function openDevices(gateway: Gateway): Promise<Devices> {
  const running = new Map<string, ReturnType<typeof runDevice>>();

  function deliver(payload: Uint8Array, port: number): void {
    const found = unframe(payload, port);
    if (found?.type === "ike") running.get(spiOf(found.datagram))?.deliver(found.datagram);
    if (found?.type === "esp") deliverEsp(found.datagram, "udp");
  }

  function deliverEsp(packet: Uint8Array, form: EspForm): void {
    const spi = Buffer.from(packet).readUInt32BE();
    for (const device of running.values())
      if (device.session.child?.spiIn === spi) device.onPacket(packet, form);
  }

  async function open(localAddress: string): Promise<Link> {
    const udp = (port: number) => openSocket(gateway, { localAddress, localPort: port, remotePort: port });
    const [ike, natted, esp] = await Promise.all([
      udp(500),
      udp(4500),
      openSocket(gateway, { localAddress, protocol: "esp" }),
    ]);
    ike.onMessage((payload) => deliver(payload, 500));
    natted.onMessage((payload) => deliver(payload, 4500));
    esp.onMessage((packet) => deliverEsp(packet, "raw"));
    return {
      send: (port, payload) => (port === 4500 ? natted : ike).send(payload),
      sendEsp: (packet) => esp.send(packet),
    };
  }
  const links = { 4: await open(gateway.deviceAddress), 6: await open(gateway.deviceAddress6) };

  return {
    start(profile, options = {}) {
      const device = runDevice(profile, options, links[options.ipv6 ? 6 : 4]);
      running.set(spiOf(device.session.spiI), device);
      return device;
    },
    reset() {
      for (const device of running.values()) device.stop();
      running.clear();
    },
  };
}

function begin(profile: Profile, { ticket, resumption, entropy }: StartOptions): Step {
  return ticket
    ? resume(profile, ticket, 0, entropy ?? randomBytes(resumeEntropyLength(profile)), resumption)
    : initiate(profile, entropy ?? randomBytes(entropyLength(profile)));
}

function runDevice(profile: Profile, options: StartOptions, link: Link) {
  const { nat } = options;
  const entries: Entry[] = [];
  const events: Event[] = [];
  const sent: Uint8Array[] = [];
  const received: Uint8Array[] = [];
  const waitedFor = new Set<Event>();
  const lose = { in: 0, out: 0 };
  let session: Session;
  let timer: NodeJS.Timeout | undefined;

  function take(step: Step): void {
    session = step.session;
    for (const octets of step.send) {
      entries.push({ direction: "out", octets });
      sent.push(octets);
      if (lose.out > 0) lose.out--;
      else link.send(nat?.port(session) ?? 500, nat?.frame(session, octets) ?? octets);
    }
    for (const event of step.events) {
      entries.push({ event });
      events.push(event);
    }
    if (step.wait === undefined) return;
    clearTimeout(timer);
    if (step.wait > 0) timer = setTimeout(() => call("timeout", timeout(profile, session)), step.wait);
  }

  function call(name: Call, step: Step): void {
    entries.push({ call: name });
    take(step);
  }

  const device = {
    profile,
    get session() {
      return session;
    },
    entries,
    events,
    sent,
    received,
    lose,
    onPacket(_packet: Uint8Array, _form: EspForm) {},
    sendPacket(packet: Uint8Array) {
      if (nat?.encapsulates(session)) link.send(4500, packet);
      else link.sendEsp(packet);
    },
    checkLiveness: () => call("checkLiveness", checkLiveness(profile, session)),
    close: () => call("close", close(profile, session)),
    async until<T extends Event["type"]>(type: T, milliseconds?: number) {
      const isNew = (event: Event): event is Extract<Event, { readonly type: T }> =>
        event.type === type && !waitedFor.has(event);
      const found = await eventually(
        `event ${type}`,
        () => events.find(isNew) ?? (session.state === "closed" && "closed"),
        milliseconds,
      ).catch((error: Error) => {
        const traffic = `${sent.length} datagrams sent, ${received.length} received`;
        throw new Error(`${error.message}; ${traffic}; events so far: ${show(events)}`);
      });
      if (found === "closed") throw new Error(`no event ${type} before the end: ${show(events)}`);
      waitedFor.add(found);
      return found;
    },
    deliver(octets: Uint8Array) {
      received.push(octets);
      if (lose.in > 0) {
        lose.in--;
        return;
      }
      entries.push({ direction: "in", octets });
      take(receive(profile, session, octets));
    },
    stop: () => clearTimeout(timer),
  };
  call(options.ticket ? "resume" : "initiate", begin(profile, options));
  return device as typeof device & Device;
}
