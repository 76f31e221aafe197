/** What a device has to be able to do in an engine, against the test responder, which stays outside in Node. */

import assert from "node:assert/strict";
import { emitEchoPacket, parseEchoPacket } from "../../examples/node/echo.ts";
import {
  ascii,
  type Bytes,
  type Child,
  createResponder,
  fqdn,
  openEsp,
  type Responder,
  sealEsp,
  seededRandom,
  towardsDevice,
  towardsGateway,
} from "../responder/index.ts";
import {
  CHECK_LIVENESS,
  ENTROPY_LENGTH,
  FORGET,
  INITIATE,
  LOAD_SESSION,
  OPEN,
  RECEIVE,
  RESUME,
  SAVE_SESSION,
  SEAL,
} from "./commands.ts";
import { type Answer, type Engine, join, tell } from "./engine.ts";
import { DEVICE, DEVICE_ADDRESS, GATEWAY, GATEWAY_NETWORK, PSK } from "./parties.ts";

/** A device, its gateway, and what of the device is outside of its engine. */
export interface Scene {
  engine: Engine;
  readonly gateway: Responder;
  /** The same octets in every run: so is then all that follows. */
  readonly random: (length: number) => Bytes;
  /** The stored ticket. */
  ticket: Bytes;
}

export interface Scenario {
  readonly name: string;
  readonly run: (scene: Scene) => Promise<void>;
}

const PACKETS_EACH_WAY = 50;
const ECHO_LENGTH = 64;
const TUNNEL_IPV4 = 4;

export function makeScene(engine: Engine): Scene {
  const gateway = createResponder({
    psk: ascii(PSK),
    local: fqdn(GATEWAY),
    remote: fqdn(DEVICE),
    random: seededRandom("gateway"),
    tickets: {},
    qcd: { secrets: [seededRandom("secret")(32)] },
  });
  return { engine, gateway, random: seededRandom("device"), ticket: new Uint8Array(0) };
}

/** Carries datagrams to and fro until nobody has anything to say. */
async function exchange({ engine, gateway }: Scene, first: Answer): Promise<Answer> {
  let all = first;
  let inFlight = first.datagrams;
  for (let round = 0; inFlight.length; round++) {
    assert(round < 10, "the exchange does not end");
    const replies = inFlight.flatMap((datagram) => gateway.receive(datagram));
    inFlight = [];
    for (const reply of replies) {
      const answer = await tell(engine, RECEIVE, reply);
      inFlight.push(...answer.datagrams);
      all = join(all, answer);
    }
  }
  assert.deepEqual(gateway.violations, []);
  return all;
}

/** Both sides are up, and the device has a ticket for the next time. */
function checkEstablished(scene: Scene, { events, tickets }: Answer): void {
  assert.deepEqual(events, ["established"]);
  assert.equal(scene.gateway.sa.stage, "up");
  assert.equal(tickets.length, 1);
  scene.ticket = tickets[0]!;
}

async function handshake(scene: Scene): Promise<void> {
  const first = await tell(scene.engine, INITIATE, scene.random(ENTROPY_LENGTH));
  checkEstablished(scene, await exchange(scene, first));
}

/** After a sleep, of which nothing but the ticket is left. */
async function resumption(scene: Scene): Promise<void> {
  await tell(scene.engine, FORGET);
  await resume(scene);
}

async function resume(scene: Scene): Promise<void> {
  const first = await tell(scene.engine, RESUME, scene.random(ENTROPY_LENGTH), scene.ticket);
  checkEstablished(scene, await exchange(scene, first));
  assert(scene.gateway.sa.resumed);
}

/** The gateway loses its state, and says so with its token. */
async function recovery(scene: Scene): Promise<void> {
  scene.gateway.crash();
  const { events } = await exchange(scene, await tell(scene.engine, CHECK_LIVENESS));
  assert.deepEqual(events, ["closed crashed"]);
  await resume(scene);
}

/** An echo request and its reply, and so on. */
async function packets({ engine, gateway }: Scene): Promise<void> {
  const child = gateway.sa.child as Child;
  for (let sequence = 1; sequence <= PACKETS_EACH_WAY; sequence++) {
    const echo = {
      source: Uint8Array.from(DEVICE_ADDRESS),
      destination: Uint8Array.from(GATEWAY_NETWORK).with(3, 1),
      reply: false,
      id: 1,
      sequence,
      data: new Uint8Array(ECHO_LENGTH).fill(sequence),
    };
    const { results: sealed } = await tell(engine, SEAL, emitEchoPacket(echo));
    const opened = openEsp(towardsGateway(child), sealed[0]!);
    assert.equal(opened?.sequence, sequence);
    assert.deepEqual(parseEchoPacket(opened.payload), echo);
    const reply = emitEchoPacket({
      ...echo,
      source: echo.destination,
      destination: echo.source,
      reply: true,
    });
    const { results } = await tell(engine, OPEN, sealEsp(towardsDevice(child), sequence, reply, TUNNEL_IPV4));
    assert.deepEqual(results, [reply]);
  }
}

/** The session sleeps in flash, and goes on. */
export async function sleep(scene: Scene): Promise<Bytes> {
  const { results } = await tell(scene.engine, SAVE_SESSION);
  await tell(scene.engine, FORGET);
  await tell(scene.engine, LOAD_SESSION, results[0]!);
  const { events } = await exchange(scene, await tell(scene.engine, CHECK_LIVENESS));
  assert.deepEqual(events, ["alive"]);
  return results[0]!;
}

/** One after the other, on one device. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "handshake", run: handshake },
  { name: "100 ESP packets", run: packets },
  { name: "resumption", run: resumption },
  { name: "crash recovery", run: recovery },
];

/** Those of a device that has a ticket and no key exchange. */
export const RESUMING: readonly Scenario[] = SCENARIOS.slice(2);

/** A host makes the handshake, and hands the ticket over to the device. */
export async function commission(host: Engine, device: Engine): Promise<Scene> {
  const scene = makeScene(host);
  await handshake(scene);
  scene.engine = device;
  return scene;
}
