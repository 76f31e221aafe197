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
import { show } from "./json.ts";
import type { Gateway } from "./lab.ts";
import { openSocket, type Socket } from "./sockets.ts";

/** What happened, in this order: a call or a datagram from the gateway, then what came of it. */
export type Entry =
  | { readonly call: "initiate" | "timeout" | "checkLiveness" | "close" }
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
  checkLiveness(): void;
  close(): void;
  /** The next event of this type that nobody has waited for yet. */
  until<T extends Event["type"]>(
    type: T,
    milliseconds?: number,
  ): Promise<Extract<Event, { readonly type: T }>>;
}

/** All devices of one gateway. */
export interface Devices {
  start(profile: Profile, options?: { readonly ipv6?: boolean; readonly entropy?: Uint8Array }): Device;
  /** Forgets all devices that were started. */
  reset(): void;
}

const spiOf = (datagram: Uint8Array): string => Buffer.from(datagram.subarray(0, 8)).toString("hex");

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
  const running = new Map<string, { deliver(datagram: Uint8Array): void; stop(): void }>();
  const open = async (localAddress: string): Promise<Socket> => {
    const socket = await openSocket(gateway, { localAddress, localPort: 500 });
    socket.onMessage((datagram) => running.get(spiOf(datagram))?.deliver(datagram));
    return socket;
  };
  const sockets = { 4: await open(gateway.deviceAddress), 6: await open(gateway.deviceAddress6) };

  return {
    start(profile, { ipv6 = false, entropy = randomBytes(entropyLength(profile)) } = {}) {
      const device = runDevice(profile, entropy, sockets[ipv6 ? 6 : 4]);
      running.set(spiOf(device.session.spiI), device);
      return device;
    },
    reset() {
      for (const device of running.values()) device.stop();
      running.clear();
    },
  };
}

function runDevice(profile: Profile, entropy: Uint8Array, socket: Socket) {
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
      else socket.send(octets);
    }
    for (const event of step.events) {
      entries.push({ event });
      events.push(event);
    }
    if (step.wait === undefined) return;
    clearTimeout(timer);
    if (step.wait > 0) timer = setTimeout(() => call("timeout", timeout(profile, session)), step.wait);
  }

  function call(name: "initiate" | "timeout" | "checkLiveness" | "close", step: Step): void {
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
  call("initiate", initiate(profile, entropy));
  return device as typeof device & Device;
}
