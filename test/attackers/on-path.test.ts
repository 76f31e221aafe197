/** Somebody on the path who has no keys: our own messages, earlier sessions, and messages with a header of his own. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close, type Profile } from "ikelet";
import { sha1 } from "ikelet/crypto/sha1.js";
import { nat } from "ikelet/nat.js";
import { qcd } from "ikelet/qcd.js";
import { requestTicket, resumption } from "ikelet/resumption.js";
import { assertIgnored, established } from "../initiator/expect.ts";
import {
  connect,
  type Device,
  deliver,
  exchange,
  makeDevice,
  makeGateway,
  octets,
  only,
  take,
} from "../initiator/harness.ts";
import { bodyOf, halfWay, seen } from "../initiator/scenes.ts";
import {
  type Bytes,
  Exchange,
  fqdn,
  notify,
  type Options,
  patch,
  type Responder,
  seededRandom,
  Type,
  unprotectedResponse,
} from "../responder/index.ts";
import { halfResumed, present } from "../resumption/scenes.ts";

interface Pair {
  readonly device: Device;
  readonly gateway: Responder;
}

const ALL: Partial<Profile> = { extensions: [resumption(), qcd()] };
const GENEROUS: Partial<Options> = { tickets: {}, qcd: { secrets: [octets(32, "secret of the gateway")] } };

function then(act: (pair: Pair) => void): Pair {
  const pair = established(GENEROUS, ALL);
  act(pair);
  return pair;
}

const STATES: Readonly<Record<string, () => Pair>> = {
  initiating: () => ({ device: makeDevice(ALL), gateway: makeGateway(GENEROUS) }),
  authenticating: () => halfWay(ALL, GENEROUS),
  established: () => established(GENEROUS, ALL),
  resuming: () => {
    const { device, gateway } = established(GENEROUS, ALL);
    return { device: present(only(device.events, "ticket").ticket, device.profile), gateway };
  },
  "authenticating with a ticket": () => halfResumed(),
  asking: () => then(({ device }) => take(device, checkLiveness(device.profile, device.session))),
  "asking for a ticket": () =>
    then(({ device }) => take(device, requestTicket(device.profile, device.session))),
  closing: () => then(({ device }) => take(device, close(device.profile, device.session))),
  "closed by the gateway": () => then(({ device, gateway }) => deliver(device, gateway.deleteIke())),
};

/** All that the device has sent so far, and a request and an answer more. */
function ownMessages({ device, gateway }: Pair): Bytes[] {
  const sent = gateway.log.filter(({ direction }) => direction === "in").map(({ datagram }) => datagram);
  return [...sent, ...device.step.send, ...(device.session.request ? [device.session.request] : [])];
}

for (const [state, make] of Object.entries(STATES))
  test(`our own messages come back: ${state}`, () => {
    const pair = make();
    for (const datagram of ownMessages(pair)) {
      assertIgnored(pair.device, datagram);
      // As if it came from the responder, as a response, and as both.
      for (const flags of [0, 0x20, 0x28]) assertIgnored(pair.device, patch(datagram, 19, flags));
    }
  });

/** Everything that went to and fro in a life with a handshake, requests of both sides, a resumption and a Delete. */
function wholeLife(seed: string): Bytes[] {
  const device = makeDevice(ALL, seed);
  const gateway = makeGateway({ ...GENEROUS, random: seededRandom(seed) });
  const wire: Bytes[] = [];
  const run = (pair: Device, sends: readonly Bytes[]): void => exchange(pair, gateway, sends);
  run(device, device.step.send);
  run(device, take(device, checkLiveness(device.profile, device.session)).send);
  run(device, deliver(device, gateway.rekeyChild()).send);
  const again = present(only(device.events, "ticket").ticket, device.profile);
  run(again, again.step.send);
  run(again, take(again, close(again.profile, again.session)).send);
  wire.push(gateway.unprotected(device.step.send[0] ?? gateway.log[0]!.datagram, notify(4)));
  return [...gateway.log.map(({ datagram }) => datagram), ...wire];
}

test("whole earlier sessions, once more: nothing of them counts", () => {
  const earlier = wholeLife("an earlier session");
  assert.ok(earlier.length > 12, `${earlier.length} datagrams`);
  for (const make of Object.values(STATES)) {
    const pair = make();
    for (const datagram of earlier) assertIgnored(pair.device, datagram);
  }
});

test("with our SPIs in front, they are still sealed with other keys", () => {
  const earlier = wholeLife("an earlier session");
  for (const [state, make] of Object.entries(STATES)) {
    if (state === "initiating" || state === "resuming") continue; // no keys yet
    const { device } = make();
    const { spiI, spiR, messageId, peerMessageId } = device.session;
    for (const datagram of earlier.filter((one) => one[16] === 46))
      for (const [flags, id] of [
        [0x20, messageId - 1],
        [0, peerMessageId],
      ] as const) {
        const forged = patch(datagram, 0, ...spiI, ...spiR);
        assertIgnored(device, patch(patch(forged, 19, flags), 20, 0, 0, 0, id & 0xff));
      }
  }
});

test("no octet of the header of a protected message can be changed", () => {
  const { device, gateway } = established(GENEROUS, ALL);
  take(device, checkLiveness(device.profile, device.session));
  const genuine = [gateway.liveness(), gateway.fork().receive(device.session.request!)[0]!];
  for (const datagram of genuine)
    for (let at = 0; at < 32; at++)
      for (const bit of [1, 8, 0x80]) assertIgnored(device, patch(datagram, at, datagram[at]! ^ bit));
});

const WRONG: Readonly<Record<string, [options: Partial<Options>, reason: string]>> = {
  "another key, which refuses ours": [{ psk: octets(32, "another") }, "refused"],
  "no key, and a made-up AUTH": [{ edit: { authData: () => octets(32, "made up") } }, "authentication"],
  "an AUTH of no octets": [{ edit: { authData: () => new Uint8Array(0) } }, "authentication"],
  "an AUTH of 64 KB": [{ edit: { authData: () => new Uint8Array(60_000) } }, "authentication"],
  "the key, and another name": [{ local: fqdn("gw.example.net") }, "identity"],
};

for (const [name, [options, reason]] of Object.entries(WRONG))
  test(`a gateway with ${name} is not believed [7296-1.2-c]`, () => {
    const { device, gateway, request } = halfWay(ALL, GENEROUS);
    const wrong = gateway.fork(options);
    for (const answer of wrong.receive(request)) deliver(device, answer);
    assert.equal(only(device.events, "closed").reason, reason);
    assert.equal(device.events.length, 1);
    assert.equal(device.session.keys, undefined);
  });

test("our own AUTH, sent back by a gateway that has no key, is not the gateway's", () => {
  const { device, gateway, request } = halfWay(ALL, GENEROUS);
  const reader = gateway.fork();
  reader.receive(request);
  const own = bodyOf(seen(reader, Exchange.IKE_AUTH).payloads, Type.AUTH).slice(4);
  for (const idR of [fqdn("gw.example"), fqdn("device.example")]) {
    const twin: Device = { ...device, events: [] };
    const mirror = gateway.fork({ local: idR, edit: { authData: () => own } });
    for (const answer of mirror.receive(request)) deliver(twin, answer);
    assert.equal(only(twin.events, "closed").reason, "authentication");
  }
});

test("a message from a new address moves nothing unless it is new and genuine", () => {
  const gateway = { address: Uint8Array.of(192, 0, 2, 1), port: 500 };
  const traversal = nat({ sha1, local: { address: Uint8Array.of(10, 0, 0, 2), port: 500 }, remote: gateway });
  const { device, gateway: peer } = connect(
    { extensions: [traversal] },
    { nat: { local: gateway, remote: { address: Uint8Array.of(10, 0, 0, 2), port: 500 } } },
  );
  const liveness = peer.liveness();
  const answered = (datagram: Bytes): boolean => {
    const before = device.session;
    const { session } = deliver(device, datagram);
    return traversal.follows(session, before);
  };
  assert.equal(answered(patch(liveness, 40, 1)), false);
  assert.equal(answered(unprotectedResponse(liveness, [notify(4)])), false);
  assert.equal(answered(octets(80)), false);
  assert.equal(answered(liveness), true);
  // A repetition is answered to where it comes from, and moves nothing.
  assert.equal(answered(liveness), false);
});
