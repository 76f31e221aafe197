/** What somebody can do who sees every datagram and sends what he likes (RFC 6290 section 9). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, type Profile, receive, type Session } from "ikelet";
import { type Allowance, qcd, spend } from "ikelet/qcd.js";
import { resumption } from "ikelet/resumption.js";
import { type Device, deliver, exchange, octets, only, take } from "../initiator/harness.ts";
import { ask, inTheClear } from "../initiator/scenes.ts";
import { type Bytes, concat, type Payload, type Responder, tokenNotify } from "../responder/index.ts";
import {
  answer,
  assertCrashed,
  dump,
  invalidIkeSpi,
  invalidSpi,
  MAKER,
  resumeWith,
  taking,
  ticketOf,
} from "./scenes.ts";

/** Two sessions with one gateway, the first of which crashed, and all that was on the wire. */
function wiretapped(): { device: Device; gateway: Responder; wire: Bytes[]; lost: Bytes } {
  const { device, gateway } = taking({}, { extensions: [resumption(), qcd(MAKER)] });
  const wire: Bytes[] = [];
  const talk = (): void => {
    exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
    for (const request of [gateway.liveness(), gateway.informational([tokenNotify(octets(32, "fresh"))])]) {
      ask(device, gateway, request);
      wire.push(device.step.send[0]!);
    }
  };
  talk();
  const ticket = ticketOf(device.events);
  wire.push(...gateway.log.map(({ datagram }) => datagram));
  gateway.log.length = 0;
  gateway.crash();
  const [request] = take(device, checkLiveness(device.profile, device.session)).send;
  const [lost] = gateway.receive(request!);
  wire.push(request!, lost!);
  assertCrashed(device, lost!);
  resumeWith(device, gateway, ticket);
  talk();
  wire.push(...gateway.log.map(({ datagram }) => datagram));
  return { device, gateway, wire, lost: lost! };
}

/** The session stands, and both sides can talk. */
function assertStands(device: Device, gateway: Responder): void {
  device.events.length = 0;
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  only(device.events, "alive");
  assert.equal(device.session.state, "established");
}

/** What became of a datagram, in one word; nothing but an ignored event and repeated answers may come of it. */
function verdict({ profile, session }: Device, datagram: Bytes): string {
  const step = receive(profile, session, datagram);
  if (step.session !== session) return "the session changed";
  if (step.wait !== undefined) return "the timer changed";
  if (step.events.some(({ type }) => type !== "ignored")) return "an event";
  if (step.send.some((sent) => sent !== session.response)) return "something was sent";
  return "stands";
}

test("every datagram that was ever on the wire, once more, ends nothing", () => {
  const { device, gateway, wire, lost } = wiretapped();
  assert.equal(wire.length > 15, true);
  for (const datagram of wire) assert.equal(verdict(device, datagram), "stands");
  // The old answer with its good token, for the session of today.
  const { spiI, spiR, child } = device.session;
  assert.equal(verdict(device, concat(spiI, spiR, lost.slice(16))), "stands");
  const tokens = [lost.slice(-32)].map((token) => tokenNotify(token));
  for (const payload of [invalidIkeSpi, invalidSpi(child!.spiOut), invalidSpi(child!.spiIn)])
    assert.equal(verdict(device, inTheClear(device, [payload, ...tokens])), "stands");
  assertStands(device, gateway);
});

test("and so with any bit of it changed", () => {
  const { device, gateway, wire } = wiretapped();
  take(device, checkLiveness(device.profile, device.session));
  const verdicts: Record<string, number> = {};
  for (const datagram of wire)
    for (let bit = 0; bit < datagram.length * 8; bit++) {
      datagram[bit >> 3]! ^= 1 << (bit & 7);
      const found = verdict(device, datagram);
      verdicts[found] = (verdicts[found] ?? 0) + 1;
      datagram[bit >> 3]! ^= 1 << (bit & 7);
    }
  assert.deepEqual(Object.keys(verdicts), ["stands"]);
  exchange(device, gateway, [device.session.request!]);
  assertStands(device, gateway);
});

test("no octets of the wire are a token, wherever one cuts them", () => {
  const { device, gateway, wire } = wiretapped();
  const all = concat(...wire);
  const verdicts: Record<string, number> = {};
  for (const length of [16, 32, 64])
    for (let at = 0; at + length <= all.length; at += 8) {
      const tokens = Array.from({ length: 8 }, (_, i) => tokenNotify(all.slice(at + i, at + i + length)));
      const found = verdict(device, inTheClear(device, [invalidIkeSpi, ...tokens]));
      verdicts[found] = (verdicts[found] ?? 0) + 1;
    }
  assert.deepEqual(Object.keys(verdicts), ["stands"]);
  assertStands(device, gateway);
});

test("a token that is wrong in one bit is wrong", () => {
  const { device, gateway, token } = taking();
  const verdicts = new Set<string>();
  for (let bit = 0; bit < 256; bit++) {
    const wrong = token.slice();
    wrong[bit >> 3]! ^= 1 << (bit & 7);
    verdicts.add(verdict(device, answer(device, [wrong])));
  }
  assert.deepEqual([...verdicts], ["stands"]);
  assertStands(device, gateway);
  assertCrashed(device, answer(device, [token]));
});

/** A profile whose every computation is noted. */
function noting(profile: Profile): { profile: Profile; computed: string[] } {
  const computed: string[] = [];
  const noted = <T extends object>(algorithm: T): T => {
    const entries = Object.entries(algorithm).map(([name, value]) => [
      name,
      typeof value === "function"
        ? (...args: unknown[]) => {
            computed.push(name);
            return value(...args);
          }
        : value,
    ]);
    return Object.fromEntries(entries);
  };
  const { cipher, prf, keyExchange } = profile.suite;
  const suite = { cipher: noted(cipher), prf: noted(prf), keyExchange: noted(keyExchange!) };
  return { profile: { ...profile, suite }, computed };
}

test("ten thousand forged tokens compute nothing, grow nothing, and do not hide the right one", () => {
  const { device, gateway, token } = taking();
  const { profile, computed } = noting(device.profile);
  const watched: Device = { ...device, profile };
  const { session } = watched;
  const verdicts = new Set<string>();
  for (let i = 0; i < 1250; i++) {
    const forged: Payload[] = Array.from({ length: 8 }, (_, n) => tokenNotify(octets(32, `${i} ${n}`)));
    verdicts.add(verdict(watched, inTheClear(watched, [invalidIkeSpi, ...forged])));
  }
  // As many in one datagram as it can hold: eight are looked at.
  const crowd = Array.from({ length: 1500 }, () => tokenNotify(octets(32)));
  verdicts.add(verdict(watched, inTheClear(watched, [invalidIkeSpi, ...crowd])));
  // A token as long as a datagram costs no more than the one that it is compared with.
  verdicts.add(verdict(watched, inTheClear(watched, [tokenNotify(new Uint8Array(65_000))])));
  assert.deepEqual([...verdicts], ["stands"]);
  assert.deepEqual(computed, []);
  assert.equal(watched.session, session);
  assertCrashed({ ...watched }, answer(watched, [token]));
  assert.deepEqual(computed, []);
  assertStands(watched, gateway);
  assert.equal(computed.length > 0, true, "nothing is noted at all");
  assertCrashed(watched, answer(watched, [token]));
});

/** What the driver does with events, by a clock of the test's. */
function heeding(device: Device, interval: number): (datagram: Bytes, now: number) => Bytes[] {
  let hints: Allowance = { left: 1, at: 0 };
  return (datagram, now) => {
    const { events, send } = deliver(device, datagram);
    const sent = [...send];
    const { session } = device;
    if (session.state !== "established") return sent;
    if (!events.some((event) => event.type === "ignored" && event.reason === "hint")) return sent;
    const rest = spend(hints, now, 1, interval);
    if (!rest) return sent;
    hints = rest;
    return [...sent, ...take(device, checkLiveness(device.profile, session)).send];
  };
}

test("a hundred hints in a second, one liveness check; in an hour as many as the interval allows [6290-8.2-b]", () => {
  const { device, gateway } = taking();
  const { spiOut } = device.session.child!;
  const hints = [
    inTheClear(device, [invalidIkeSpi]),
    inTheClear(device, [invalidSpi(spiOut)], { spiI: new Uint8Array(8), flags: 0x08 }),
    inTheClear(device, [invalidSpi(spiOut), tokenNotify(octets(32))]),
    answer(device, [octets(32)]),
  ];
  const heed = heeding(device, 60_000);
  const flood = (from: number, to: number, every: number): number => {
    let checks = 0;
    for (let now = from; now < to; now += every) {
      const sent = heed(hints[(now / every) & 3]!, now);
      checks += sent.length;
      exchange(device, gateway, sent);
    }
    return checks;
  };
  assert.equal(flood(0, 1000, 10), 1);
  assert.equal(flood(1000, 3_600_000, 1000), 59);
  assert.equal(gateway.sa.stage, "up");
  assertStands(device, gateway);
});

test("a hint while a request is unanswered sends nothing: that request asks already", () => {
  const { device, gateway } = taking();
  const heed = heeding(device, 1000);
  const [request] = take(device, checkLiveness(device.profile, device.session)).send;
  assert.deepEqual(heed(answer(device, []), 0), []);
  exchange(device, gateway, [request!]);
  only(device.events, "alive");
});

test("a limit: so many at once, then one in each interval, and none are saved up beyond", () => {
  let allowance: Allowance = { left: 3, at: 0 };
  const granted = (from: number, to: number): number[] => {
    const times: number[] = [];
    for (let now = from; now < to; now += 100) {
      const rest = spend(allowance, now, 3, 1000);
      if (!rest) continue;
      allowance = rest;
      times.push(now);
    }
    return times;
  };
  assert.deepEqual(granted(0, 3500), [0, 100, 200, 1000, 2000, 3000]);
  assert.deepEqual(granted(1_000_000, 1_002_500), [1_000_000, 1_000_100, 1_000_200, 1_001_000, 1_002_000]);
  assert.equal(spend({ left: 0, at: 500 }, 500, 1, 1000), undefined);
});

test("sessions that a token was tried on are the caller's own, as they were", () => {
  const { device, token } = taking();
  const before: Session = structuredClone(device.session);
  receive(device.profile, device.session, answer(device, [token]));
  assert.deepEqual(device.session, before);
  assert.equal(dump(device.session), dump(before));
});
