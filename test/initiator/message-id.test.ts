/** Message IDs and exchange types (RFC 7296 sections 2.2 and 3.1). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close, timeout } from "ikelet";
import { Exchange, type Header, readHeader, Type, unknownPayload } from "../responder/index.ts";
import { ask, assertIgnored, established, heard, passesOver, wholeLife } from "./expect.ts";
import { connect, deliver, exchange, makeDevice, makeGateway, only, take } from "./harness.ts";

test("all requests of the initial exchange have Message ID 0, however many cookies [7296-2.2-a]", () => {
  const device = makeDevice();
  const gateway = makeGateway({ cookie: { rounds: 3 } });
  const ids: number[] = [];
  for (let round = 0; round < 4; round++) {
    const [request] = device.step.send;
    ids.push(readHeader(request!).messageId);
    // Once more often than the request before: only then does another cookie count.
    for (let repeats = 0; repeats <= round; repeats++) {
      const [repeat] = take(device, timeout(device.profile, device.session)).send;
      ids.push(readHeader(repeat!).messageId);
    }
    deliver(device, gateway.receive(request!)[0]!);
  }
  assert.deepEqual(ids, new Array(2 + 3 + 4 + 5).fill(0));
  assert.equal(readHeader(device.step.send[0]!).exchange, Exchange.IKE_AUTH);
});

test("own requests count 0, 1, 2, … by exchange, repeats keep theirs [7296-2.2-b, 7296-2.2-c]", () => {
  const { device, gateway } = established();
  const send = (step: typeof device.step) => {
    const [request] = take(device, step).send;
    const [repeat] = take(device, timeout(device.profile, device.session)).send;
    assert.equal(readHeader(repeat!).messageId, readHeader(request!).messageId);
    exchange(device, gateway, [request!]);
  };
  send(checkLiveness(device.profile, device.session));
  send(checkLiveness(device.profile, device.session));
  send(close(device.profile, device.session));
  assert.deepEqual(
    heard(gateway).map(({ exchange, messageId }) => [exchange, messageId]),
    [
      [34, 0],
      [35, 1],
      [37, 2],
      [37, 3],
      [37, 4],
    ],
  );
  assert.deepEqual(gateway.violations, []);

  // A Delete right after the handshake.
  const { device: short } = established();
  const [deletion] = close(short.profile, short.session).send;
  assert.equal(readHeader(deletion!).messageId, 2);
});

test("an answer has the Message ID of its request, counted apart from ours [7296-2.2-c, 7296-2.2-d]", () => {
  const { device, gateway } = established();
  for (let id = 0; id < 10; id++) {
    const request = gateway.liveness();
    assert.equal(readHeader(request).messageId, id);
    assert.deepEqual(ask(device, gateway, request), []);
    assert.equal(gateway.answers.at(-1)!.messageId, id);
    assert.equal(device.session.messageId, 2);
  }
});

test("the four messages with one number are told apart [7296-2.2-d]", () => {
  const { device, gateway } = established();
  for (let id = 0; id < 2; id++) ask(device, gateway, gateway.liveness());
  const [ours] = take(device, checkLiveness(device.profile, device.session)).send;
  const theirs = gateway.liveness();
  assert.deepEqual([readHeader(ours!).messageId, readHeader(theirs).messageId], [2, 2]);
  const [answerOfGateway] = gateway.receive(ours!);
  assert.deepEqual(ask(device, gateway, theirs), []);
  deliver(device, answerOfGateway!);
  only(device.events, "alive");
  assert.equal(gateway.answers.at(-1)!.messageId, 2);
  assert.deepEqual(gateway.violations, []);
});

test("an answer with another Message ID is none, though its integrity is good [7296-2.2-c]", () => {
  for (const messageId of [1, 2, 0x100, 0xffffffff])
    passesOver({ header: (header) => ({ ...header, messageId }) }, "unexpected");
  for (const messageId of [0, 1, 3, 0x102, 0xffffffff]) {
    const { device, gateway } = established();
    const [request] = take(device, checkLiveness(device.profile, device.session)).send;
    const edit = { header: (header: Header) => ({ ...header, messageId }) };
    assertIgnored(device, gateway.fork({ edit }).receive(request!)[0]!, "unexpected");
    exchange(device, gateway, [request!]);
    only(device.events, "alive");
  }
});

test("the Message ID does not wrap: the session ends [7296-2.2-e]", () => {
  const { device, gateway } = established();
  device.session = { ...device.session, messageId: 0xffffffff };
  gateway.sa.expectedId = 0xffffffff;
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  only(device.events, "alive");
  assert.equal(heard(gateway).at(-1)!.messageId, 0xffffffff);
  const { send, session } = take(device, checkLiveness(device.profile, device.session));
  assert.deepEqual(send, []);
  assert.equal(only(device.events, "closed").reason, "exhausted");
  assert.equal(session.state, "closed");
  assert.deepEqual(gateway.violations, []);

  // The gateway's last one is answered, and what it sends with ID 0 again is not.
  const { device: other, gateway: far } = established();
  other.session = { ...other.session, peerMessageId: 0xffffffff };
  const [answer] = deliver(other, far.liveness({ messageId: 0xffffffff })).send;
  assert.equal(readHeader(answer!).messageId, 0xffffffff);
  assertIgnored(other, far.liveness({ messageId: 0 }), "unexpected");
});

test("exchange types 34, 35 and 37 are sent, and a request is answered with its own [7815-A.1-o]", () => {
  const { said, gateway } = wholeLife();
  assert.deepEqual([...new Set(said.map(({ exchange }) => exchange))], [34, 35, 37, 36]);
  assert.deepEqual(
    gateway.answers.map(({ exchange }) => exchange),
    [37, 37, 36, 36, 37],
  );
});

test("an answer of another exchange type is none, though its integrity is good [7815-A.1-o]", () => {
  const types = [0, 33, 34, 35, 36, 37, 38, 43, 255];
  for (const exchange of types) {
    const relabel = { header: (header: Header) => ({ ...header, exchange }) };
    if (exchange !== 34) passesOver(relabel, "unexpected");

    if (exchange !== 35) {
      const device = makeDevice();
      const gateway = makeGateway();
      deliver(device, gateway.receive(device.step.send[0]!)[0]!);
      const [request] = device.step.send;
      assertIgnored(device, gateway.fork({ edit: relabel }).receive(request!)[0]!, "unexpected");
    }
    if (exchange !== 37) {
      const { device, gateway } = established();
      const [request] = take(device, checkLiveness(device.profile, device.session)).send;
      assertIgnored(device, gateway.fork({ edit: relabel }).receive(request!)[0]!, "unexpected");
    }
  }
});

test("SK is the last payload, and there is none inside of it [7815-A.1-n]", () => {
  const { said } = wholeLife();
  for (const { payloads } of said)
    assert.equal(
      payloads.some(({ type }) => type === Type.SK),
      false,
    );

  // Behind SK nothing may follow: the message is dropped, be it a request or an answer.
  const after = { after: [unknownPayload(Type.VENDOR_ID)] };
  const { device, gateway } = established();
  const [request] = take(device, checkLiveness(device.profile, device.session)).send;
  assertIgnored(device, gateway.fork().liveness({ sealing: after }), "malformed");
  assertIgnored(device, gateway.fork({ edit: { sealing: after } }).receive(request!)[0]!, "malformed");
  exchange(device, gateway, [request!]);
  only(device.events, "alive");

  // Inside of SK it makes the message malformed: that is said to a request and never to an answer.
  const inside = [unknownPayload(Type.SK, false, new Uint8Array(40))];
  const asked = established();
  assert.deepEqual(ask(asked.device, asked.gateway, asked.gateway.informational(inside)), [
    { type: Type.NOTIFY, body: Uint8Array.of(0, 0, 0, 7), critical: false, reserved: 0 },
  ]);
  assert.equal(only(asked.device.events, "closed").reason, "malformed");
  const { device: answered, gateway: bad } = connect({}, { edit: { informational: () => inside } });
  const [liveness] = take(answered, checkLiveness(answered.profile, answered.session)).send;
  const { send } = deliver(answered, bad.receive(liveness!)[0]!);
  assert.deepEqual(send, []);
  assert.equal(only(answered.events, "closed").reason, "malformed");
});
