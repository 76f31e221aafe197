/** Sessions, tickets and ESP SAs to octets and back. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  checkLiveness,
  entropyLength,
  initiate,
  type Profile,
  type Session,
  type Step,
  timeout,
} from "ikelet";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import { sha1 } from "ikelet/crypto/sha1.js";
import { type InboundSa, inboundSa, type OutboundSa, open, outboundSa, seal } from "ikelet/esp.js";
import { nat } from "ikelet/nat.js";
import { resumption, type Ticket } from "ikelet/resumption.js";
import {
  loadSa,
  loadSession,
  loadTicket,
  saveAwake,
  saveSa,
  saveSession,
  saveTicket,
} from "ikelet/storage.js";
import {
  connect,
  deliver,
  exchange,
  makeGateway,
  makeProfile,
  octets,
  only,
  take,
} from "../initiator/harness.ts";
import { LIVES, type Life, live, PROFILES, simply } from "../initiator/lives.ts";
import { one } from "../initiator/scenes.ts";
import { granted, present } from "../resumption/scenes.ts";

const storageError = { name: "IkeletError", code: "storage" };

/** IEEE 802.3, by another way than the library's. */
function crc32(data: Uint8Array): Uint8Array {
  const table = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  let crc = 0xffffffff;
  for (const octet of data) crc = table[(crc ^ octet) & 0xff]! ^ (crc >>> 8);
  const value = (crc ^ 0xffffffff) >>> 0;
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** A record whose check is right, whatever is in it. */
function sealed(body: Uint8Array): Uint8Array {
  return new Uint8Array([...body, ...crc32(body)]);
}

const { device, gateway, ticket } = granted();
const { child } = only(device.events, "established");
const outbound = outboundSa(child);
const inbound = inboundSa(child);

const records: Record<string, [Uint8Array, (record: Uint8Array) => unknown]> = {
  session: [saveSession(device.session), loadSession],
  "session awake": [saveAwake(device.session), loadSession],
  ticket: [saveTicket(ticket), loadTicket],
  "outbound SA": [saveSa(outbound, 100), loadSa],
  "inbound SA": [saveSa(inbound, 0), loadSa],
};

for (const [profileName, profile] of Object.entries(PROFILES))
  for (const [lifeName, life] of Object.entries(LIVES))
    test(`sessions in every state: ${lifeName}, ${profileName}`, () => {
      const states = new Set<string>();
      for (const { step } of live(life, profile, simply).taken) {
        const { session } = step;
        states.add(session.state);
        assert.deepEqual(loadSession(saveSession(session)), clean(session));
      }
      assert.equal(states.size >= 2, true);
    });

/** Without fields that are there and undefined: they are not stored. */
function clean<T>(value: T): T {
  if (value instanceof Uint8Array) return new Uint8Array(value) as T;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(clean) as T;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inside]) => inside !== undefined)
      .map(([name, inside]) => [name, clean(inside)]),
  ) as T;
}

test("sessions of a resumption, with all that extensions keep", () => {
  const local = { address: Uint8Array.of(10, 0, 0, 2), port: 500 };
  const remote = { address: Uint8Array.of(192, 0, 2, 1), port: 500 };
  const extensions = [nat({ sha1, local, remote }), resumption()];
  const up = connect(
    { extensions },
    { tickets: {}, nat: { local: remote, remote: { ...local, port: 4711 } } },
  );
  assert.deepEqual(loadSession(saveSession(up.device.session)), clean(up.device.session));
  const resuming = present(ticket);
  assert.deepEqual(loadSession(saveSession(resuming.session)), clean(resuming.session));
  const twin = gateway.fork();
  deliver(resuming, one(twin.receive(one(resuming.step.send))));
  assert.deepEqual(loadSession(saveSession(resuming.session)), clean(resuming.session));
});

test("tickets and ESP SAs, and numbers, names and octets of every size", () => {
  assert.deepEqual(loadTicket(saveTicket(ticket)), ticket);
  assert.deepEqual(loadSa(saveSa(outbound, 0)), outbound);
  assert.deepEqual(loadSa(saveSa(inbound, 0)), inbound);
  for (const lifetime of [0, 1, 127, 128, 16383, 16384, 0xffffffff, 2 ** 32, 2 ** 53 - 1])
    for (const length of [0, 1, 127, 128, 856, 65_535]) {
      const other: Ticket = { ...ticket, lifetime, ticket: octets(length) };
      assert.deepEqual(loadTicket(saveTicket(other)), other);
    }
  assert.deepEqual(loadSession(saveSession({ ...device.session, sends: 0xffffffff })).sends, 0xffffffff);
});

test("what is in a list stays in its place, even if it is nothing", () => {
  const session: Session = { ...device.session, extensions: { list: [undefined, 0, undefined, false, ""] } };
  assert.deepEqual(loadSession(saveSession(session)), clean(session));
});

test("a record: version, kind, one field behind the other, and CRC-32 of IEEE 802.3 over all", () => {
  const fields = { state: "x", sends: 127, sequence: 128 };
  const body = [7, 3, 5, ..."state", 4, 1, "x", 5, ..."sends", 3, 127, 8, ..."sequence", 3, 128, 1];
  const inside = body.map((octet) => (typeof octet === "number" ? octet : octet.charCodeAt(0)));
  assert.deepEqual(saveSession(fields as never), sealed(Uint8Array.of(1, 1, ...inside)));
  assert.deepEqual(saveTicket(fields as never), sealed(Uint8Array.of(1, 2, ...inside)));
  assert.deepEqual(saveSa(fields, 0), sealed(Uint8Array.of(1, 3, ...inside)));
});

test("records are small", () => {
  assert.equal(saveSession(device.session).length <= 345, true, `${saveSession(device.session).length}`);
  assert.equal(saveTicket({ ...ticket, ticket: new Uint8Array(0) }).length <= 220, true);
});

test("what is loaded shares no memory with the record, nor the record with what was saved", () => {
  const session = structuredClone(device.session);
  const record = saveSession(session);
  const copy = record.slice();
  session.keys!.skI.fill(0);
  assert.deepEqual(record, copy);
  const loaded = loadSession(record);
  record.fill(0);
  assert.deepEqual(loaded, clean(device.session));
});

for (const [name, [record, load]] of Object.entries(records)) {
  test(`${name}: cut off anywhere, longer by one, or with any bit flipped: the one error`, () => {
    for (let length = 0; length < record.length; length++)
      assert.throws(() => load(record.slice(0, length)), storageError, `${length}`);
    assert.throws(() => load(new Uint8Array([...record, 0])), storageError);
    for (let bit = 0; bit < record.length * 8; bit++) {
      const flipped = record.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      assert.throws(() => load(flipped), storageError, `${bit}`);
    }
    assert.throws(() => load(new Uint8Array(record.length)), storageError);
    assert.throws(() => load(new Uint8Array(record.length).fill(0xff)), storageError);
  });

  test(`${name}: no other kind of record is taken for it, and no other version`, () => {
    for (const [other, [, loadOther]] of Object.entries(records))
      if (loadOther !== load && !(name.endsWith("SA") && other.endsWith("SA")))
        assert.throws(() => loadOther(record), storageError);
    const body = record.slice(0, -4);
    assert.deepEqual(sealed(body), record);
    for (const version of [0, 2, 255]) {
      body[0] = version;
      assert.throws(() => load(sealed(body)), storageError);
    }
  });
}

test("the error says what is wrong: damage, another record, or a form that no record has", () => {
  const record = saveTicket(ticket);
  const fails = (octets: Uint8Array, message: RegExp) =>
    assert.throws(() => loadSession(octets), { ...storageError, message });
  fails(record.slice(1), /damaged octets$/);
  fails(record, /version 1, kind 2$/);
  fails(sealed(Uint8Array.of(1, 1, 7, 1)), /an unknown form$/);
});

/** A value, or the one error; no other effect. */
function assertHarmless(record: Uint8Array): void {
  for (const load of [loadSession, loadTicket, loadSa]) {
    let value: object | undefined;
    try {
      value = load(record);
    } catch (error) {
      const { name, code } = error as { name: string; code: string };
      assert.equal(`${name} ${code}`, "IkeletError storage");
    }
    if (value) assertPlain(value);
  }
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  assert.deepEqual(Object.keys(Object.prototype), []);
}

function assertPlain(value: unknown): void {
  if (typeof value === "number")
    assert.equal(value >= 0 && value <= Number.MAX_SAFE_INTEGER, true, `${value}`);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  if (!Array.isArray(value)) assert.equal(Object.getPrototypeOf(value), Object.prototype);
  for (const inside of Object.values(value)) assertPlain(inside);
}

test("random octets: a value or the one error", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), assertHarmless), { numRuns: 2000 });
});

test("random octets with a right check: a value or the one error", () => {
  const body = fc
    .tuple(fc.constantFrom(1, 2, 3), fc.uint8Array({ maxLength: 300 }))
    .map(([kind, rest]) => sealed(Uint8Array.of(1, kind, 7, ...rest)));
  fc.assert(fc.property(body, assertHarmless), { numRuns: 5000 });
});

const number = fc.oneof(
  fc.integer({ min: 0, max: 127 }).map((n) => [n]),
  fc.array(fc.integer({ min: 128, max: 255 }), { maxLength: 200 }).map((list) => [...list, 1]),
);
const name = fc.constantFrom(
  "state",
  "__proto__",
  "constructor",
  "toString",
  "polluted",
  "keys",
  "child",
  "",
);
const text = name.map((string) => [string.length, ...Buffer.from(string)]);

/** Values in the form of the library, with lengths that are wrong now and then. */
const { value } = fc.letrec<{ value: number[] }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.integer({ min: 0, max: 2 }).map((mark) => [mark]),
    number.map((n) => [3, ...n]),
    text.map((t) => [4, ...t]),
    fc.uint8Array({ maxLength: 9 }).map((o) => [5, o.length, ...o]),
    number.map((n) => [5, ...n, 1, 2, 3]),
    fc.array(tie("value"), { maxLength: 4 }).map((list) => [6, list.length, ...list.flat()]),
    fc.tuple(number, tie("value")).map(([n, v]) => [6, ...n, ...v]),
    fc
      .array(fc.tuple(text, tie("value")), { maxLength: 4 })
      .map((fields) => [7, fields.length, ...fields.flat(2)]),
    fc.integer({ min: 8, max: 255 }).map((mark) => [mark]),
  ),
}));

test("records of the right form and with a right check, with anything in them: a value or the one error", () => {
  const record = fc
    .tuple(fc.constantFrom(1, 2, 3), fc.array(fc.tuple(text, value), { maxLength: 5 }))
    .map(([kind, fields]) => sealed(Uint8Array.from([1, kind, 7, fields.length, ...fields.flat(2)])));
  fc.assert(fc.property(record, assertHarmless), { numRuns: 5000 });
});

test("numbers, lengths and counts without measure, and records without end", () => {
  const long = [...new Array(400).fill(0x80), 1];
  const huge = [...new Array(400).fill(0xff), 1];
  const exact = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]; // 2^53
  const field = (...content: number[]) => sealed(Uint8Array.of(1, 1, 7, 1, 1, 0x61, ...content));
  for (const measure of [long, huge, exact])
    for (const mark of [3, 4, 5, 6, 7])
      assert.throws(() => loadSession(field(mark, ...measure)), storageError);
  // Lists in lists, and one element many times over.
  const deep = new Array(5000).fill([6, 1]).flat();
  assert.throws(() => loadSession(field(...deep, 0)), storageError);
  assert.throws(() => loadSession(field(7, 1, 9, ...Buffer.from("__proto__"), 7, 0)), storageError);
  assert.throws(() => loadSession(field(2, 0)), storageError);
  assert.throws(() => loadSession(field(8, 0)), storageError);
  assert.throws(() => loadSession(field(5, 3, 1, 2)), storageError);
  assert.throws(() => loadSession(sealed(Uint8Array.of(1, 1, 3, 5))), storageError);
  // Eight levels inside of the record, and no more.
  for (const level of [
    [6, 1],
    [7, 1, 0],
  ]) {
    const levels = (count: number) => field(...new Array(count).fill(level).flat(), 0);
    loadSession(levels(8));
    for (const count of [9, 10, 5000]) assert.throws(() => loadSession(levels(count)), storageError);
  }
  const started = process.hrtime.bigint();
  assertHarmless(field(6, 0xff, 0xff, 0xff, 0xff, 0x0f, ...new Array(50_000).fill(0)));
  assert.equal(Number(process.hrtime.bigint() - started) < 5e9, true);
});

/** A life in which every session goes through `store` before the next call. */
function play(life: Life, changes: Partial<Profile>, store: (session: Session) => Session): Step[] {
  const profile = makeProfile(changes);
  const gateway = makeGateway({ cookie: { rounds: 1 } });
  const steps: Step[] = [];
  let sent: Uint8Array | undefined;
  const taken = (step: Step): Session => {
    steps.push(step);
    sent = step.send[0] ?? sent;
    return store(step.session);
  };
  let session = taken(initiate(profile, octets(entropyLength(profile))));
  const todo = life(gateway, () => sent!);
  for (let next = todo.next(session); !next.done; next = todo.next(session)) {
    const { octets: input = new Uint8Array(0), run } = next.value;
    session = taken(run(profile, session, input));
  }
  return steps;
}

test("a session that was saved and loaded goes on exactly as the other one", () => {
  for (const profile of Object.values(PROFILES))
    for (const life of Object.values(LIVES)) {
      const straight = play(life, profile, (session) => session);
      const stored = play(life, profile, (session) => loadSession(saveSession(session)));
      assert.deepEqual(stored.map(clean), straight.map(clean));
    }
});

test("asleep in the middle of an exchange: the request is repeated, bit for bit, and answered", () => {
  const up = granted();
  const asked = checkLiveness(up.device.profile, up.device.session);
  const awake = loadSession(saveSession(asked.session));
  const again = timeout(up.device.profile, awake);
  assert.deepEqual(again.send, asked.send);
  assert.deepEqual(clean(again), clean(timeout(up.device.profile, asked.session)));
  take(up.device, again);
  exchange(up.device, up.gateway);
  only(up.device.events, "alive");
  // The last answer, too, is still there for a gateway that repeats its request.
  const liveness = up.gateway.liveness();
  const { send, session } = deliver(up.device, liveness);
  take(up.device, { ...up.device.step, session: loadSession(saveSession(session)), events: [] });
  assert.deepEqual(deliver(up.device, liveness).send, send);
  assert.deepEqual(up.gateway.violations, []);
});

test("saveAwake: nothing can be sealed any more, neither asked nor answered", () => {
  const up = granted();
  const answered = deliver(up.device, up.gateway.liveness()).session;
  const asked = checkLiveness(up.device.profile, answered).session;
  for (const session of [up.device.session, answered, asked]) {
    const woken = loadSession(saveAwake(session));
    assert.deepEqual(woken.child, session.child);
    assert.equal(woken.request, undefined);
    assert.equal(woken.response, undefined);
    const step = checkLiveness(up.device.profile, woken);
    assert.deepEqual(step.send, []);
    assert.equal(only(step.events, "closed").reason, "exhausted");
    const twin = up.gateway.fork();
    for (const request of [twin.liveness(), twin.deleteIke(), twin.rekeyChild()]) {
      up.device.session = woken;
      const { send, events } = deliver(up.device, request);
      assert.deepEqual(send, []);
      assert.deepEqual(
        events.map(({ type }) => type),
        ["ignored"],
      );
    }
    assert.deepEqual(timeout(up.device.profile, woken).send, []);
  }
});

test("saveAwake is for a session that is established", () => {
  const others = [present(ticket).session, { ...device.session, state: "closing" as const }];
  for (const session of others)
    assert.throws(() => saveAwake(session), { name: "IkeletError", code: "state" });
});

const packet = (n: number) =>
  Uint8Array.of(0x45, 0, 0, 24, 0, 0, 0, 0, 64, 17, 0, 0, 10, 1, 0, 7, 10, 99, 0, 1, 0, n, 0, n);

test("saveSa: a leap that is no number of packets is refused", () => {
  const sa = { ...outbound, sequence: 10 };
  for (const leap of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, undefined as unknown as number])
    assert.throws(() => saveSa(sa, leap), { name: "IkeletError", code: "argument" });
  assert.equal(loadSa<OutboundSa>(saveSa(sa, 0)).sequence, 10);
  assert.equal(loadSa<OutboundSa>(saveSa(sa, 1000)).sequence, 1010);
  const highest = 2 ** 53 - 1;
  assert.equal(loadSa<OutboundSa>(saveSa(sa, highest - 10)).sequence, highest);
  assert.throws(() => saveSa(sa, highest - 9), { code: "argument" });
  // At the end of all numbers nothing wraps.
  const last = loadSa<OutboundSa>(saveSa({ ...outbound, sequence: 0xfffffff0 }, 1000));
  assert.equal(seal(chacha20Poly1305, last, packet(1)).reason, "exhausted");
});

test("saveSa of an inbound SA: with a leap nothing is accepted a second time, without one nothing is lost", () => {
  // Ourselves at the other end.
  const turned = packet(1);
  turned.set([10, 99, 0, 1, 10, 1, 0, 7], 12);
  const packets: Uint8Array[] = [];
  let out = outboundSa({ ...child, outbound: child.inbound, local: child.remote, remote: child.local });
  for (let i = 0; i < 300; i++) {
    const next = seal(chacha20Poly1305, out, turned);
    assert.equal(next.reason, undefined);
    out = next.sa;
    packets.push(next.packet!);
  }
  const accepts = (sa: InboundSa, n: number) =>
    open(chacha20Poly1305, sa, packets[n - 1]!).reason === undefined;
  let sa: InboundSa = inbound;
  let flash = saveSa(sa, 100);
  const exact = saveSa(sa, 0);
  for (let n = 1; n < 100; n += 2) sa = open(chacha20Poly1305, sa, packets[n - 1]!).sa;
  const leapt = loadSa<InboundSa>(flash);
  for (let n = 1; n <= 100; n++) assert.equal(accepts(leapt, n), false, `${n}`);
  for (const n of [101, 102, 163, 164, 165, 300]) assert.equal(accepts(leapt, n), true, `${n}`);
  assert.equal(accepts(loadSa<InboundSa>(exact), 1), true);
  // An orderly sleep loses nothing and accepts nothing twice.
  flash = saveSa(sa, 0);
  for (let n = 36; n <= 100; n++) assert.equal(accepts(loadSa<InboundSa>(flash), n), n % 2 === 0, `${n}`);
});
