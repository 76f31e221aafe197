/** Repeating a request, and giving up (RFC 7296 sections 2.1 and 2.4). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close, entropyLength, initiate, type Profile, timeout } from "ikelet";
import {
  type Edit,
  flip,
  Notify,
  notify,
  patch,
  type Responder,
  unknownPayload,
  unprotectedResponse,
} from "../responder/index.ts";
import { ask, assertIgnored, established } from "./expect.ts";
import {
  type Device,
  deliver,
  exchange,
  makeDevice,
  makeGateway,
  makeProfile,
  octets,
  only,
  take,
} from "./harness.ts";

/** Every request that can be unanswered, with its gateway, which has not got it yet. */
function requests(changes: Partial<Profile> = {}): { name: string; device: Device; gateway: Responder }[] {
  const init = { device: makeDevice(changes), gateway: makeGateway() };

  const cookie = { device: makeDevice(changes), gateway: makeGateway({ cookie: { rounds: 1 } }) };
  deliver(cookie.device, cookie.gateway.receive(cookie.device.step.send[0]!)[0]!);

  const auth = { device: makeDevice(changes), gateway: makeGateway() };
  deliver(auth.device, auth.gateway.receive(auth.device.step.send[0]!)[0]!);

  const liveness = established({}, changes);
  take(liveness.device, checkLiveness(liveness.device.profile, liveness.device.session));

  const deletion = established({}, changes);
  take(deletion.device, close(deletion.device.profile, deletion.device.session));

  return [
    { name: "IKE_SA_INIT", ...init },
    { name: "IKE_SA_INIT with a cookie", ...cookie },
    { name: "IKE_AUTH", ...auth },
    { name: "INFORMATIONAL", ...liveness },
    { name: "Delete", ...deletion },
  ];
}

const repeat = (device: Device) => take(device, timeout(device.profile, device.session));

/** Lets time pass until the end: what was sent, and how long it was waited for. */
function exhaust(device: Device): { sent: Uint8Array[]; waits: number[] } {
  const sent = [...device.step.send];
  const waits = [device.step.wait!];
  while (device.session.state !== "closed") {
    const { send, wait } = repeat(device);
    sent.push(...send);
    if (wait) waits.push(wait);
    assert.equal(sent.length < 30, true);
  }
  assert.equal(device.step.wait, 0);
  return { sent, waits };
}

test("a request is repeated, bit by bit the same, until the session is given up [7815-2.1-s, 7815-2.1-t, 7296-2.2-g, 7296-2.1-b]", () => {
  for (const { name, device } of requests()) {
    const [request] = device.step.send;
    const copy = request!.slice();
    const { sent } = exhaust(device);
    assert.equal(sent.length, 8);
    for (const datagram of sent) assert.deepEqual(datagram, copy);
    const { reason } = only(device.events, "closed");
    assert.equal(reason, name === "Delete" ? "requested" : "timeout");

    // It is over: nothing is repeated any more, nothing is said any more.
    const { send, events, wait } = repeat(device);
    assert.deepEqual([send, events, wait], [[], [], undefined]);
  }
});

test("each wait is twice as long as the one before [7815-2.1-u]", () => {
  for (const { device } of requests())
    assert.deepEqual(exhaust(device).waits, [1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000]);
  const retransmission = { wait: 250, sends: 4 };
  for (const { device } of requests({ retransmission }))
    assert.deepEqual(exhaust(device).waits, [250, 500, 1000, 2000]);
});

test("each session stretches its waits by another part, up to a half, and they double nevertheless [7296-2.4-f]", () => {
  const stretched = (octet: number): number[] => {
    const profile = makeProfile();
    const entropy = octets(entropyLength(profile)).with(7, octet);
    const step = initiate(profile, entropy);
    return exhaust({ profile, session: step.session, step, events: [] }).waits;
  };
  const plain = exhaust(makeDevice()).waits;
  let longest = 0;
  for (let octet = 0; octet < 256; octet++) {
    const waits = stretched(octet);
    const parts = waits.map((wait, i) => wait / plain[i]! - 1);
    assert.ok(Math.max(...parts) < 0.5, "up to a half");
    assert.ok(Math.max(...parts) - Math.min(...parts) < 1e-3, "the same part of each");
    assert.ok(parts[7]! >= longest && (octet === 0 || parts[7]! > longest), "another part for each octet");
    assert.ok(
      waits.every((wait) => Number.isInteger(wait)),
      "whole milliseconds",
    );
    longest = parts[7]!;
  }
  assert.ok(longest > 0.49, "nearly a half");
});

test("eight sends in 255 seconds, and a dozen or more for whoever wants them [7296-2.4-f]", () => {
  // Fewer than the RFC suggests, for as long as it suggests: what a dozen would add is more than an hour.
  const { sent, waits } = exhaust(makeDevice());
  assert.equal(sent.length, 8);
  assert.equal(
    waits.reduce((sum, wait) => sum + wait, 0),
    255_000,
  );
  for (const sends of [1, 12, 13, 20]) {
    const run = exhaust(makeDevice({ retransmission: { wait: 100, sends } }));
    assert.equal(run.sent.length, sends);
    assert.deepEqual(
      run.waits,
      Array.from({ length: sends }, (_, i) => 100 * 2 ** i),
    );
  }
});

test("the request is remembered until its answer comes, however late [7296-2.1-b, 7815-2.1-s]", () => {
  for (const { device, gateway } of requests()) {
    for (let i = 0; i < 7; i++) repeat(device);
    const [request] = device.step.send;
    assert.deepEqual(device.session.request, request);
    const { wait } = deliver(device, gateway.receive(request!)[0]!);
    assert.notEqual(wait, undefined);
    exchange(device, gateway);
    assert.equal(device.session.request, undefined);
    assert.deepEqual(repeat(device).send, []);
    assert.deepEqual(gateway.violations, []);
  }
});

test("the gateway's repeats are answered once each, with the same octets [7815-2.1-s]", () => {
  const { device, gateway } = established();
  const request = gateway.liveness();
  const [answer] = deliver(device, request).send;
  for (let i = 0; i < 3; i++) {
    const { send, events, wait } = deliver(device, request);
    assert.deepEqual([send, events, wait], [[answer], [], undefined]);
  }
  // No timer ever repeats an answer.
  assert.deepEqual(repeat(device).send, []);
  gateway.receive(answer!);
  const next = gateway.liveness();
  assert.notDeepEqual(deliver(device, next).send, [answer]);
});

test("a session that failed leaves nothing of its state and of its Child SA [7296-2.1-c]", () => {
  for (const { device } of requests()) {
    const { spiI, spiR } = device.session;
    exhaust(device);
    assert.deepEqual(device.session, {
      state: "closed",
      spiI,
      spiR,
      messageId: 0,
      peerMessageId: 0,
      ivCounter: 0,
      sends: 0,
    });
  }
});

test("what is dropped neither stops nor resets the timer [REC-ret-a]", () => {
  for (const { name, device, gateway } of requests()) {
    const [request] = device.step.send;
    const answer = (edit: Edit) => gateway.fork({ edit }).receive(request!)[0]!;
    const good = answer({});
    const inTheClear = name.startsWith("IKE_SA_INIT");
    const junk = [
      new Uint8Array(0),
      octets(100),
      request!,
      good.slice(0, -1),
      answer({ header: (header) => ({ ...header, messageId: header.messageId + 1 }) }),
      answer({ header: (header) => ({ ...header, exchange: 38 }) }),
      answer({ header: (header) => ({ ...header, spiI: octets(8, "another") }) }),
      answer({ header: (header) => ({ ...header, version: 0x30 }) }),
      patch(good, 19, 0),
      ...(inTheClear
        ? [answer({ saInit: (payloads) => [...payloads, unknownPayload(200, true)] })]
        : [flip(good, good.length - 1), gateway.unprotected(request!, notify(Notify.INVALID_SYNTAX))]),
    ];
    for (let sends = 1; sends < 8; sends++) {
      assert.equal(device.session.sends, sends);
      for (const datagram of junk) assertIgnored(device, datagram);
      const { send, wait } = repeat(device);
      assert.deepEqual(send, [request]);
      assert.equal(wait, 1000 * 2 ** sends);
    }
    deliver(device, gateway.receive(request!)[0]!);
    assert.equal(device.session.state === "closed", name === "Delete");
  }
});

test("an error in the clear is remembered, and the timer runs on [REC-ret-a]", () => {
  const device = makeDevice();
  const [request] = device.step.send;
  for (let sends = 1; sends < 8; sends++) {
    const error = unprotectedResponse(request!, [notify(Notify.NO_PROPOSAL_CHOSEN)]);
    const { send, wait, session } = deliver(device, error);
    assert.deepEqual([send, wait, session.sends, session.state], [[], undefined, sends, "initiating"]);
    assert.deepEqual(session.request, request);
    const next = repeat(device);
    assert.deepEqual([next.send, next.wait], [[request], 1000 * 2 ** sends]);
  }
  repeat(device);
  assert.equal(only(device.events, "closed").hint?.notify, Notify.NO_PROPOSAL_CHOSEN);
});

test("an answer that comes twice counts once [REC-ret-b]", () => {
  for (const { device, gateway } of requests()) {
    const [answer] = gateway.receive(device.step.send[0]!);
    deliver(device, answer!);
    for (let i = 0; i < 3; i++) {
      const events = device.events.length;
      assertIgnored(device, answer!, device.session.handshake ? "unexpected" : undefined);
      assert.equal(device.events.length, events);
    }
  }
  // As the rows of the matrix have it: one IKE_AUTH request, one event.
  const device = makeDevice();
  const gateway = makeGateway();
  const [first] = gateway.receive(device.step.send[0]!);
  const [auth] = deliver(device, first!).send;
  assertIgnored(device, first!, "unexpected");
  const [second] = gateway.receive(auth!);
  deliver(device, second!);
  assertIgnored(device, second!, "unexpected");
  assertIgnored(device, first!, "unexpected");
  only(device.events, "established");
});

test("the retry with a cookie has repeats and waits of its own [7296-2.1-d]", () => {
  const device = makeDevice();
  const gateway = makeGateway({ cookie: { rounds: 1 } });
  const [request] = device.step.send;
  for (let i = 0; i < 5; i++) repeat(device);
  assert.equal(device.step.wait, 32000);
  const { send, wait } = deliver(device, gateway.receive(request!)[0]!);
  assert.equal(wait, 1000);
  assert.notDeepEqual(send[0], request);
  const { sent, waits } = exhaust(device);
  assert.equal(sent.length, 8);
  assert.equal(waits[7], 128000);
  for (const datagram of sent) assert.deepEqual(datagram, send[0]);
});

test("nothing in the clear is ever said to what is not understood, by arrival or by timer [7296-2.1-e]", () => {
  const { device, gateway } = established();
  const request = gateway.liveness({ messageId: 0 });
  const offending = [
    gateway.unprotected(request, notify(Notify.INVALID_IKE_SPI)),
    patch(request, 0, request[0]! ^ 1),
    patch(request, 17, 0x30),
    patch(request, 18, 99),
    flip(request, 40),
    octets(80),
  ];
  for (const datagram of offending) {
    assertIgnored(device, datagram);
    const { send, events, wait, session } = repeat(device);
    assert.deepEqual([send, events, wait], [[], [], undefined]);
    assert.equal(session.state, "established");
  }
  assert.deepEqual(ask(device, gateway, gateway.liveness()), []);
});

test("a late call repeats once, a needless one does nothing [REC-ret-c]", () => {
  // There is no clock inside: however late it is, a call is one step of the series.
  for (const { device } of requests()) {
    const [request] = device.step.send;
    for (let sends = 2; sends <= 8; sends++) {
      const { send, wait } = repeat(device);
      assert.deepEqual(send, [request]);
      assert.equal(wait, 1000 * 2 ** (sends - 1));
    }
  }
  const { device } = established();
  const before = structuredClone(device.session);
  for (let i = 0; i < 30; i++) {
    const { send, events, wait } = repeat(device);
    assert.deepEqual([send, events, wait], [[], [], undefined]);
  }
  assert.deepEqual(device.session, before);
});

test("a step leaves the session that it came from as it was: the timer may be asked twice [REC-ret-c]", () => {
  for (const { device } of requests()) {
    const before = structuredClone(device.session);
    const once = timeout(device.profile, device.session);
    assert.deepEqual(timeout(device.profile, device.session), once);
    assert.deepEqual(device.session, before);
  }
});
