/**
 * Which message does what in which state: section 7 of the conformance matrix, row by row. Everything that arrives
 * is either passed over, or has exactly the effect that its row says. The rows of tickets, of PPK, of tokens that match
 * and of ESP are those of extensions, and shown with them.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close, type Session } from "ikelet";
import {
  type Bytes,
  concat,
  deletePayload,
  type Edit,
  editBody,
  editTransforms,
  encodeMessage,
  equal,
  flip,
  type Header,
  notify,
  type Options,
  type Payload,
  patch,
  type Responder,
  readHeader,
  Type,
  tokenNotify,
  u32,
  unknownPayload,
  unprotectedResponse,
  vendorId,
  without,
} from "../responder/index.ts";
import { connect, type Device, deliver, exchange, makeDevice, makeGateway, octets, take } from "./harness.ts";
import { halfWay, inTheClear, one } from "./scenes.ts";

interface Pair {
  device: Device;
  gateway: Responder;
}

/** Every state, and `asking`: established with a request of ours unanswered. */
const STATES = {
  initiating: (): Pair => ({ device: makeDevice(), gateway: makeGateway() }),
  authenticating: (): Pair => halfWay(),
  established: (): Pair => connect(),
  asking: (): Pair => {
    const pair = connect();
    take(pair.device, checkLiveness(pair.device.profile, pair.device.session));
    return pair;
  },
  closing: (): Pair => {
    const pair = connect();
    take(pair.device, close(pair.device.profile, pair.device.session));
    return pair;
  },
  closed: (): Pair => {
    const pair = connect();
    take(pair.device, close(pair.device.profile, pair.device.session));
    exchange(pair.device, pair.gateway);
    return pair;
  },
};
type StateName = keyof typeof STATES;
const ALL = Object.keys(STATES) as StateName[];
const UP: StateName[] = ["established", "asking", "closing"];

interface Effect {
  /** The types of the events, with the reason where there is one. */
  events: string[];
  /** What is sent: exchange, Message ID and R flag, or the very octets. */
  sends: ([exchange: number, messageId: number, kind: "request" | "response"] | Bytes)[];
  state: Session["state"];
  /** Absent: it runs on. */
  wait?: number;
}

const ignored = (reason: string): Partial<Effect> => ({ events: [`ignored ${reason}`] });
const closed = (reason: string): Effect => ({
  events: [`closed ${reason}`],
  sends: [],
  state: "closed",
  wait: 0,
});

interface Row {
  row: string;
  message: string;
  states: StateName[];
  make: (pair: Pair) => Bytes;
  effect: Partial<Effect> | ((pair: Pair) => Partial<Effect>);
}

/** The answer that the device waits for, or the next request of the gateway, which may not know that all is over. */
function genuine({ device, gateway }: Pair): Bytes {
  const twin = gateway.fork();
  const { request } = device.session;
  if (request) return one(twin.receive(request));
  twin.sa.stage = "up";
  return twin.liveness();
}

const malformed: [string, (datagram: Bytes) => Bytes][] = [
  ["nothing", () => new Uint8Array(0)],
  ["27 octets", (d) => d.slice(0, 27)],
  ["a keepalive", () => Uint8Array.of(0xff)],
  ["a Length too high", (d) => patch(d, 24, 0, 0, (d.length + 1) >> 8, (d.length + 1) & 0xff)],
  ["a Length too low", (d) => concat(d, new Uint8Array(1))],
  ["a non-ESP marker", (d) => concat(new Uint8Array(4), d)],
  ["version 1", (d) => patch(d, 17, 0x10)],
  ["version 3", (d) => patch(d, 17, 0x30)],
  ["a payload that runs past the end", (d) => patch(d, 30, 0xff)],
  ["a payload shorter than its header", (d) => patch(d, 30, 0, 3)],
];

const initResponse =
  (edit: Edit) =>
  ({ device, gateway }: Pair) =>
    one(gateway.fork({ edit }).receive(device.session.request!));
const inHeader = (change: Partial<Header>) =>
  initResponse({ header: (header) => ({ ...header, ...change }) });
const saInit = (change: (payloads: Payload[]) => Payload[]) => initResponse({ saInit: change });
const clear =
  (...payloads: Payload[]) =>
  ({ device }: Pair) =>
    unprotectedResponse(device.session.request!, payloads);
const authResponse =
  (options: Partial<Options>) =>
  ({ device, gateway }: Pair) =>
    one(gateway.fork(options).receive(device.session.request!));
const auth = (change: (payloads: Payload[]) => Payload[]) => authResponse({ edit: { auth: change } });
const childFails = (reason: string): Effect => ({
  events: [`child-failed ${reason}`],
  sends: [[37, 2, "request"]],
  state: "closing",
  wait: 1000,
});
const fromPeer =
  (make: (gateway: Responder) => Bytes) =>
  ({ gateway }: Pair) =>
    make(gateway);

const ROWS: Row[] = [
  ...malformed.map(
    ([message, change]): Row => ({
      row: "length < 28, Length mismatch, version, SK not last, broken chain",
      message,
      states: ALL,
      make: (pair) => change(genuine(pair)),
      effect: ignored("malformed"),
    }),
  ),
  {
    row: "length < 28, Length mismatch, version, SK not last, broken chain",
    message: "a payload behind SK",
    states: UP,
    make: fromPeer((gateway) => gateway.liveness({ sealing: { after: [vendorId(octets(4))] } })),
    effect: ignored("malformed"),
  },
  {
    row: "R set, SPIi unknown",
    message: "a response for another SPIi",
    states: ALL,
    make: (pair) => patch(flip(genuine(pair), 0), 19, 0x20),
    effect: ignored("foreign"),
  },
  {
    row: "R clear, unknown SPIs",
    message: "a request for another SPIi",
    states: UP,
    make: ({ gateway }) => flip(gateway.liveness(), 3),
    effect: ignored("foreign"),
  },
  {
    row: "R clear, unknown SPIs",
    message: "a request for another SPIr",
    states: UP,
    make: ({ gateway }) => flip(gateway.liveness(), 9),
    effect: ignored("foreign"),
  },
  {
    row: "R clear, unknown SPIs",
    // D-27: the gateway starts anew from its side.
    message: "a request of IKE_SA_INIT",
    states: ALL,
    make: () => makeDevice({}, "gateway").step.send[0]!,
    effect: ignored("foreign"),
  },
  {
    row: "I set (and not the INVALID_SPI hint)",
    message: "our own request, sent back",
    states: ["initiating", "authenticating", "asking", "closing"],
    make: ({ device }) => device.session.request!,
    effect: ignored("foreign"),
  },
  {
    row: "I set (and not the INVALID_SPI hint)",
    message: "the right answer with the I flag",
    states: ["initiating", "authenticating", "asking", "closing"],
    make: (pair) => patch(genuine(pair), 19, 0x28),
    effect: ignored("foreign"),
  },
  ...(
    [
      ["wrong Message ID", inHeader({ messageId: 1 }), "unexpected"],
      ["exchange IKE_AUTH", inHeader({ exchange: 35 }), "unexpected"],
      ["exchange IKE_SESSION_RESUME", inHeader({ exchange: 38 }), "unexpected"],
      ["SPIr 0", inHeader({ spiR: new Uint8Array(8) }), "malformed"],
      ["no R flag", inHeader({ flags: 0 }), "unexpected"],
    ] as const
  ).map(
    ([message, make, reason]): Row => ({
      row: "IKE_SA_INIT response, wrong MID, wrong exchange type, SPIr 0 without COOKIE/error",
      message,
      states: ["initiating"],
      make,
      effect: ignored(reason),
    }),
  ),
  ...[1, 16, 64].map(
    (length): Row => ({
      row: "… with N(COOKIE) 1–64",
      message: `a cookie of ${length} octets`,
      states: ["initiating"],
      make: clear(notify(16390, octets(length))),
      effect: { events: [], sends: [[34, 0, "request"]], wait: 1000 },
    }),
  ),
  ...[0, 65].map(
    (length): Row => ({
      row: "… with N(COOKIE) 1–64",
      message: `a cookie of ${length} octets`,
      states: ["initiating"],
      make: clear(notify(16390, octets(length))),
      effect: ignored("malformed"),
    }),
  ),
  ...[7, 14, 17, 24, 5, 16383].map(
    (type): Row => ({
      row: "… with error notify only",
      message: `error ${type}`,
      states: ["initiating"],
      make: clear(notify(type)),
      effect: ignored("hint"),
    }),
  ),
  ...(
    [
      // D-10: a redirection that was not asked for.
      ["REDIRECT alone", clear(notify(16407, octets(10))), "malformed"],
      ["status notifies alone", clear(notify(16430), notify(16404)), "malformed"],
      ["nothing", clear(), "malformed"],
      ["no SA", saInit((p) => without(p, Type.SA)), "malformed"],
      ["no KE", saInit((p) => without(p, Type.KE)), "malformed"],
      ["no nonce", saInit((p) => without(p, Type.NONCE)), "malformed"],
      ["two nonces", saInit((p) => [...p, { type: Type.NONCE, body: octets(32) }]), "malformed"],
      ["SA cut off", saInit((p) => editBody(p, Type.SA, (b) => b.slice(0, -1))), "proposal"],
      [
        "another PRF",
        saInit((p) => editTransforms(p, (l) => l.map((t) => (t.type === 2 ? { ...t, id: 7 } : t)))),
        "proposal",
      ],
      ["KE without a group", saInit((p) => editBody(p, Type.KE, () => new Uint8Array(1))), "key-exchange"],
      [
        "KE of small order",
        saInit((p) => editBody(p, Type.KE, (b) => b.map((x, i) => (i < 4 ? x : 0)))),
        "key-exchange",
      ],
      ["a nonce of 15 octets", saInit((p) => editBody(p, Type.NONCE, () => octets(15))), "nonce"],
      ["a nonce of 257 octets", saInit((p) => editBody(p, Type.NONCE, () => octets(257))), "nonce"],
      ["an unknown critical payload", saInit((p) => [...p, unknownPayload(200, true)]), "critical"],
      [
        "a notify cut off",
        saInit((p) => [...p, { type: Type.NOTIFY, body: Uint8Array.of(0, 9, 0, 0) }]),
        "malformed",
      ],
    ] as const
  ).map(
    ([message, make, reason]): Row => ({
      row: "… malformed SA/KE/Nr, bad KE value, SA not the offered one, nonce length",
      message,
      states: ["initiating"],
      make,
      effect: ignored(reason),
    }),
  ),
  {
    row: "… good",
    message: "the genuine response",
    states: ["initiating"],
    make: genuine,
    effect: { events: [], sends: [[35, 1, "request"]], state: "authenticating", wait: 1000 },
  },
  {
    row: "… good",
    message: "the response of IKE_SA_INIT once more, too late",
    states: ["authenticating", "established", "asking", "closing"],
    make: ({ gateway }) => gateway.sa.messageR,
    effect: ignored("unexpected"),
  },
  {
    row: "IKE_AUTH response, ICV bad",
    message: "one bit flipped",
    states: ["authenticating"],
    make: authResponse({ edit: { raw: (d) => flip(d, d.length - 1) } }),
    effect: ignored("integrity"),
  },
  {
    row: "IKE_AUTH response, ICV bad",
    message: "in the clear",
    states: ["authenticating"],
    make: clear(notify(24)),
    effect: ignored("unprotected"),
  },
  ...[24, 7, 1, 14].map(
    (type): Row => ({
      row: "… ICV good, N(24), N(7) or N(1) without AUTH",
      message: `error ${type}`,
      states: ["authenticating"],
      make: auth(() => [notify(type)]),
      effect: closed("refused"),
    }),
  ),
  ...(
    [
      ["AUTH flipped", authResponse({ edit: { authData: (data) => flip(data, 5) } })],
      ["no AUTH", auth((p) => without(p, Type.AUTH))],
      // D-29
      ["method 14", auth((p) => editBody(p, Type.AUTH, () => Uint8Array.of(14, 0, 0, 0)))],
      ["nothing", auth(() => [])],
    ] as const
  ).map(
    ([message, make]): Row => ({
      row: "… ICV good, AUTH bad/missing/method ≠ 2",
      message,
      states: ["authenticating"],
      make,
      effect: closed("authentication"),
    }),
  ),
  ...(
    [
      ["TS_UNACCEPTABLE", authResponse({ child: { refuse: 38 } }), "refused"],
      [
        "ESN",
        auth((p) => editTransforms(p, (l) => l.map((t) => (t.type === 5 ? { ...t, id: 1 } : t)))),
        "proposal",
      ],
      ["no selectors", auth((p) => editBody(p, Type.TSr, () => new Uint8Array(4))), "selectors"],
      ["transport mode", auth((p) => [...p, notify(16391)]), "mode"],
      ["no SA", auth((p) => without(p, Type.SA)), "missing"],
    ] as const
  ).map(
    ([message, make, reason]): Row => ({
      row: "… ICV good, AUTH good, child error or unacceptable SAr2/TS/mode",
      message,
      states: ["authenticating"],
      make,
      effect: childFails(reason),
    }),
  ),
  {
    row: "… ICV good but unparsable inside",
    message: "a broken chain",
    states: ["authenticating"],
    make: authResponse({ edit: { sealing: { inner: Uint8Array.of(0, 0, 0, 9) } } }),
    effect: closed("malformed"),
  },
  {
    row: "… good IKE_AUTH response",
    message: "the genuine response",
    states: ["authenticating"],
    make: genuine,
    effect: { events: ["established"], sends: [], state: "established", wait: 0 },
  },
  {
    row: "Protected response with unexpected MID",
    message: "the response of IKE_AUTH once more",
    states: UP,
    make: ({ gateway }) => gateway.log.find((m) => m.direction === "out" && m.exchange === 35)!.datagram,
    effect: ignored("unexpected"),
  },
  {
    row: "Protected response with unexpected MID",
    message: "a response nobody asked for",
    states: UP,
    make: fromPeer((gateway) => gateway.liveness({ messageId: 9, header: { flags: 0x20 } })),
    effect: ignored("unexpected"),
  },
  {
    row: "Protected response with the MID of our request",
    message: "the answer",
    states: ["asking"],
    make: genuine,
    effect: { events: ["alive"], sends: [], state: "established", wait: 0 },
  },
  {
    row: "Protected response with the MID of our request",
    message: "the answer to our Delete",
    states: ["closing"],
    make: genuine,
    effect: closed("requested"),
  },
  {
    row: "Protected request, MID = next",
    message: "a liveness check",
    states: UP,
    make: fromPeer((gateway) => gateway.liveness()),
    effect: { events: [], sends: [[37, 0, "response"]] },
  },
  {
    row: "Protected request, MID = next",
    message: "a rekey",
    states: UP,
    make: fromPeer((gateway) => gateway.rekeyChild()),
    effect: { events: ["rekey-refused"], sends: [[36, 0, "response"]] },
  },
  {
    row: "Protected request, MID = next",
    message: "a Delete of the IKE SA",
    states: UP,
    make: fromPeer((gateway) => gateway.deleteIke()),
    effect: { ...closed("deleted"), sends: [[37, 0, "response"]] },
  },
  {
    row: "Protected request, MID = next",
    message: "a request before there is an IKE SA",
    states: ["authenticating"],
    // D-20: it comes before the response of IKE_AUTH.
    make: ({ device, gateway }) => {
      const ahead = gateway.fork();
      ahead.receive(device.session.request!);
      return ahead.liveness();
    },
    effect: ignored("unexpected"),
  },
  {
    row: "Protected request, MID = last",
    message: "a liveness check once more",
    states: UP,
    make: ({ device, gateway }) => {
      const request = gateway.liveness();
      deliver(device, request);
      return request;
    },
    effect: ({ device }) => ({ events: [], sends: [device.session.response!] }),
  },
  ...[1, 2, 100, 0xffffffff].map(
    (messageId): Row => ({
      row: "Protected request, other MID",
      message: `Message ID ${messageId} where 0 is due`,
      states: UP,
      make: fromPeer((gateway) => gateway.deleteIke({ messageId })),
      effect: ignored("unexpected"),
    }),
  ),
  {
    row: "Unprotected INVALID_IKE_SPI for a live SA, no token",
    message: "as an answer to our request",
    states: ["asking", "closing"],
    make: clear(notify(4)),
    effect: ignored("unprotected"),
  },
  {
    row: "Unprotected INVALID_IKE_SPI for a live SA, no token",
    message: "as a request",
    states: UP,
    make: ({ device }) => inTheClear(device, [notify(4)]),
    effect: ignored("unprotected"),
  },
  {
    row: "… with QCD_TOKEN not matching",
    message: "a token that nobody gave",
    states: ["asking", "closing"],
    make: clear(notify(4), tokenNotify(octets(32))),
    effect: ignored("unprotected"),
  },
  {
    row: "Unprotected INVALID_SPI (I set, R clear, any SPIs), data = our outbound SPI",
    message: "a hint that is not taken: the sender may be anybody",
    states: ["established", "asking"],
    make: ({ device }) =>
      encodeMessage(
        { spiI: octets(8, "any"), spiR: octets(8), version: 0x20, exchange: 37, flags: 0x08, messageId: 0 },
        [notify(11, u32(device.session.child!.spiOut))],
      ),
    effect: ignored("foreign"),
  },
  {
    row: "anything",
    message: "a liveness check with the keys of the past",
    states: ["closed"],
    make: genuine,
    effect: ignored("unprotected"),
  },
  {
    row: "anything",
    message: "a Delete in the clear",
    states: [...UP, "closed"],
    make: ({ device }) => inTheClear(device, [deletePayload(1)]),
    effect: ignored("unprotected"),
  },
];

function eventName(event: { type: string; reason?: string }): string {
  return event.reason ? `${event.type} ${event.reason}` : event.type;
}

function sendOf(datagram: Bytes, expected: Effect["sends"][number] | undefined): Effect["sends"][number] {
  if (expected instanceof Uint8Array) return equal(datagram, expected) ? expected : datagram;
  const { exchange: type, messageId, flags } = readHeader(datagram);
  return [type, messageId, flags === 0x28 ? "response" : "request"];
}

for (const { row, message, states, make, effect } of ROWS) {
  for (const name of states) {
    test(`${name}: ${row}: ${message}`, () => {
      const pair = STATES[name]();
      const { device } = pair;
      const datagram = make(pair);
      const expected = typeof effect === "function" ? effect(pair) : effect;
      const before = structuredClone(device.session);
      const { events, send, session, wait } = deliver(device, datagram);
      const sends = expected.sends ?? [];
      assert.deepEqual(events.map(eventName), expected.events);
      assert.deepEqual(
        send.map((sent, i) => sendOf(sent, sends[i])),
        sends,
      );
      assert.equal(session.state, expected.state ?? before.state);
      assert.equal(wait, expected.wait);
      // What is passed over leaves no trace, but for the hint.
      if (expected.events?.[0]?.startsWith("ignored")) {
        const { hint, ...rest } = session;
        assert.deepEqual(rest, (({ hint: _, ...others }) => others)(before));
        assert.equal(hint !== undefined, expected.events[0] === "ignored hint");
      }
    });
  }
}
