/**
 * Calls of the core in any order, with any datagrams between them. Each returns, with the session either unchanged or
 * a legal successor, and never accepts what the gateway did not send.
 */

import assert from "node:assert/strict";
import {
  checkLiveness,
  close,
  type Event,
  receive,
  type Session,
  type State,
  type Step,
  timeout,
} from "ikelet";
import { explain } from "ikelet/explain.js";
import { requestTicket } from "ikelet/resumption.js";
import { openMessage as openSealed } from "ikelet/sk.js";
import { loadSession, saveSession } from "ikelet/storage.js";
import { parseMessage } from "ikelet/wire.js";
import { freeze } from "../../initiator/lives.ts";
import {
  type Bytes,
  childKeys,
  concat,
  equal,
  find,
  hex,
  openMessage,
  prfOf,
  protectorOf,
  readAuth,
  readHeader,
  readU32,
  type Selector,
  Type,
} from "../../responder/index.ts";
import { type Choices, choicesOf } from "../choices.ts";
import { authOf, compose, protectionOf, type Surroundings } from "../messages.ts";
import { SCENES } from "../scenes.ts";

const MOST_CALLS = 8;
/** What a session holds beside the datagrams that it keeps. */
const MOST_OWN_OCTETS = 4096;

const SUCCESSORS: Readonly<Record<State, readonly State[]>> = {
  initiating: ["initiating", "authenticating", "closed"],
  authenticating: ["authenticating", "established", "closing", "closed"],
  established: ["established", "closing", "closed"],
  closing: ["closing", "closed"],
  closed: ["closed"],
};

interface World extends Surroundings {
  readonly history: Bytes[];
  readonly tokens: Bytes[];
  /** IV of everything that the device has sealed, in hexadecimal, and the message. */
  readonly ivs: Record<string, Bytes>;
  /** All that was sealed with the gateway's keys, in hexadecimal. */
  readonly genuine: Record<string, true>;
  longest: number;
}

function octetsIn(value: unknown): Bytes[] {
  if (value instanceof Uint8Array) return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(octetsIn) : [];
}

/** What holds after each call, whatever it was. */
function checkStep(world: World, before: Session, { session, send, events, wait }: Step): void {
  const { profile } = world;
  assert.ok(SUCCESSORS[before.state].includes(session.state), `${before.state} to ${session.state}`);
  assert.ok(equal(session.spiI, before.spiI), "SPIi changes");
  assert.ok(before.state === "initiating" || equal(session.spiR, before.spiR), "SPIr changes");
  assert.ok(send.length < 2, "more than one datagram");
  assert.ok(wait === undefined || (wait >= 0 && wait < 2 ** 31), `wait ${wait}`);
  const held = octetsIn(session).reduce((sum, { length }) => sum + length, 0);
  assert.ok(held <= MOST_OWN_OCTETS + 4 * world.longest, `${held} octets in a session`);
  if (session.state === "closed") assert.equal(session.keys, undefined);
  else {
    const sealed = session.ivCounter - before.ivCounter;
    assert.ok(sealed === 0 || sealed === 1, "IV counter");
    assert.ok(session.messageId - before.messageId <= sealed, "Message ID");
    assert.ok(session.peerMessageId - before.peerMessageId <= sealed, "Message ID of the gateway");
    assert.ok(
      session.messageId >= before.messageId && session.peerMessageId >= before.peerMessageId,
      "a Message ID goes back",
    );
    if (before.request && !before.handshake && session.request !== before.request)
      assert.ok(
        !session.request || events.some(({ type }) => type === "alive"),
        "a request before the last one is answered",
      );
  }
  for (const datagram of send) checkSent(world, before, session, datagram);
  for (const event of events) assert.match(explain(profile, event), /^[ -~]+$/);
}

/** A datagram of the device can be read, and its IV is new, unless it is a repetition. */
function checkSent({ profile, ivs }: World, before: Session, session: Session, datagram: Bytes): void {
  if (datagram.length === 1) return; // a keepalive
  const header = readHeader(datagram);
  const keys = session.keys ?? before.keys;
  if (header.nextPayload !== Type.SK || !keys) {
    assert.ok(session.state === "initiating" || header.flags & 0x20, "a request in the clear");
    return;
  }
  const opened = openMessage(datagram, protectionOf(profile, keys.skI));
  assert.ok(opened && opened.malformed === undefined, "a message that the gateway cannot read");
  const iv = hex(opened.iv);
  assert.ok(!ivs[iv] || equal(ivs[iv], datagram), "an IV twice");
  ivs[iv] = datagram;
}

/** Every address of the inner selector is one of the outer. */
function isWithin(inner: Omit<Selector, "type">, outer: Omit<Selector, "type">): boolean {
  return (
    Buffer.compare(outer.start, inner.start) <= 0 &&
    Buffer.compare(inner.start, inner.end) <= 0 &&
    Buffer.compare(inner.end, outer.end) <= 0 &&
    outer.startPort <= inner.startPort &&
    inner.endPort <= outer.endPort
  );
}

/** The gateway has proved itself with this message, and the Child SA is what it says. */
function checkAuthenticated(world: World, before: Session, datagram: Bytes, event: Event): void {
  const { profile } = world;
  // Read as the device reads it; what it says is judged by the responder's own derivations.
  const sk = parseMessage(datagram)!.payloads.at(-1)!;
  const payloads = openSealed(profile.suite.cipher, before.keys!.skR, datagram, sk)!.payloads!;
  const id = find(payloads, Type.IDr)!.body;
  const { method, data } = readAuth(find(payloads, Type.AUTH)!.body);
  assert.equal(method, 2);
  assert.ok(equal(data, authOf({ ...world, session: before }, id)), "AUTH is wrong");
  // RESERVED is ignored.
  assert.ok(
    equal(
      concat(id.slice(0, 1), id.slice(4)),
      concat(Uint8Array.of(profile.remote!.type), profile.remote!.data),
    ),
    "another identity",
  );
  if (event.type !== "established") return;
  const { child } = event;
  const { nonceI, nonceR } = before.handshake!;
  const { encryptionId, keyBits, integrityId } = profile.child.cipher;
  const protector = protectorOf({
    encr: encryptionId,
    ...(keyBits && { keyBits }),
    ...(integrityId && { integ: integrityId }),
  });
  const prf = prfOf(profile.suite.prf.transformId)!;
  const keys = childKeys(prf, protector, before.keys!.skD, nonceI, nonceR!);
  assert.ok(
    equal(child.outbound.key, concat(keys.keyI2R.encryption, keys.keyI2R.integrity)),
    "the key outbound",
  );
  assert.ok(
    equal(child.inbound.key, concat(keys.keyR2I.encryption, keys.keyR2I.integrity)),
    "the key inbound",
  );
  assert.equal(child.outbound.spi, readU32(find(payloads, Type.SA)!.body, 8));
  assert.equal(child.inbound.spi, readU32(before.handshake!.childSpi, 0));
  assert.ok(child.local.length && child.local.every((one) => isWithin(one, profile.child.local)), "TSi");
  assert.ok(child.remote.length && child.remote.every((one) => isWithin(one, profile.child.remote)), "TSr");
}

/** What holds after a datagram. */
function checkReceived(world: World, before: Session, datagram: Bytes, step: Step): void {
  const { session, send, events, wait } = step;
  const ignored = events.find(({ type }) => type === "ignored");
  if (ignored?.type === "ignored") {
    assert.equal(events.length, 1);
    assert.equal(send.length, 0);
    if (ignored.reason !== "hint") {
      assert.equal(session, before);
      assert.equal(wait, undefined);
    }
    assert.deepEqual({ ...session, hint: 0, sends: 0 }, { ...before, hint: 0, sends: 0 });
  }
  if (before.state === "initiating") {
    assert.ok(
      session.state === "initiating" || session.state === "authenticating",
      "the clear ends a session",
    );
    assert.ok((session.handshake?.cookies ?? 0) <= 5, "cookies");
  } else if (!world.genuine[hex(datagram)] && session !== before) {
    const crashed = world.tokens.some((token) => hex(datagram).includes(hex(token)));
    assert.ok(
      crashed && session.state === "closed" && !before.handshake,
      `a forgery is accepted: ${hex(datagram)}`,
    );
  }
  const proven = events.find(({ type }) => type === "established" || type === "child-failed");
  if (proven) checkAuthenticated(world, before, datagram, proven);
  if (before.state === "authenticating" && session.state !== "closed")
    assert.ok(proven || session === before, "a change without a proof");
}

function arrive(world: World, choices: Choices): Step {
  const { session: before, profile } = world;
  const kind = choices.below(10);
  const datagram =
    kind === 0
      ? choices.octets(300)
      : kind === 1 && world.history.length
        ? choices.among(world.history).slice()
        : compose(choices, world, (sealed) => {
            world.genuine[hex(sealed)] = true;
          });
  const copy = datagram.slice();
  world.longest = Math.max(world.longest, datagram.length);
  const step = receive(profile, before, datagram);
  assert.ok(equal(copy, datagram), "the datagram is changed");
  checkReceived(world, before, datagram, step);
  if (choices.once(4)) {
    assert.deepEqual(receive(profile, before, copy), step);
    // The caller uses the memory for the next one.
    const then = structuredClone(step.session);
    datagram.fill(0xee);
    assert.deepEqual(step.session, then);
    datagram.set(copy);
  }
  world.history.push(copy);
  return step;
}

function call(world: World, choices: Choices): Step {
  const { session, profile } = world;
  switch (choices.below(12)) {
    case 0:
      return timeout(profile, session);
    case 1:
      return close(profile, session);
    case 2:
      return session.state === "established" ? checkLiveness(profile, session) : timeout(profile, session);
    case 3:
      return session.state === "established" && !session.request
        ? requestTicket(profile, session)
        : timeout(profile, session);
    default:
      return arrive(world, choices);
  }
}

/** Tokens that the device has been given under protection: whoever has one of them may end the session. */
function learn(world: World): void {
  world.tokens.push(...((world.session.extensions?.qcd as readonly Bytes[] | undefined) ?? []));
}

export function fuzzSession(input: Uint8Array): void {
  const choices = choicesOf(input);
  const { profile, session, history, tokens } = choices.among(SCENES);
  const longest = Math.max(0, ...history.map(({ length }) => length), session.request?.length ?? 0);
  const world: World = {
    profile,
    session,
    history: [...history],
    tokens: [...tokens],
    ivs: {},
    genuine: {},
    longest,
  };
  for (const datagram of history) world.genuine[hex(datagram)] = true;
  for (let calls = 0; calls < MOST_CALLS && choices.left(); calls++) {
    const { session: before } = world;
    const copy = octetsIn(before).map(hex).join();
    const step = call(world, choices);
    assert.equal(octetsIn(before).map(hex).join(), copy, "the session before is changed");
    checkStep(world, before, step);
    const next = freeze(step.session);
    if (choices.once(8)) assert.deepEqual(saveSession(loadSession(saveSession(next))), saveSession(next));
    Object.assign(world, { session: next });
    for (const datagram of step.send) world.longest = Math.max(world.longest, datagram.length);
    learn(world);
  }
}
