/**
 * The life of a device: it connects, looks after the gateway and is looked after, loses it and comes back by ticket, and
 * says goodbye; over a link that may be bad, with time that is not real, and the same for the same seed.
 */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import {
  checkLiveness,
  close,
  type Event,
  entropyLength,
  initiate,
  type KeyExchange,
  type Prf,
  type Profile,
  receive,
  type Session,
  type Step,
  timeout,
  wipe,
} from "ikelet";
import { qcd } from "ikelet/qcd.js";
import {
  afterResume,
  requestTicket,
  resume,
  resumeEntropyLength,
  resumption,
  type Ticket,
  ticketSurvives,
} from "ikelet/resumption.js";
import { type Random, randomOf } from "../fuzz/random.ts";
import { makeGateway, makeProfile, octets } from "../initiator/harness.ts";
import {
  concat,
  groupOf,
  hex,
  notify,
  type OwnRequest,
  type Responder,
  readHeader,
  seededRandom,
} from "../responder/index.ts";
import { type Clock, makeClock } from "./clock.ts";
import { makeLink, type Weather } from "./link.ts";
import { makeObserver } from "./observer.ts";

/** Things to do; a life that is longer has no end. */
const MOST_EVENTS = 20_000;
const MOST_SESSIONS = 3;
const GATEWAY_SENDS = 6;
const GATEWAY_WAIT = 2000;
const LONGEST_REST = 60_000;

// Cryptography of the platform: a life then takes a millisecond.
const native = groupOf(31)!;
const x25519: KeyExchange = {
  transformId: 31,
  secretLength: 32,
  publicLength: 32,
  publicValue: native.publicValue,
  sharedSecret: native.sharedSecret,
};
const hmacSha256: Prf = {
  transformId: 5,
  keyLength: 32,
  outputLength: 32,
  keyed: (key) => {
    const copy = key.slice();
    return (...chunks) =>
      new Uint8Array(
        createHmac("sha256", copy)
          .update(concat(...chunks))
          .digest(),
      );
  },
};
const base = makeProfile();
const PROFILE: Profile = {
  ...base,
  suite: { ...base.suite, prf: hmacSha256, keyExchange: x25519 },
  extensions: [resumption(), qcd()],
};

/** Why a session may end on a link that only loses, doubles and delays, and on one that corrupts as well. */
const HONEST_ENDS = ["requested", "deleted", "crashed", "timeout"];
/** A first message that was damaged where no key depends on it is found out by AUTH: ours, or the gateway's. */
const CORRUPTED_ENDS = [...HONEST_ENDS, "authentication", "refused"];

export interface Outcome {
  /** How each session ended, `established` before it if it came up. */
  readonly ends: readonly string[];
  /** Virtual milliseconds. */
  readonly time: number;
  readonly datagrams: number;
}

/** A gateway that asks one thing at a time, repeats it, and gives the device up in the end. */
function makeAsking(clock: Clock, gateway: Responder, send: (datagram: Uint8Array) => void) {
  let open: OwnRequest | undefined;
  const repeat = (request: OwnRequest, sa: Responder["sa"], sends: number): void => {
    if (request.answer || !gateway.sas.includes(sa)) {
      if (open === request) open = undefined;
      return;
    }
    if (sends > GATEWAY_SENDS) {
      open = undefined;
      sa.stage = "gone";
      sa.end = "no answer";
      return;
    }
    send(request.datagram);
    clock.after(GATEWAY_WAIT * sends, () => repeat(request, sa, sends + 1));
  };
  return (ask: (gateway: Responder) => unknown): void => {
    const sa = gateway.sas.at(-1);
    if (open || sa?.stage !== "up") return;
    ask(gateway);
    open = sa.open.at(-1)!;
    repeat(open, sa, 1);
  };
}

/** What the gateway asks. */
const QUESTIONS: readonly ((gateway: Responder) => unknown)[] = [
  (gateway) => gateway.liveness(),
  (gateway) => gateway.informational([notify(11, new Uint8Array(4))]),
  (gateway) => gateway.rekeyIke(),
  (gateway) => gateway.sa.child && gateway.rekeyChild(),
  (gateway) => gateway.liveness(),
  (gateway) => gateway.deleteIke(),
];

export function live(seed: number, weather: Weather): Outcome {
  const random: Random = randomOf(Math.imul(seed + 1, 0x9e3779b1));
  // The first numbers of neighbouring seeds are alike.
  for (let n = 0; n < 8; n++) random(2);
  const clock = makeClock();
  const link = makeLink(clock, random, weather);
  const observer = makeObserver();
  const gateway = makeGateway({
    random: seededRandom(`gateway ${seed}`),
    cookie: { rounds: random(2) },
    tickets: { spentAt: random(2) ? "auth" : "resume" },
    qcd: { secrets: [octets(32, "secret of the gateway")] },
  });
  const ends: string[] = [];
  let datagrams = 0;
  let entropy = 0;
  let alarm = 0;
  let sessions = 0;
  let session: Session | undefined;
  let ticket: Ticket | undefined;
  let presented: Ticket | undefined;
  let wasUp = false;
  /** The latest request of the gateway in this session. */
  let answered: { readonly request: string; readonly answer: string } | undefined;

  const toDevice = (datagram: Uint8Array): void => link(datagram, arrive);
  const toGateway = (datagram: Uint8Array): void => {
    datagrams++;
    observer.sent(datagram);
    link(datagram, (arrived) => gateway.receive(arrived).forEach(toDevice));
  };
  const ask = makeAsking(clock, gateway, toDevice);
  const draw = (length: number): Uint8Array => octets(length, `${seed} ${entropy++}`);

  function arrive(datagram: Uint8Array): void {
    if (!session) return;
    observer.arrived(datagram);
    const request = hex(datagram);
    const step = receive(PROFILE, session, datagram);
    const [answer] = step.send;
    // Of a session that has ended otherwise nothing is left.
    if (answered?.request === request && session.response)
      assert.equal(
        answer && hex(answer),
        answered.answer,
        "a request that is repeated gets its answer again",
      );
    else if (answer && readHeader(answer).flags & 0x20) answered = { request, answer: hex(answer) };
    perform(step);
  }

  function perform(step: Step): void {
    const before = session;
    session = step.session;
    if (before) wipe(before, session);
    observer.session(session);
    step.send.forEach(toGateway);
    if (step.wait !== undefined) {
      const mine = ++alarm;
      if (step.wait) clock.after(step.wait, () => alarm === mine && perform(timeout(PROFILE, session!)));
    }
    step.events.forEach(happened);
  }

  function happened(event: Event): void {
    if (event.type === "ticket") ticket = event.ticket;
    else if (ticket && !ticketSurvives(event)) ticket = undefined;
    if (event.type === "established") {
      wasUp = true;
      presented = undefined;
      const { child } = gateway.sas.find(({ spiR }) => hex(spiR) === hex(session!.spiR))!;
      assert.equal(hex(event.child.outbound.key), hex(child!.keyI2R.encryption), "one key at both ends");
      assert.equal(hex(event.child.inbound.key), hex(child!.keyR2I.encryption), "one key at both ends");
      clock.after(1 + random(LONGEST_REST), act);
    }
    if (event.type === "closed") {
      const allowed = weather.corrupted ? CORRUPTED_ENDS : HONEST_ENDS;
      assert.ok(allowed.includes(event.reason), `closed: ${event.reason}`);
      if (presented) ticket = afterResume(presented, event);
      ends.push(wasUp ? `established, ${event.reason}` : event.reason);
      if (sessions < MOST_SESSIONS) clock.after(1 + random(LONGEST_REST), connect);
    }
  }

  function connect(): void {
    sessions++;
    wasUp = false;
    answered = undefined;
    presented = ticket;
    perform(
      ticket
        ? resume(PROFILE, ticket, 0, draw(resumeEntropyLength(PROFILE)))
        : initiate(PROFILE, draw(entropyLength(PROFILE))),
    );
  }

  /** Something that device or gateway does on its own account, now and again until the session is over. */
  function act(): void {
    if (session?.state !== "established") return;
    const what = random(12);
    if (what < 4) perform(checkLiveness(PROFILE, session));
    else if (what === 4 && !session.request) perform(requestTicket(PROFILE, session));
    else if (what === 5) perform(close(PROFILE, session));
    else if (what === 6) gateway.crash();
    else ask(QUESTIONS[random(QUESTIONS.length)]!);
    clock.after(1 + random(LONGEST_REST), act);
  }

  connect();
  const events = clock.run(MOST_EVENTS);
  assert.ok(events < MOST_EVENTS, "a life without an end");
  // Nothing is due any more: every session has ended, and said so.
  assert.equal(session?.state, "closed");
  assert.equal(ends.length, sessions);
  // What is late is out of order by no fault of the device; the observer knows in which order it was sent.
  const violations = gateway.violations.filter((text) => !text.startsWith("7296-2.2-b"));
  if (!weather.corrupted) assert.deepEqual(violations, []);
  return { ends, time: clock.now(), datagrams };
}
