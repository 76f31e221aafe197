/** What tests say about datagrams again and again: this one is taken, that one is passed over. */

import assert from "node:assert/strict";
import { checkLiveness, close, type IgnoredReason, type Profile } from "ikelet";
import {
  type Edit,
  type Options,
  type Payload,
  type Responder,
  type Seen,
  unknownPayload,
} from "../responder/index.ts";
import { connect, type Device, deliver, exchange, makeDevice, makeGateway, only, take } from "./harness.ts";

/** Nothing is sent, nothing is said, and neither session nor timer move. */
export function assertIgnored(device: Device, datagram: Uint8Array, reason?: IgnoredReason): void {
  const before = structuredClone(device.session);
  const { session, events, send, wait } = deliver(device, datagram);
  assert.deepEqual(
    events.map(({ type }) => type),
    ["ignored"],
  );
  const [event] = events;
  if (reason && event?.type === "ignored") assert.equal(event.reason, reason);
  assert.equal(send.length, 0);
  assert.equal(wait, undefined);
  assert.deepEqual(session, before);
}

/** The whole handshake, in which neither side has anything to complain about. */
export function established(
  options: Partial<Options> = {},
  changes: Partial<Profile> = {},
): { device: Device; gateway: Responder } {
  const { device, gateway } = connect(changes, options);
  only(device.events, "established");
  assert.deepEqual(gateway.violations, []);
  assert.deepEqual(gateway.ignored, []);
  return { device, gateway };
}

/** A first response that is wrong is passed over; the right one, which comes later, is taken. */
export function passesOver(edit: Edit, reason?: IgnoredReason, changes: Partial<Profile> = {}): void {
  const device = makeDevice(changes);
  const gateway = makeGateway();
  const [request] = device.step.send;
  const [wrong] = gateway.fork({ edit }).receive(request!);
  assertIgnored(device, wrong!, reason);
  exchange(device, gateway, [request!]);
  only(device.events, "established");
}

/** A request of the gateway, and what is in the answer of the device. */
export function ask(device: Device, gateway: Responder, request: Uint8Array): Payload[] {
  const { send } = deliver(device, request);
  assert.equal(send.length, 1);
  const before = gateway.answers.length;
  assert.deepEqual(gateway.receive(send[0]!), []);
  assert.equal(gateway.answers.length, before + 1);
  return gateway.answers[before]!.payloads;
}

/** The messages of the device as the gateway has read them. */
export function heard(gateway: Responder): Seen[] {
  return gateway.log.filter(({ direction }) => direction === "in");
}

/** A life in which the device says everything that it can say: all its requests, and every kind of answer. */
export function wholeLife(
  changes: Partial<Profile> = {},
  options: Partial<Options> = {},
): { device: Device; gateway: Responder; said: Seen[] } {
  const { device, gateway } = established(
    { cookie: { rounds: 1 }, ...options },
    { initialContact: true, ...changes },
  );
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  ask(device, gateway, gateway.liveness());
  ask(device, gateway, gateway.informational([unknownPayload(200, true)]));
  ask(device, gateway, gateway.rekeyIke());
  ask(device, gateway, gateway.rekeyChild());
  ask(device, gateway, gateway.deleteChild());
  exchange(device, gateway, take(device, close(device.profile, device.session)).send);
  assert.deepEqual(gateway.violations, []);
  assert.equal(only(device.events, "closed").reason, "requested");
  return { device, gateway, said: heard(gateway) };
}
