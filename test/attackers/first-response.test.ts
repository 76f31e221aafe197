/**
 * Forged answers to the first request. Who cannot see it cannot answer it. Who sees it can make one attempt fail, and
 * every attempt as long as it goes on; whoever has to live with that takes all first responses for good until one is
 * proven, as `examples/node/candidates.ts` does.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Event, entropyLength, initiate, receive } from "ikelet";
import {
  type Candidates,
  type CandidatesStep,
  receiveAny,
  timeoutAny,
} from "../../examples/node/candidates.ts";
import { assertIgnored } from "../initiator/expect.ts";
import { makeDevice, makeGateway, makeProfile, octets, only } from "../initiator/harness.ts";
import {
  type Bytes,
  concat,
  flip,
  hex,
  notify,
  patch,
  type Responder,
  readHeader,
  seededRandom,
  Type,
  u32,
  unprotectedResponse,
} from "../responder/index.ts";

const profile = makeProfile();

/** A device with candidates; what it has sent last, and all events. */
interface Device {
  candidates: Candidates | undefined;
  sent: readonly Bytes[];
  readonly events: Event[];
}

function perform(device: Device, { step, candidates }: CandidatesStep): readonly Bytes[] {
  device.candidates = candidates;
  device.sent = step.send;
  device.events.push(...step.events.filter(({ type }) => type !== "ignored"));
  return step.send;
}

function begin(): Device {
  const step = initiate(profile, octets(entropyLength(profile)));
  return { candidates: [step.session], sent: step.send, events: [] };
}

const arrive = (device: Device, datagram: Bytes): readonly Bytes[] =>
  device.candidates ? perform(device, receiveAny(profile, device.candidates, datagram)) : [];

/** A party that sees the request and answers first, with a key exchange of its own, but does not know the key. */
function forger(n: number): Responder {
  return makeGateway({ psk: octets(32, `guess ${n}`), random: seededRandom(`forger ${n}`) });
}

test("off the path: without our SPI no answer is one, whatever it says", () => {
  const device = makeDevice();
  const [request] = device.step.send;
  const answers: Bytes[] = [
    makeGateway().receive(request!)[0]!,
    unprotectedResponse(request!, [notify(16390, octets(16))]),
    unprotectedResponse(request!, [notify(14)]),
    unprotectedResponse(request!, [notify(16412)]),
    unprotectedResponse(request!, [notify(4), notify(16419, octets(32))]),
  ];
  for (const answer of answers)
    for (let n = 0; n < 50; n++) {
      const guess = concat(octets(8, `guess ${n}`), answer.slice(8));
      assertIgnored(device, guess, "foreign");
      // Not one bit of it may be wrong.
      assertIgnored(device, flip(answer, n % 8, 1 << (n >> 3)), "foreign");
    }
});

test("errors in the clear end nothing, however many they are, and the gateway's answer still counts", () => {
  const device = makeDevice();
  const [request] = device.step.send;
  let { session } = device;
  for (let type = 1; type < 64; type++) {
    const step = receive(device.profile, session, unprotectedResponse(request!, [notify(type, u32(type))]));
    assert.deepEqual([step.send, step.wait], [[], undefined]);
    session = step.session;
  }
  const gateway = makeGateway();
  const step = receive(device.profile, session, gateway.receive(request!)[0]!);
  assert.equal(step.session.state, "authenticating");
});

test("a forger who answers first cannot keep the gateway's answer from counting [7296-2.4-a]", () => {
  for (const forgers of [1, 3]) {
    const device = begin();
    const gateway = makeGateway();
    const [request] = device.sent;
    const others = Array.from({ length: forgers }, (_, n) => forger(n));
    const requests = others.map((other) => arrive(device, other.receive(request!)[0]!)[0]!);
    const [genuine] = arrive(device, gateway.receive(request!)[0]!);
    // The forgers hold the keys of their own sessions, so they can say what they like, but not prove anything.
    others.forEach((other, n) => {
      for (const answer of other.receive(requests[n]!)) arrive(device, answer);
    });
    for (const answer of gateway.receive(genuine!)) arrive(device, answer);
    only(device.events, "established");
    assert.equal(device.candidates, undefined);
    assert.deepEqual(gateway.violations, []);
  }
});

test("neither can one who changes a copy of it: AUTH covers every octet [7296-2.4-a]", () => {
  const device = begin();
  const gateway = makeGateway();
  const [request] = device.sent;
  const [response] = gateway.receive(request!);
  // The same SPI, nonce and public value, and so the same keys; one payload more.
  const longer = concat(response!, Uint8Array.of(0, 0, 0, 12), octets(8));
  const forged = patch(longer, 24, ...u32(longer.length));
  // The last payload of the chain names the next one.
  forged[lastPayload(response!)] = Type.VENDOR_ID;
  const [first] = arrive(device, forged);
  const [second] = arrive(device, response!);
  assert.equal(hex(first!), hex(second!), "one request: the same keys, and the same IV once");
  for (const answer of gateway.receive(second!)) arrive(device, answer);
  only(device.events, "established");
});

/** Where the header of the last payload of a message in the clear stands. */
function lastPayload(datagram: Bytes): number {
  let at = 28;
  for (let next = readHeader(datagram).nextPayload; next; ) {
    next = datagram[at]!;
    if (next) at += (datagram[at + 2]! << 8) | datagram[at + 3]!;
  }
  return at;
}

test("the number of candidates is bounded, and so is the time", () => {
  const device = begin();
  const [request] = device.sent;
  for (let n = 0; n < 10; n++) arrive(device, forger(n).receive(request!)[0]!);
  assert.equal(device.candidates!.length, 5);
  let rounds = 0;
  while (device.candidates && rounds++ < 30) perform(device, timeoutAny(profile, device.candidates));
  assert.equal(only(device.events, "closed").reason, "timeout");
});

test("lost datagrams are repeated, of all candidates", () => {
  const device = begin();
  const gateway = makeGateway();
  const [request] = device.sent;
  arrive(device, forger(0).receive(request!)[0]!);
  const [repeated] = perform(device, timeoutAny(profile, device.candidates!));
  assert.equal(hex(repeated!), hex(request!));
  const [auth] = arrive(device, gateway.receive(repeated!)[0]!);
  const again = perform(device, timeoutAny(profile, device.candidates!)).map(hex);
  assert.equal(again.includes(hex(auth!)), true);
  for (const answer of gateway.receive(auth!)) arrive(device, answer);
  only(device.events, "established");
});
