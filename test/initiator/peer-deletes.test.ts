/** The gateway deletes SAs (RFC 7296 section 1.4.1). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close, timeout } from "ikelet";
import { deletePayload, Exchange, hex, readHeader, Type, u32 } from "../responder/index.ts";
import { connect, deliver, exchange, octets, only, take } from "./harness.ts";
import { ask, assertIgnored, one } from "./scenes.ts";

test("a Delete of the Child SA names our outbound SPI and closes the pair [7296-1.4.1-a, 7296-1.4.1-b]", () => {
  // D-06
  const { device, gateway } = connect();
  const { child } = only(device.events, "established");
  const { step, answer } = ask(device, gateway, gateway.deleteChild());
  const answered = one(answer);
  assert.deepEqual(
    [answered.type, hex(answered.body)],
    [Type.DELETE, `03040001${hex(u32(child.inbound.spi))}`],
  );
  assert.deepEqual(step.events, [
    { type: "child-deleted", spiIn: child.inbound.spi, spiOut: child.outbound.spi },
  ]);
  assert.equal(device.session.child, undefined);
  // The IKE SA stands.
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  only(device.events, "alive");
  // A second one, in a new request, finds nothing.
  const again = ask(device, gateway, gateway.deleteChild([u32(child.outbound.spi)]));
  assert.deepEqual([again.answer, again.step.events], [[], []]);
  assert.deepEqual(gateway.violations, []);
});

test("a Delete of an SPI that is unknown, or of ours, closes nothing [7296-1.4.1-a, 7296-1.4.1-b]", () => {
  const { device, gateway } = connect();
  const { spiI } = gateway.sa.child!;
  const { child } = device.session;
  // T-29: the SPI of packets to us is for us to name.
  for (const payload of [
    deletePayload(3, [octets(4)]),
    deletePayload(3, [spiI]),
    deletePayload(3, []),
    deletePayload(3, [octets(4, "a"), octets(4, "b")]),
  ]) {
    const { step, answer } = ask(device, gateway, gateway.informational([payload]));
    assert.deepEqual([answer, step.events], [[], []]);
    assert.deepEqual(device.session.child, child);
  }
});

test("several SPIs and several Deletes: each is looked at [7296-1.4.1-a, 7296-1.4.1-b]", () => {
  // D-30
  const strangers = [octets(4, "a"), octets(4, "b")];
  for (const make of [
    (known: Uint8Array) => [deletePayload(3, [...strangers, known])],
    (known: Uint8Array) => [deletePayload(3, [known, ...strangers])],
    (known: Uint8Array) => [deletePayload(3, strangers), deletePayload(3, [known])],
    (known: Uint8Array) => [deletePayload(3, [known]), deletePayload(3, [known])],
  ]) {
    const { device, gateway } = connect();
    const { spiIn } = device.session.child!;
    const { answer } = ask(device, gateway, gateway.informational(make(gateway.sa.child!.spiR)));
    assert.deepEqual(
      answer.map(({ body }) => hex(body)),
      [`03040001${hex(u32(spiIn))}`],
    );
    only(device.events, "child-deleted");
    assert.deepEqual(gateway.violations, []);
  }
});

test("a Delete of the IKE SA: an empty answer with the old keys, then all is gone [7296-1.4.1-c]", () => {
  // D-07
  for (const payloads of [
    [deletePayload(1)],
    [deletePayload(3, [octets(4)]), deletePayload(1)],
    [deletePayload(1), deletePayload(1)],
  ]) {
    const { device, gateway } = connect();
    const { step, answer } = ask(device, gateway, gateway.informational(payloads));
    assert.deepEqual(answer, []);
    assert.equal(gateway.sa.end, "Delete of the gateway");
    assert.deepEqual(step.events, [
      { type: "closed", reason: "deleted", notify: undefined, hint: undefined },
    ]);
    assert.equal(step.wait, 0);
    const { state, keys, child, request } = device.session;
    assert.deepEqual([state, keys, child, request], ["closed", undefined, undefined, undefined]);
    assert.deepEqual(gateway.violations, []);
  }
});

test("after a Delete of the IKE SA its repetition is answered, and nothing else [REC-req-a, 7296-1.4.1-c]", () => {
  const { device, gateway } = connect();
  ask(device, gateway, gateway.liveness());
  const liveness = gateway.sa.open[0]!.datagram;
  const deletion = gateway.deleteIke();
  const first = deliver(device, deletion);
  const after = structuredClone(device.session);
  for (let n = 0; n < 3; n++) {
    const again = deliver(device, deletion);
    assert.deepEqual(again.send, first.send);
    assert.deepEqual([again.events, again.session], [[], after]);
  }
  gateway.sa.stage = "up";
  for (const other of [liveness, gateway.liveness(), gateway.deleteIke(), gateway.rekeyIke()]) {
    const step = deliver(device, other);
    assert.equal(one(step.events).type, "ignored");
    assert.deepEqual([step.send, step.session], [[], after]);
  }
  // How long it lingers is up to the caller, who holds the clock: without the session there is no answer.
  assert.deepEqual(take(device, timeout(device.profile, device.session)).send, []);
});

test("Deletes that cross: an empty answer, and our own exchange is forgotten [7296-1.4.1-d]", () => {
  const { device, gateway } = connect();
  take(device, close(device.profile, device.session));
  const ours = one(device.step.send);
  const { step, answer } = ask(device, gateway, gateway.deleteIke());
  assert.deepEqual(answer, []);
  assert.equal(one(step.events).type, "closed");
  assert.equal(step.wait, 0);
  assert.deepEqual(take(device, timeout(device.profile, device.session)).send, []);
  // The gateway may still answer ours.
  gateway.sa.stage = "up";
  const after = structuredClone(device.session);
  assertIgnored(deliver(device, one(gateway.receive(ours))), after, "unexpected");
});

test("a Delete of the Child SA that crosses ours of the IKE SA: no Delete in the answer [7296-1.4.1-d]", () => {
  const { device, gateway } = connect();
  take(device, close(device.profile, device.session));
  const ours = one(device.step.send);
  const { step, answer } = ask(device, gateway, gateway.deleteChild());
  assert.deepEqual([answer, step.events], [[], []]);
  assert.equal(device.session.state, "closing");
  exchange(device, gateway, [ours]);
  assert.equal(only(device.events, "closed").reason, "requested");
  assert.deepEqual(gateway.violations, []);
});

test("while we close, the gateway's other requests are answered as ever", () => {
  const { device, gateway } = connect();
  take(device, close(device.profile, device.session));
  assert.deepEqual(ask(device, gateway, gateway.liveness()).answer, []);
  const { step, answer } = ask(device, gateway, gateway.rekeyIke());
  assert.equal(hex(one(answer).body), "00000023");
  assert.equal(readHeader(one(step.send)).exchange, Exchange.CREATE_CHILD_SA);
  assert.equal(device.session.state, "closing");
});
