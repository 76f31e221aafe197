/** Situations that many tests begin with, and what there is to say about them. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import type { ChildFailure, Identification, Profile, Session, Step } from "ikelet";
import {
  concat,
  deletePayload,
  Exchange,
  encodeMessage,
  find,
  type Header,
  hex,
  type Options,
  type Payload,
  type Responder,
  type Seen,
} from "../responder/index.ts";
import { connect, type Device, deliver, exchange, makeDevice, makeGateway, only } from "./harness.ts";

/** The only element. */
export function one<T>(list: readonly T[]): T {
  assert.equal(list.length, 1);
  return list[0] as T;
}

/** A device that has sent the request of IKE_AUTH, and the gateway that is about to get it. */
export function halfWay(
  changes: Partial<Profile> = {},
  options: Partial<Options> = {},
): { device: Device; gateway: Responder; request: Uint8Array } {
  const device = makeDevice(changes);
  const gateway = makeGateway(options);
  deliver(device, one(gateway.receive(one(device.step.send))));
  assert.equal(device.session.state, "authenticating");
  return { device, gateway, request: one(device.step.send) };
}

/** The message of the device of an exchange, as the gateway read it. */
export function seen(gateway: Responder, type: number): Seen {
  return one(gateway.log.filter(({ direction, exchange }) => direction === "in" && exchange === type));
}

/** The body of the payload of a type in what the gateway read. */
export function bodyOf(payloads: readonly Payload[], type: number): Uint8Array {
  const payload = find(payloads, type);
  if (!payload) throw new Error(`no payload of type ${type}`);
  return payload.body;
}

/** Hands a request of the gateway to the device and carries the answer back: the step, and what the answer holds. */
export function ask(
  device: Device,
  gateway: Responder,
  request: Uint8Array,
): { step: Step; answer: Payload[] } {
  const step = deliver(device, request);
  const count = gateway.answers.length;
  assert.deepEqual(gateway.receive(one(step.send)), []);
  assert.equal(gateway.answers.length, count + 1);
  return { step, answer: gateway.answers[count]!.payloads };
}

/** The datagram was passed over: nothing is sent, the timer runs on, the session is as it was. */
export function assertIgnored(step: Step, before: Session, reason: string, notify?: number): void {
  assert.deepEqual(
    step.events.map((event) => ({ ...event })),
    [{ type: "ignored", reason, notify }],
  );
  assert.deepEqual(step.send, []);
  assert.equal(step.wait, undefined);
  assert.deepEqual(step.session, before);
}

/** The session is over, and nobody is told. */
export function assertClosed(step: Step, reason: string, notify?: number): void {
  const { type, ...rest } = one(step.events);
  assert.equal(type, "closed");
  assert.deepEqual(rest, { reason, notify, hint: undefined });
  assert.deepEqual(step.send, []);
  assert.equal(step.wait, 0);
  assert.equal(step.session.state, "closed");
  assert.equal(step.session.keys, undefined);
}

/** A response of IKE_SA_INIT that is passed over, and the right one after it, with which all goes well. */
export function assertPassedOver(edit: Options["edit"], reason: string, changes?: Partial<Profile>): void {
  const device = makeDevice(changes);
  const gateway = makeGateway();
  const request = one(device.step.send);
  const before = structuredClone(device.session);
  assertIgnored(deliver(device, one(gateway.fork({ edit: edit ?? {} }).receive(request))), before, reason);
  exchange(device, gateway, [request]);
  only(device.events, "established");
  assert.deepEqual(gateway.violations, []);
}

/** A message to the device in the clear, on the SPIs of its session. */
export function inTheClear(
  { session: { spiI, spiR } }: Device,
  payloads: readonly Payload[],
  change: Partial<Header> = {},
): Uint8Array {
  const header = { spiI, spiR, version: 0x20, exchange: Exchange.INFORMATIONAL, flags: 0, messageId: 0 };
  return encodeMessage({ ...header, ...change }, payloads);
}

/** HMAC-SHA2-256 of node:crypto. */
export function mac(key: Uint8Array, ...data: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHmac("sha256", key)
      .update(concat(...data))
      .digest(),
  );
}

/** "Key Pad for IKEv2" in 17 octets, no NUL (RFC 7815 section 2.1). */
export const KEY_PAD: Uint8Array = new Uint8Array(Buffer.from("4b65792050616420666f7220494b457632", "hex"));

/** The body of an ID payload. */
export function idOf({ type, data }: Identification): Uint8Array {
  return concat(Uint8Array.of(type, 0, 0, 0), data);
}

/** The IKE SA came up, the Child SA did not: the device says so and deletes the IKE SA with its next request. */
export function assertChildFails(
  reason: ChildFailure,
  options: Partial<Options>,
  changes: Partial<Profile> = {},
  error?: number,
): { device: Device } {
  const { device, gateway } = connect(changes, options);
  const { type: _, ...failed } = only(device.events, "child-failed");
  assert.deepEqual(failed, { remote: device.profile.remote, reason, notify: error });
  assert.equal(gateway.sa.end, "Delete of the device");
  // The only request after IKE_AUTH is the Delete; there is never a CREATE_CHILD_SA.
  const requests = gateway.log.filter(({ direction, protected: sealed }) => direction === "in" && sealed);
  assert.deepEqual(
    requests.map((m) => [m.exchange, m.messageId, m.flags, m.payloads.length]),
    [
      [35, 1, 0x08, requests[0]!.payloads.length],
      [37, 2, 0x08, 1],
    ],
  );
  assert.equal(hex(requests[1]!.payloads[0]!.body), hex(deletePayload(1).body));
  assert.equal(only(device.events, "closed").reason, "requested");
  assert.equal(device.events.length, 2);
  assert.deepEqual(gateway.violations, []);
  return { device };
}

/** A gateway that changes its response of IKE_AUTH. */
export function edited(auth: (payloads: Payload[]) => Payload[]): Partial<Options> {
  return { edit: { auth } };
}
