/** The demand for a cookie (RFC 7296 section 2.6). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { timeout } from "ikelet";
import {
  concat,
  cookieRetry,
  find,
  hex,
  Notify,
  notify,
  type Payload,
  prfOf,
  pskAuth,
  readAuth,
  Type,
  u16,
  u32,
  unprotectedResponse,
} from "../responder/index.ts";
import { assertIgnored, established, heard } from "./expect.ts";
import {
  type Device,
  deliver,
  exchange,
  makeDevice,
  makeGateway,
  octets,
  only,
  PSK,
  take,
} from "./harness.ts";

/** What the gateway, or somebody else, answers to the latest request. */
function demand(device: Device, ...payloads: Payload[]): Uint8Array {
  return unprotectedResponse(device.session.request!, payloads);
}

const cookie = (data: Uint8Array) => notify(Notify.COOKIE, data);

test("the cookie goes in front, everything else stays [7296-2.6-f, 7296-2.6-h]", () => {
  for (const length of [1, 2, 7, 32, 63, 64]) {
    const device = makeDevice();
    const [request] = device.step.send;
    const data = octets(length, "cookie");
    const [retry] = deliver(device, demand(device, cookie(data))).send;
    const payload = concat(Uint8Array.of(33, 0), u16(8 + length), Uint8Array.of(0, 0, 0x40, 0x06), data);
    const expected = concat(
      request!.slice(0, 8),
      new Uint8Array(8),
      Uint8Array.of(41, 0x20, 34, 0x08, 0, 0, 0, 0),
      u32(request!.length + payload.length),
      payload,
      request!.slice(28),
    );
    assert.equal(hex(retry!), hex(expected));
  }
});

test("SPI, nonce, public value and proposal are those of the first request [7296-2.6-h]", () => {
  const { gateway } = established({ cookie: { rounds: 3 } });
  const [first, ...retries] = heard(gateway).slice(0, 4);
  assert.equal(retries.length, 3);
  for (const retry of retries) {
    assert.equal(retry.messageId, 0);
    assert.deepEqual(retry.payloads.slice(1), first!.payloads);
    assert.deepEqual(retry.datagram.slice(0, 8), first!.datagram.slice(0, 8));
  }
});

test("a cookie has 1 to 64 octets: others are passed over, and it is waited on [7296-2.6-g]", () => {
  for (const length of [1, 64]) {
    const { gateway } = established({ cookie: { rounds: 1, data: length } });
    assert.equal(heard(gateway)[1]!.payloads[0]!.body.length, 4 + length);
  }
  for (const length of [0, 65, 66, 255, 256, 1000]) {
    const device = makeDevice();
    const gateway = makeGateway();
    const [request] = device.step.send;
    assertIgnored(device, demand(device, cookie(octets(length))), "malformed");
    assert.deepEqual(take(device, timeout(device.profile, device.session)).send, [request]);
    exchange(device, gateway);
    only(device.events, "established");
  }
});

test("AUTH covers the request that was sent last [7296-2.6-i]", () => {
  for (const rounds of [1, 2, 5]) {
    const { gateway } = established({ cookie: { rounds } });
    const messages = heard(gateway);
    const last = messages[rounds]!.datagram;
    assert.deepEqual(gateway.sa.messageI, last);
    const { payloads } = messages[rounds + 1]!;
    const { nonceR, keys } = gateway.sa;
    const authOf = (message: Uint8Array) =>
      pskAuth(prfOf(5)!, PSK, keys.skPi, message, nonceR, find(payloads, Type.IDi)!.body);
    const { data } = readAuth(find(payloads, Type.AUTH)!.body);
    assert.equal(hex(data), hex(authOf(last)));
    assert.notEqual(hex(data), hex(authOf(messages[0]!.datagram)));
  }
});

test("a new cookie takes the place of the old one [7296-2.6-j, 7296-2.6-f]", () => {
  const device = makeDevice();
  const [request] = device.step.send;
  for (const length of [64, 1, 8, 33]) {
    const data = octets(length, `cookie ${length}`);
    const [retry] = deliver(device, demand(device, cookie(data))).send;
    assert.equal(hex(retry!), hex(cookieRetry(request!, data)));
  }
});

test("five cookies are sent back; then it is waited, and the answer still counts [7296-2.6-j]", () => {
  const device = makeDevice();
  const [request] = device.step.send;
  let retry = request!;
  for (let round = 0; round < 5; round++)
    [retry] = deliver(device, demand(device, cookie(octets(8, `${round}`)))).send as [Uint8Array];
  for (let round = 0; round < 50; round++)
    assertIgnored(device, demand(device, cookie(octets(8, `more ${round}`))), "cookie");
  // The retry with the fifth goes on being repeated.
  const late = structuredClone(device.session);
  for (let sends = 2; sends <= 8; sends++) {
    assertIgnored(device, demand(device, cookie(octets(8, `late ${sends}`))), "cookie");
    const step = take(device, timeout(device.profile, device.session));
    assert.deepEqual([step.send, step.wait], [[retry], 1000 * 2 ** (sends - 1)]);
  }
  take(device, timeout(device.profile, device.session));
  assert.equal(only(device.events, "closed").reason, "timeout");

  const other: Device = { ...makeDevice(), session: late, events: [] };
  const gateway = makeGateway();
  exchange(other, gateway, [retry]);
  only(other.events, "established");
  assert.deepEqual(gateway.sa.messageI, retry);

  // Fewer are no matter.
  for (const rounds of [1, 2, 3, 4, 5]) established({ cookie: { rounds } });
});

test("on a slow way each repetition gets a cookie, and the first one of them counts [7296-2.6-i]", () => {
  for (const repetitions of [1, 2, 4]) {
    const device = makeDevice();
    const gateway = makeGateway();
    // A cookie may hold the time at which it was made.
    const cookies = [demand(device, cookie(octets(20, "0")))];
    for (let n = 1; n <= repetitions; n++) {
      take(device, timeout(device.profile, device.session));
      cookies.push(demand(device, cookie(octets(20, `${n}`))));
    }
    const [first, ...others] = cookies;
    const [retry] = deliver(device, first!).send;
    const [answer] = gateway.receive(retry!);
    for (const late of others) {
      assertIgnored(device, late, "cookie");
      // As far away as the gateway is, so long after one another do they come.
      assert.deepEqual(take(device, timeout(device.profile, device.session)).send, [retry]);
    }
    // Without an answer even now, the gateway may well want another one.
    const twin: Device = { ...device, events: [] };
    assertIgnored(twin, demand(twin, cookie(octets(20, "more"))), "cookie");
    take(twin, timeout(twin.profile, twin.session));
    assert.notDeepEqual(deliver(twin, demand(twin, cookie(octets(20, "more")))).send, []);

    exchange(device, gateway, deliver(device, answer!).send);
    only(device.events, "established");
  }
});

test("the cookie stays in all that follows, also after an error, until there is a new one [7296-2.6.1-a]", () => {
  for (const error of [
    notify(Notify.INVALID_KE_PAYLOAD, u16(19)),
    notify(Notify.NO_PROPOSAL_CHOSEN),
    notify(9999),
  ]) {
    const device = makeDevice();
    const gateway = makeGateway({ cookie: { rounds: 2 } });
    const [request] = device.step.send;
    const [retry] = deliver(device, gateway.receive(request!)[0]!).send;
    assert.deepEqual(deliver(device, demand(device, error)).send, []);
    assert.deepEqual(take(device, timeout(device.profile, device.session)).send, [retry]);
    // The gateway wants another one now.
    exchange(device, gateway, [retry!]);
    only(device.events, "established");
    assert.deepEqual(gateway.violations, []);
    assert.equal(heard(gateway).length, 4);
  }
});

test("a forged cookie costs a packet each way and no more [7296-2.6-k]", () => {
  for (const options of [{}, { cookie: { rounds: 1 } }, { cookie: { rounds: 2 } }]) {
    const device = makeDevice();
    const gateway = makeGateway(options);
    const [request] = device.step.send;
    const forged = demand(device, cookie(octets(16, "forged")));
    const genuine = gateway.receive(request!);
    const [retry] = deliver(device, forged).send;
    if (!options.cookie) {
      // The answer to the first request is good for keys, but AUTH covers the latest.
      const twin: Device = { ...makeDevice(), session: structuredClone(device.session), events: [] };
      exchange(twin, gateway.fork(), deliver(twin, genuine[0]!).send);
      assert.equal(only(twin.events, "closed").reason, "refused");
    }
    exchange(device, options.cookie ? gateway : makeGateway(), [retry!]);
    only(device.events, "established");
  }
});

test("a puzzle beside the cookie is passed over [8019-7.1.2-a]", () => {
  // RFC 8019 section 8.1: PRF and difficulty.
  const puzzle = notify(Notify.PUZZLE, Uint8Array.of(0, 5, 18));
  for (const order of [(p: Payload[]) => p, (p: Payload[]) => [...p].reverse()]) {
    const device = makeDevice();
    const [request] = device.step.send;
    const data = octets(32, "cookie");
    const [retry] = deliver(device, demand(device, ...order([cookie(data), puzzle]))).send;
    assert.equal(hex(retry!), hex(cookieRetry(request!, data)));
  }
  const { gateway } = established({ cookie: { rounds: 1, beside: [puzzle] } });
  assert.deepEqual(
    heard(gateway)[1]!.payloads.map(({ type }) => type),
    [Type.NOTIFY, Type.SA, Type.KE, Type.NONCE],
  );
});

test("a puzzle without a cookie is no message [8019-7.1.2-b]", () => {
  const device = makeDevice();
  const [request] = device.step.send;
  assertIgnored(device, demand(device, notify(Notify.PUZZLE, Uint8Array.of(0, 5, 18))), "malformed");
  assert.deepEqual(take(device, timeout(device.profile, device.session)).send, [request]);
});

test("a puzzle in a normal answer is not solved: there is no PS payload [8019-7.2.2-a]", () => {
  const puzzle = notify(Notify.PUZZLE, Uint8Array.of(0, 5, 18));
  const { gateway } = established({ edit: { saInit: (payloads) => [...payloads, puzzle] } });
  const { payloads } = heard(gateway)[1]!;
  // 54: Puzzle Solution.
  assert.equal(
    payloads.some(({ type }) => type === 54),
    false,
  );
  assert.equal(payloads[0]!.type, Type.IDi);
});

test("a cookie in a normal answer is no demand, and one beside a part of it is none either [REC-coo-a]", () => {
  const data = octets(8, "cookie");
  const { gateway } = established({ edit: { saInit: (payloads) => [cookie(data), ...payloads] } });
  assert.equal(heard(gateway).length, 2);
  for (const kept of [[Type.SA], [Type.KE], [Type.NONCE], [Type.SA, Type.KE], [Type.KE, Type.NONCE]]) {
    const device = makeDevice();
    const other = makeGateway();
    const [request] = device.step.send;
    const saInit = (payloads: Payload[]) => [
      cookie(data),
      ...payloads.filter(({ type }) => kept.includes(type as never)),
    ];
    const [answer] = other.fork({ edit: { saInit } }).receive(request!);
    assertIgnored(device, answer!, "malformed");
    exchange(device, other, [request!]);
    only(device.events, "established");
  }
});
