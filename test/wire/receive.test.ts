/** receive() is the one door for datagrams: whatever comes in, it returns, and junk changes nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkLiveness, close, receive, type State } from "ikelet";
import {
  type Device,
  deliver,
  exchange,
  makeDevice,
  makeGateway,
  only,
  octets as seeded,
  take,
} from "../initiator/harness.ts";
import { encodeChain, encodeHeader, type Payload, type Responder } from "../responder/index.ts";

interface Scene {
  readonly name: string;
  readonly state: State;
  readonly device: Device;
  readonly gateway: Responder;
  /** What the device would take, if there is anything left that it takes. */
  readonly genuine: Uint8Array;
}

function scene(name: string, state: State, device: Device, gateway: Responder, genuine: Uint8Array): Scene {
  assert.equal(device.session.state, state);
  return { name, state, device, gateway, genuine };
}

function connected(): [Device, Responder] {
  const device = makeDevice();
  const gateway = makeGateway();
  exchange(device, gateway);
  only(device.events, "established");
  return [device, gateway];
}

const answer = (device: Device, gateway: Responder) => gateway.receive(device.step.send[0]!)[0]!;

/** Every state, with and without a request that is unanswered, with and without an answer to repeat. */
function scenes(): Scene[] {
  const list: Scene[] = [];
  {
    const [device, gateway] = [makeDevice(), makeGateway()];
    list.push(scene("initiating", "initiating", device, gateway, answer(device, gateway)));
  }
  {
    const [device, gateway] = [makeDevice(), makeGateway()];
    deliver(device, answer(device, gateway));
    list.push(scene("authenticating", "authenticating", device, gateway, answer(device, gateway)));
  }
  {
    const [device, gateway] = connected();
    list.push(scene("established", "established", device, gateway, gateway.liveness()));
  }
  {
    const [device, gateway] = connected();
    const request = gateway.liveness();
    deliver(device, request);
    list.push(scene("established, the last request once more", "established", device, gateway, request));
  }
  {
    const [device, gateway] = connected();
    take(device, checkLiveness(device.profile, device.session));
    list.push(scene("established, asking", "established", device, gateway, answer(device, gateway)));
  }
  {
    const [device, gateway] = connected();
    take(device, close(device.profile, device.session));
    list.push(scene("closing", "closing", device, gateway, answer(device, gateway)));
  }
  {
    const [device, gateway] = connected();
    const deletion = gateway.deleteIke();
    deliver(device, deletion);
    list.push(scene("closed by the gateway", "closed", device, gateway, deletion));
  }
  {
    const [device, gateway] = connected();
    take(device, close(device.profile, device.session));
    deliver(device, answer(device, gateway));
    list.push(scene("closed by us", "closed", device, gateway, gateway.liveness()));
  }
  return list;
}

/** Passed over, with the session as it was. A hint of an error in the clear is all that may be added to it. */
function assertPassedOver({ device }: Scene, datagram: Uint8Array): void {
  const before = structuredClone(device.session);
  const copy = datagram.slice();
  const { session, send, events, wait } = receive(device.profile, device.session, datagram);
  assert.deepEqual(datagram, copy);
  assert.deepEqual(device.session, before);
  assert.deepEqual([send.length, events.length, wait], [0, 1, undefined]);
  const [event] = events;
  assert.equal(event?.type, "ignored");
  if (event?.type === "ignored" && event.reason === "hint") {
    assert.equal(before.state, "initiating");
    assert.equal(session.hint?.notify, event.notify);
    assert.deepEqual({ ...session, hint: before.hint }, { ...before, hint: before.hint });
  } else assert.deepEqual(session, before);
}

const octets = (min: number, max: number = min) => fc.uint8Array({ minLength: min, maxLength: max });
const octet = fc.integer({ min: 0, max: 0xff });

test("any octets", () => {
  const all = scenes();
  fc.assert(
    fc.property(octets(0, 200), (datagram) => {
      for (const one of all) assertPassedOver(one, datagram);
    }),
    { numRuns: 300 },
  );
});

test("any octets behind the header that is awaited", () => {
  for (const one of scenes()) {
    const lengths = octets(0, 200);
    fc.assert(
      fc.property(lengths, fc.option(octet), (body, next) => {
        const datagram = new Uint8Array([...one.genuine.slice(0, 28), ...body]);
        datagram.set([0, 0, datagram.length >> 8, datagram.length & 0xff], 24);
        if (next !== null) datagram[16] = next;
        assertPassedOver(one, datagram);
      }),
      { numRuns: 100 },
    );
  }
});

/** Chains of payloads that hold together, of all types but cookies, which would be answered. */
const payloads: fc.Arbitrary<Payload[]> = fc.array(
  fc
    .record({
      type: fc.oneof(fc.integer({ min: 33, max: 48 }), octet).filter((type) => type > 0),
      body: octets(0, 50),
      critical: fc.boolean(),
      reserved: fc.integer({ min: 0, max: 0x7f }),
    })
    .filter(({ type, body }) => type !== 41 || !(body[2] === 0x40 && body[3] === 0x06)),
  { maxLength: 6 },
);

test("any chain of payloads in the clear", () => {
  for (const one of scenes()) {
    const [spiI, spiR] = [one.genuine.slice(0, 8), one.genuine.slice(8, 16)];
    const [exchange, flags, messageId] = [one.genuine[18]!, one.genuine[19]!, one.genuine[23]!];
    const header = { spiI, spiR, version: 0x20, exchange, flags, messageId };
    fc.assert(
      fc.property(payloads, (list) => {
        const chain = encodeChain(list);
        const first = encodeHeader(header, list[0]?.type ?? 0, 28 + chain.length);
        assertPassedOver(one, new Uint8Array([...first, ...chain]));
      }),
      { numRuns: 200 },
    );
  }
});

test("every truncation of what is genuine, and every octet too many", () => {
  for (const one of scenes()) {
    for (let length = 0; length < one.genuine.length; length++)
      assertPassedOver(one, one.genuine.slice(0, length));
    assertPassedOver(one, new Uint8Array([...one.genuine, 0]));
    assertPassedOver(one, new Uint8Array([...one.genuine, ...one.genuine]));
  }
});

const flipped = (datagram: Uint8Array, bit: number) => {
  const copy = datagram.slice();
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
};

test("every flipped bit of what is genuine and protected", () => {
  for (const one of scenes())
    if (one.state !== "initiating")
      for (let bit = 0; bit < 8 * one.genuine.length; bit++) assertPassedOver(one, flipped(one.genuine, bit));
});

test("every flipped bit of the first response, which is in the clear: passed over, or found out by AUTH", () => {
  const one = scenes()[0]!;
  const { device, gateway, genuine } = one;
  const tested = fc.integer({ min: 0, max: 8 * genuine.length - 1 });
  fc.assert(
    fc.property(tested, (bit) => {
      const damaged = flipped(genuine, bit);
      const step = receive(device.profile, device.session, damaged);
      if (step.session.state === "initiating") return assertPassedOver(one, damaged);
      // What differs for both sides is the response, or the SPIs, the nonce or the public value in it.
      assert.equal(step.session.state, "authenticating");
      const twin: Device = { profile: device.profile, session: step.session, step, events: [] };
      exchange(twin, gateway.fork());
      assert.notEqual(twin.session.state, "established");
      assert.equal(
        twin.events.some(({ type }) => type === "established"),
        false,
      );
    }),
    { numRuns: 200 },
  );
});

test("any octets inside of SK, sealed by the gateway itself: an answer or an end, never an exception", () => {
  const states = ["authenticating", "established", "established, asking", "closing"];
  for (const { device, gateway, name } of scenes().filter((one) => states.includes(one.name))) {
    // A response for what is unanswered, a request otherwise.
    const asking = name !== "established";
    const exchangeType = name === "authenticating" ? 35 : 37;
    const messageId = asking ? device.session.messageId - 1 : device.session.peerMessageId;
    const header = { flags: asking ? 0x20 : 0 };
    const check = (inner: Uint8Array, firstType: number) => {
      const datagram = gateway.request(exchangeType, [], {
        messageId,
        header,
        sealing: { inner, firstType },
      });
      gateway.sa.open = [];
      gateway.log = [];
      const before = structuredClone(device.session);
      const { send, events, session } = receive(device.profile, device.session, datagram);
      assert.deepEqual(device.session, before);
      assert.equal(send.length <= 1, true);
      if (name === "authenticating") {
        assert.equal(session.state, "closed");
        assert.equal(events[0]?.type, "closed");
      }
      for (const { type } of events) assert.notEqual(type, "ignored");
    };
    fc.assert(
      fc.property(octets(0, 120), octet, (inner, first) => check(inner, first)),
      { numRuns: 100 },
    );
    fc.assert(
      fc.property(payloads, (list) => check(encodeChain(list), list[0]?.type ?? 0)),
      { numRuns: 150 },
    );
  }
});

test("the memory of a datagram may be used again", () => {
  for (const { device, genuine, gateway, state } of scenes()) {
    if (state === "closed") continue;
    const buffer = genuine.slice();
    const step = take(device, receive(device.profile, device.session, buffer));
    const before = structuredClone(step);
    buffer.set(seeded(buffer.length, "overwritten"));
    assert.deepEqual(step, before);
    exchange(device, gateway);
    assert.equal(device.session.handshake, undefined);
  }
});
