/** What is done with is overwritten: seen through contracts that keep the very buffers that they got and gave. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close, type Session, timeout, wipe } from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCmac } from "ikelet/crypto/aes-cmac.js";
import type { KeyExchange, Prf } from "ikelet/crypto/contracts.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { p256 } from "ikelet/crypto/p256.js";
import { p384 } from "ikelet/crypto/p384.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import { qcd } from "ikelet/qcd.js";
import { resumption } from "ikelet/resumption.js";
import { established } from "../initiator/expect.ts";
import {
  connect,
  type Device,
  deliver,
  makeDevice,
  makeProfile,
  octets,
  only,
  take,
} from "../initiator/harness.ts";
import { LIVES, live, simply } from "../initiator/lives.ts";
import { halfWay } from "../initiator/scenes.ts";
import {
  type Bytes,
  equal,
  hex,
  prfOf,
  type Responder,
  resumedSkeyseedOf,
  skeyseedOf,
} from "../responder/index.ts";
import { halfResumed, present, resumable } from "../resumption/scenes.ts";

interface Kept {
  /** The buffer itself. */
  readonly buffer: Bytes;
  /** What was in it then. */
  readonly octets: Bytes;
}

const keep = (list: Kept[], buffer: Bytes): Bytes => {
  list.push({ buffer, octets: buffer.slice() });
  return buffer;
};

function spying(prf: Prf, keyExchange: KeyExchange) {
  const keys: Kept[] = [];
  const outputs: Kept[] = [];
  const shared: Kept[] = [];
  const spyingPrf: Prf = {
    ...prf,
    keyed: (key) => {
      const compute = prf.keyed(keep(keys, key));
      return (...chunks) => keep(outputs, compute(...chunks));
    },
  };
  const spyingExchange: KeyExchange = {
    ...keyExchange,
    sharedSecret: (secret, peer) => {
      const value = keyExchange.sharedSecret(secret, peer);
      return value && keep(shared, value);
    },
  };
  return { keys, outputs, shared, prf: spyingPrf, keyExchange: spyingExchange };
}

const isWiped = ({ buffer }: Kept): boolean => buffer.every((octet) => octet === 0);

/** Every buffer that held the octets, of which there has to be one at least, with all the memory behind it. */
function assertWiped(list: readonly Kept[], secret: Bytes, name: string): void {
  const found = list.filter(({ octets: was }) => equal(was, secret));
  assert.notEqual(found.length, 0, `${name} was not seen`);
  for (const { buffer } of found)
    assert.ok(
      new Uint8Array(buffer.buffer).every((octet) => octet === 0),
      `${name} is still there`,
    );
}

/** @param skD of the ticket, if there is one */
function checkHandshake(spy: ReturnType<typeof spying>, { sa }: Responder, skD?: Bytes): void {
  const { nonceI, nonceR } = sa;
  const prf = prfOf(spy.prf.transformId)!;
  if (sa.sharedSecret) assertWiped(spy.shared, sa.sharedSecret, "the shared secret");
  assertWiped(spy.keys, sa.keys.skPi, "SK_pi");
  // The blocks of prf+: all outputs but those that go on the wire or into what does.
  const blocks = spy.outputs.filter(isWiped).map(({ octets: was }) => hex(was));
  const stream = blocks.join("");
  for (const [name, key] of Object.entries(sa.keys))
    assert.ok(stream.includes(hex(key)), `${name} is in no block that is overwritten`);
  const seed = skD
    ? resumedSkeyseedOf(prf, skD, nonceI, nonceR)
    : skeyseedOf(prf, nonceI, nonceR, sa.sharedSecret!);
  assertWiped(spy.keys, seed, "SKEYSEED");
}

for (const [name, suite] of Object.entries({
  "ChaCha20-Poly1305, X25519": {
    cipher: makeProfile().suite.cipher,
    spy: () => spying(hmacSha256, x25519),
  },
  "AES-CBC, P-256": { cipher: aesCbc(256, hmacSha256_128), spy: () => spying(hmacSha256, p256) },
  "AES-CMAC, P-384": { cipher: aesCbc(128, hmacSha256_128), spy: () => spying(aesCmac, p384) },
}))
  test(`shared secret, SKEYSEED, SK_pi and the blocks of prf+ are overwritten: ${name} [7296-2.12-a]`, () => {
    const spy = suite.spy();
    const { prf, keyExchange } = spy;
    const { gateway } = halfWay({ suite: { cipher: suite.cipher, prf, keyExchange } });
    checkHandshake(spy, gateway);
  });

test("and so of a resumption", () => {
  const { device, gateway } = established({ tickets: {} }, resumable());
  const spy = spying(hmacSha256, x25519);
  const { cipher } = device.profile.suite;
  const { ticket } = only(device.events, "ticket");
  const again = present(
    ticket,
    makeProfile(resumable({ suite: { cipher, prf: spy.prf, keyExchange: spy.keyExchange } })),
  );
  deliver(again, gateway.receive(again.step.send[0]!)[0]!);
  checkHandshake(spy, gateway, ticket.skD);
});

test("the blocks of KEYMAT are overwritten; the keys of the Child SA are the event's own", () => {
  const spy = spying(hmacSha256, x25519);
  const { prf, keyExchange } = spy;
  const { device, gateway } = connect({ suite: { ...makeProfile().suite, prf, keyExchange } });
  const { keymat } = gateway.sa.child!;
  const stream = spy.outputs
    .filter(isWiped)
    .map(({ octets: was }) => hex(was))
    .join("");
  assert.ok(stream.includes(hex(keymat)), "KEYMAT is in no block that is overwritten");
  const { child } = only(device.events, "established");
  assert.equal(hex(child.outbound.key) + hex(child.inbound.key), hex(keymat));
});

/** All octets of a value. */
function octetsIn(value: unknown): Bytes[] {
  if (value instanceof Uint8Array) return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(octetsIn) : [];
}

const ALL = { extensions: [resumption(), qcd()] };
const up = () => established({ tickets: {}, qcd: { secrets: [octets(32, "secret")] } }, ALL);

const LET_GO: Readonly<Record<string, () => Device>> = {
  initiating: () => makeDevice(ALL),
  authenticating: () => halfWay(ALL).device,
  resuming: () => present(only(up().device.events, "ticket").ticket),
  "authenticating with a ticket": () => halfResumed().device,
  established: () => up().device,
  asking: () => {
    const { device } = up();
    take(device, checkLiveness(device.profile, device.session));
    return device;
  },
};

for (const [state, make] of Object.entries(LET_GO))
  test(`wipe leaves no key of a session: ${state}`, () => {
    const { session } = make();
    const { keys, handshake, extensions } = session;
    const secrets = octetsIn([keys, handshake?.secret, extensions]);
    assert.ok(secrets.length > 0, "nothing to overwrite");
    assert.ok(
      secrets.some((secret) => secret.some((octet) => octet)),
      "zeros from the beginning",
    );
    wipe(session);
    assert.ok(
      octetsIn([keys, handshake, extensions]).every((secret) => secret.every((octet) => !octet)),
      state,
    );
  });

test("wipe touches neither events nor tickets nor what is on the wire, nor what the next session needs", () => {
  const { device, gateway } = up();
  const events = structuredClone(device.events);
  const sent = [...gateway.log.map(({ datagram }) => datagram)];
  const before: Session = device.session;
  const bye = gateway.deleteIke();
  const step = deliver(device, bye);
  assert.equal(step.session.state, "closed");
  const copies = structuredClone([sent, step]);
  wipe(before, step.session);
  assert.deepEqual([sent, step], copies);
  assert.deepEqual(device.events.slice(0, events.length), events);
  // The gateway has not got the answer.
  assert.deepEqual(deliver(device, bye).send, step.send);
  // The ticket goes on being good.
  const { ticket } = only(device.events, "ticket");
  const next = present(ticket, device.profile);
  wipe(next.session);
  assert.deepEqual(only(device.events, "ticket").ticket, only(events, "ticket").ticket);
  assert.deepEqual(timeout(device.profile, device.session).send, []);
});

for (const [name, life] of Object.entries(LIVES))
  test(`a life with wipe after each step is the same life: ${name} [7296-2.12-a]`, () => {
    const plainly = live(life, ALL, simply).taken;
    const secrets: Bytes[] = [];
    let before: Session | undefined;
    let last: Session | undefined;
    const wiped = live(life, ALL, (run, input) => {
      const step = run(input);
      const { session } = step;
      secrets.push(...octetsIn([session.keys, session.handshake?.secret]));
      const copy = structuredClone(step);
      if (before) wipe(before, session);
      assert.deepEqual(step, copy);
      before = session;
      last = session;
      return step;
    }).taken;
    assert.deepEqual(
      wiped.map(({ step }) => step.send),
      plainly.map(({ step }) => step.send),
    );
    // What the last session has no use for is gone from all of them: private value, SK_pr, or every key.
    const needed = octetsIn(last);
    const rest = secrets.filter((secret) => !needed.includes(secret));
    assert.ok(rest.length > 0, "nothing to overwrite");
    assert.ok(
      rest.every((secret) => secret.every((octet) => !octet)),
      "a secret that is not needed",
    );
  });

test("what the next session has in common stays, in whatever order it is found there", () => {
  const { device } = connect();
  const { session } = device;
  const { keys, ...rest } = session;
  const copy = structuredClone(session);
  wipe(session, { keys, ...rest });
  assert.deepEqual(session, copy);
});

test("a closed session, and one in which nothing is secret any more, can be wiped as well", () => {
  const device = makeDevice();
  const { session } = close(device.profile, device.session);
  wipe(session);
  wipe({ ...session, keys: undefined, handshake: undefined, extensions: { other: [null, 1, "text"] } });
  assert.equal(session.state, "closed");
});
