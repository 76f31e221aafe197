/**
 * The power fails: before and after every datagram and every write to flash, and in the middle of each write. The
 * device starts again from what was stored last, by the rules that `saveSession` documents, and has to come back; and
 * over its whole life nothing on the wire may be there twice that must not. That is judged by the datagrams alone.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
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
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import { type InboundSa, inboundSa, type OutboundSa, open, outboundSa, seal } from "ikelet/esp.js";
import {
  afterResume,
  requestTicket,
  resume,
  resumeEntropyLength,
  ticketSurvives,
} from "ikelet/resumption.js";
import {
  loadSa,
  loadSession,
  loadTicket,
  saveAwake,
  saveSa,
  saveSession,
  saveTicket,
} from "ikelet/storage.js";
import { makeGateway, makeProfile, octets } from "../initiator/harness.ts";
import {
  equal,
  hex,
  openEsp,
  ReplayWindow,
  type Responder,
  readU32,
  type Sa,
  sealEsp,
  towardsDevice,
  towardsGateway,
} from "../responder/index.ts";
import { resumable } from "../resumption/scenes.ts";

class PowerCut extends Error {}

/** What survives: records by name. A write takes time, and half of a record may be there when the power fails. */
type Flash = Record<string, Uint8Array>;

/** How a device stores; one of the two documented ways, or a wrong one. */
interface Way {
  /** What is stored of an established session whenever one is up or awake; nothing to leave it as it is. */
  readonly up?: (session: Session) => Uint8Array;
  /** What is stored before the datagrams of a step go out. */
  readonly step?: (session: Session) => Uint8Array;
  /** Packets between two writes of the outbound SA. */
  readonly leap: number;
}

const SELDOM: Way = { up: saveAwake, leap: 4 };
const ALWAYS: Way = { up: saveSession, step: saveSession, leap: 4 };

/** The power, the link, and what the wire has seen. */
class World {
  readonly way: Way;
  readonly gateway: Responder;
  readonly wire: Uint8Array[] = [];
  readonly flash: Flash = {};
  private ticks = 0;
  private readonly cuts: number[];
  private entropy = 0;
  private readonly windows: Record<string, ReplayWindow> = {};
  private readonly sequences: Record<string, number> = {};

  constructor(way: Way, cuts: readonly number[]) {
    this.way = way;
    this.cuts = [...cuts];
    this.gateway = makeGateway({ tickets: { lifetime: 1e6 } });
  }

  /** A moment in which the power may fail. */
  tick(): void {
    if (this.cuts[0] !== this.ticks++) return;
    this.cuts.shift();
    throw new PowerCut();
  }

  get time(): number {
    return this.ticks;
  }

  random(length: number): Uint8Array {
    return octets(length, `random ${this.entropy++}`);
  }

  write(name: string, record: Uint8Array | undefined): void {
    this.tick();
    if (record) {
      this.flash[name] = record.slice(0, record.length >> 1);
      this.tick();
      this.flash[name] = record.slice();
    } else delete this.flash[name];
    this.tick();
  }

  /** To the gateway and back, without loss. */
  send(datagram: Uint8Array): Uint8Array[] {
    this.tick();
    this.wire.push(datagram.slice());
    const isIke = readU32(datagram, 24) === datagram.length && datagram[17] === 0x20;
    const replies = isIke ? this.gateway.receive(datagram) : this.esp(datagram);
    this.tick();
    return replies;
  }

  /** The SA that the gateway has for a packet, if any. */
  private esp(packet: Uint8Array): Uint8Array[] {
    const isFor = ({ stage, child }: Sa) => stage === "up" && child && equal(child.spiR, packet.slice(0, 4));
    const { child } = this.gateway.sas.find(isFor) ?? {};
    if (!child) return [];
    const spi = hex(child.spiR);
    const opened = openEsp(towardsGateway(child), packet);
    assert.notEqual(opened, undefined, "a packet that the gateway cannot open");
    this.windows[spi] ??= new ReplayWindow();
    if (!this.windows[spi].isFresh(opened!.sequence)) return [];
    this.windows[spi].accept(opened!.sequence);
    const echo = opened!.payload.slice();
    echo.set([...opened!.payload.slice(16, 20), ...opened!.payload.slice(12, 16)], 12);
    this.sequences[spi] = (this.sequences[spi] ?? 0) + 1;
    return [sealEsp(towardsDevice(child), this.sequences[spi], echo, 4)];
  }

  /** The gateway looks after the device, and forgets it when it does not answer. */
  ask(device: Device, request: (gateway: Responder) => Uint8Array): void {
    const { gateway } = this;
    const sa = gateway.sas.filter(({ stage }) => stage === "up").at(-1);
    if (!sa || sa !== gateway.sa) return;
    const count = gateway.answers.length;
    this.tick();
    device.arrived(request(gateway));
    this.tick();
    if (gateway.answers.length === count) sa.stage = "gone";
  }
}

const MESSAGE = Uint8Array.of(
  0x45,
  0,
  0,
  24,
  0,
  0,
  0,
  0,
  64,
  17,
  0,
  0,
  10,
  1,
  0,
  7,
  10,
  99,
  0,
  1,
  0,
  7,
  0,
  7,
);

/** The firmware between two losses of power: what is in here is lost with it. */
class Device {
  private readonly world: World;
  private readonly way: Way;
  private readonly profile: Profile = makeProfile(resumable());
  private session: Session | undefined;
  private outbound: OutboundSa | undefined;
  private inbound: InboundSa | undefined;
  private echoes = 0;
  private events: Event[] = [];

  constructor(world: World) {
    this.world = world;
    this.way = world.way;
  }

  /** A record, or nothing if there is none in order. */
  private load<T>(name: string, load: (record: Uint8Array) => T): T | undefined {
    try {
      return this.world.flash[name] && load(this.world.flash[name]);
    } catch (error) {
      assert.equal((error as { code: string }).code, "storage");
      return undefined;
    }
  }

  private storeUp(session: Session): void {
    const { up, leap } = this.way;
    if (this.outbound && this.inbound) {
      this.world.write("outbound", saveSa(this.outbound, leap));
      this.stored = this.outbound.sequence + leap;
      this.world.write("inbound", saveSa(this.inbound, 0));
    }
    if (up) this.world.write("session", up(session));
  }

  private stored = 0;

  start(): void {
    const session = this.load("session", loadSession);
    const outbound = this.load("outbound", loadSa<OutboundSa>);
    const inbound = this.load("inbound", loadSa<InboundSa>);
    const { child } = session ?? {};
    if (
      session &&
      child &&
      child.spiOut === outbound?.parameters.spi &&
      child.spiIn === inbound?.parameters.spi
    ) {
      this.session = session;
      this.outbound = outbound;
      this.inbound = inbound;
      this.storeUp(session);
      // What was asked when the power failed is asked again.
      if (session.request) this.perform(timeout(this.profile, session));
    } else this.connect();
  }

  /** By ticket, as long as there is hope, or from the beginning. */
  connect(): void {
    let ticket = this.load("ticket", loadTicket);
    while (ticket) {
      this.perform(resume(this.profile, ticket, 0, this.world.random(resumeEntropyLength(this.profile))));
      if (this.isUp) return;
      const end = this.events.at(-1)!;
      assert.equal(end.type, "closed");
      ticket = end.type === "closed" ? afterResume(ticket, end) : undefined;
    }
    this.perform(initiate(this.profile, this.world.random(entropyLength(this.profile))));
    assert.equal(this.isUp, true, "the full handshake fails");
  }

  private get isUp(): boolean {
    return this.session?.state === "established";
  }

  /** Takes a step, stores what it has to, sends, and waits until nothing is unanswered. */
  private perform(step: Step): void {
    this.take(step);
    while (this.session?.request) {
      this.world.tick();
      this.take(timeout(this.profile, this.session));
    }
  }

  private take({ session, send, events }: Step): void {
    const { world, way } = this;
    this.session = session;
    this.events.push(...events);
    for (const event of events) {
      if (event.type === "ticket") world.write("ticket", saveTicket(event.ticket));
      else if (!ticketSurvives(event)) world.write("ticket", undefined);
      if (event.type === "established") {
        this.outbound = outboundSa(event.child);
        this.inbound = inboundSa(event.child);
        this.storeUp(session);
      } else if (event.type === "closed" && this.world.flash.session) world.write("session", undefined);
    }
    if (way.step && session.state === "established" && send.length) world.write("session", way.step(session));
    for (const datagram of send) for (const reply of world.send(datagram)) this.arrived(reply);
  }

  arrived(datagram: Uint8Array): void {
    if (readU32(datagram, 24) === datagram.length) {
      if (this.session) this.take(receive(this.profile, this.session, datagram));
      return;
    }
    const opened = open(chacha20Poly1305, this.inbound!, datagram);
    this.inbound = opened.sa;
    if (!opened.reason) this.echoes++;
  }

  /** A packet, and its echo. Where none comes, the gateway is asked; if it is not there, a new session begins. */
  echo(): void {
    for (let attempt = 0; ; attempt++) {
      assert.equal(attempt < 3, true, "no echo");
      const before = this.echoes;
      if (this.outbound!.sequence >= this.stored && this.way.leap) {
        this.world.write("outbound", saveSa(this.outbound!, this.way.leap));
        this.stored = this.outbound!.sequence + this.way.leap;
      }
      const sealed = seal(chacha20Poly1305, this.outbound!, MESSAGE);
      assert.equal(sealed.reason, undefined);
      this.outbound = sealed.sa;
      for (const reply of this.world.send(sealed.packet!)) this.arrived(reply);
      if (this.echoes > before) return;
      this.check();
      // Alive, and yet no echo: the Child SA is lost.
      if (this.echoes === before && attempt) this.connect();
    }
  }

  check(): void {
    if (this.isUp) this.perform(checkLiveness(this.profile, this.session!));
    if (!this.isUp) this.connect();
  }

  freshTicket(): void {
    this.check();
    this.perform(requestTicket(this.profile, this.session!));
  }

  /** Orderly: the records are exact. */
  sleep(): void {
    this.world.write("outbound", saveSa(this.outbound!, 0));
    this.world.write("inbound", saveSa(this.inbound!, 0));
    this.world.write("session", saveSession(this.session!));
  }

  /** For good: nothing that is stored outlives the Delete. */
  logOut(): void {
    for (const name of ["ticket", "session", "outbound", "inbound"]) this.world.write(name, undefined);
    this.perform(close(this.profile, this.session!));
  }
}

type Task = (device: Device, world: World) => unknown;

const echo: Task = (device) => device.echo();
/** The device loses its memory, and starts. */
const awaken = (world: World): Device => {
  const device = new Device(world);
  device.start();
  return device;
};

/** All that a device does; each task is for a device that is up, and a new device takes the place of the old one. */
const TASKS: readonly Task[] = [
  ...new Array(3).fill(echo),
  (device) => device.check(),
  (device, world) => world.ask(device, (gateway) => gateway.liveness()),
  (device, world) => world.ask(device, (gateway) => gateway.rekeyChild()),
  ...new Array(6).fill(echo),
  (device) => device.freshTicket(),
  (device) => device.connect(),
  ...new Array(2).fill(echo),
  (device, world) => {
    device.sleep();
    return awaken(world);
  },
  (device) => device.check(),
  ...new Array(2).fill(echo),
  (device, world) => {
    device.logOut();
    return awaken(world);
  },
  echo,
];

interface Outcome {
  readonly world: World;
  readonly faults: string[];
  /** The longest way back: datagrams between a loss of power and the first echo after it. */
  readonly longest: number;
}

/** A life in which the power fails at these moments. */
function run(way: Way, cuts: readonly number[] = []): Outcome {
  const world = new World(way, cuts);
  let longest = 0;
  let todo = 0;
  let device: Device | undefined;
  let sentBefore: number | undefined;
  for (let starts = 0; todo < TASKS.length; starts++) {
    assert.equal(starts <= cuts.length, true, "too many starts");
    try {
      device = awaken(world);
      if (sentBefore !== undefined) {
        device.echo();
        longest = Math.max(longest, world.wire.length - sentBefore);
      }
      for (; todo < TASKS.length; todo++) {
        const next = TASKS[todo]!(device, world);
        if (next instanceof Device) device = next;
      }
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      sentBefore = world.wire.length;
    }
  }
  return { world, faults: faultsOf(world.wire), longest };
}

/** What is on the wire twice and must not be. */
function faultsOf(wire: readonly Uint8Array[]): string[] {
  const faults: string[] = [];
  const first: Record<string, string> = {};
  const once = (key: string, content: string, fault: string): void => {
    first[key] ??= content;
    if (first[key] !== content) faults.push(`${fault}: ${key}`);
  };
  wire.forEach((datagram, i) => {
    const content = hex(datagram);
    const spis = hex(datagram.slice(0, 16));
    if (readU32(datagram, 24) === datagram.length && datagram[17] === 0x20) {
      once(`${spis} ${datagram[19]! & 0x20} ${readU32(datagram, 20)}`, content, "Message ID");
      if (datagram[16] === 46) once(`${spis} ${hex(datagram.slice(32, 40))}`, content, "IV");
    } else {
      // No two packets are the same packet, not even octet by octet.
      once(`esp ${hex(datagram.slice(0, 8))}`, `${i}`, "sequence number");
      once(`esp IV ${hex(datagram.slice(0, 4))} ${hex(datagram.slice(8, 16))}`, content, "IV");
    }
  });
  return faults;
}

for (const [name, by] of Object.entries({ "stored seldom": SELDOM, "stored always": ALWAYS })) {
  test(`${name}: the power fails at every single moment, and nothing is used twice [9333-4-a]`, () => {
    const undisturbed = run(by);
    assert.deepEqual(undisturbed.faults, []);
    assert.deepEqual(undisturbed.world.gateway.violations, []);
    const moments = undisturbed.world.time;
    assert.equal(moments > 120, true, `${moments}`);
    let goesOn = 0;
    for (let moment = 0; moment < moments; moment++) {
      const { world, faults, longest } = run(by, [moment]);
      assert.deepEqual(faults, [], `cut at ${moment}`);
      assert.deepEqual(world.gateway.violations, [], `cut at ${moment}`);
      assert.equal(longest <= 16, true, `cut at ${moment}: ${longest} datagrams`);
      if (longest === 1) goesOn++;
    }
    // The Child SA goes on as if nothing had happened, wherever the power failed in the middle of its life.
    assert.equal(goesOn > moments / 3, true, `${goesOn} of ${moments}`);
  });

  test(`${name}: it fails twice, the second time on the way back`, () => {
    const moments = run(by).world.time;
    for (let moment = 1; moment < moments; moment += 5) {
      const second = moment + 1 + ((moment * 7) % 23);
      const { world, faults } = run(by, [moment, second]);
      assert.deepEqual(faults, [], `cut at ${moment} and ${second}`);
      assert.deepEqual(world.gateway.violations, [], `cut at ${moment} and ${second}`);
    }
  });
}

test("the check can fail: devices that store in another way are found out at the wire", () => {
  const wrong: Record<string, Way> = {
    // Exact, once, when the session is up: what is sent afterwards is sent again with other content.
    "IV|Message ID": { up: saveSession, leap: 4 },
    // No leap: the numbers since the last write are used again.
    "sequence number": { up: saveAwake, leap: 0 },
  };
  for (const [expected, by] of Object.entries(wrong)) {
    const found = new Set<string>();
    const moments = run(by).world.time;
    for (let moment = 0; moment < moments; moment += 3)
      for (const fault of run(by, [moment]).faults) found.add(fault.split(":")[0]!);
    for (const fault of expected.split("|")) assert.equal(found.has(fault), true, `${fault}: ${[...found]}`);
  }
});
