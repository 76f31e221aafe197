/** The request of IKE_SA_INIT, and which responses are taken (RFC 7815 section 2.1). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { entropyLength, initiate, type Profile, timeout } from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCmac } from "ikelet/crypto/aes-cmac.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { hmacSha384 } from "ikelet/crypto/hmac-sha384.js";
import { hmacSha512 } from "ikelet/crypto/hmac-sha512.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import {
  certificateRequest,
  concat,
  type Edit,
  Exchange,
  editBody,
  editSa,
  editTransforms,
  fromHex,
  hex,
  insertBefore,
  invalidKe,
  notify,
  type Payload,
  patch,
  readHeader,
  readKe,
  readSa,
  seededRandom,
  type Transform,
  Type,
  u16,
  unknownPayload,
  vendorId,
} from "../responder/index.ts";
import {
  connect,
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
import { assertIgnored, assertPassedOver, bodyOf, halfWay, inTheClear, one, seen } from "./scenes.ts";

const SUITE = { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519 };

function saInit(changes: Partial<Profile> = {}) {
  const device = makeDevice(changes);
  const gateway = makeGateway();
  gateway.receive(one(device.step.send));
  assert.deepEqual(gateway.violations, []);
  return { device, ...seen(gateway, Exchange.IKE_SA_INIT) };
}

test("the first request: header, SA, KE, Ni and nothing else [7815-2.1-a]", () => {
  const { device, datagram, payloads } = saInit();
  const { spiI, ...header } = readHeader(datagram);
  assert.equal(hex(spiI), hex(octets(8)));
  assert.equal(device.session.state, "initiating");
  assert.deepEqual(header, {
    spiR: new Uint8Array(8),
    nextPayload: Type.SA,
    version: 0x20,
    exchange: 34,
    flags: 0x08,
    messageId: 0,
    length: datagram.length,
  });
  assert.deepEqual(
    payloads.map(({ type }) => type),
    [Type.SA, Type.KE, Type.NONCE],
  );
  const { group, value } = readKe(bodyOf(payloads, Type.KE));
  assert.deepEqual([group, value.length], [31, 32]);
});

const OFFERS: [string, Profile["suite"], Transform[]][] = [
  [
    "ChaCha20-Poly1305",
    SUITE,
    [
      { type: 1, id: 28 },
      { type: 2, id: 5 },
      { type: 4, id: 31 },
    ],
  ],
  [
    "AES-GCM",
    { ...SUITE, cipher: aesGcm(128) },
    [
      { type: 1, id: 20, keyLength: 128 },
      { type: 2, id: 5 },
      { type: 4, id: 31 },
    ],
  ],
  [
    "AES-CBC",
    { ...SUITE, cipher: aesCbc(256, hmacSha256_128), prf: hmacSha512 },
    [
      { type: 1, id: 12, keyLength: 256 },
      { type: 2, id: 7 },
      { type: 3, id: 12 },
      { type: 4, id: 31 },
    ],
  ],
];

for (const [name, suite, transforms] of OFFERS) {
  test(`the proposal of ${name}: one transform of each type [7815-A.3-b]`, () => {
    const proposal = one(readSa(bodyOf(saInit({ suite }).payloads, Type.SA)));
    assert.deepEqual(proposal, { number: 1, protocol: 1, spi: new Uint8Array(0), transforms });
  });
}

test("the W1 example of an SA payload, octet by octet", () => {
  const { datagram } = saInit({ suite: { ...SUITE, cipher: aesGcm(128) } });
  const expected =
    "22000028 00000024 01010003 0300000c 01000014 800e0080 03000008 02000005 00000008 0400001f";
  assert.equal(hex(datagram.slice(28, 68)), hex(fromHex(expected)));
});

const changeTransform =
  (type: number, change: Partial<Transform>): Edit["saInit"] =>
  (payloads) =>
    editTransforms(payloads, (list) => list.map((t) => (t.type === type ? { ...t, ...change } : t)));

const addTransform =
  (transform: Transform): Edit["saInit"] =>
  (payloads) =>
    editTransforms(payloads, (list) => [...list, transform]);

/** RFC 7296 sections 2.7 and 3.3.6: an answer that is not the offer. */
const NOT_OFFERED: Record<string, Edit["saInit"]> = {
  "another encryption algorithm": changeTransform(1, { id: 28, keyLength: undefined as never }),
  "another key length": changeTransform(1, { keyLength: 256 }),
  "no key length": changeTransform(1, { keyLength: undefined as never }),
  "an unknown attribute": changeTransform(1, { attributes: Uint8Array.of(0x80, 15, 0, 1) }),
  "another PRF": changeTransform(2, { id: 7 }),
  "another group": changeTransform(4, { id: 19 }),
  "an extra transform of a type that was offered": addTransform({ type: 2, id: 7 }),
  "a transform twice": addTransform({ type: 2, id: 5 }),
  "a transform of a type that was not offered": addTransform({ type: 5, id: 0 }),
  "INTEG beside an AEAD": addTransform({ type: 3, id: 12 }),
  "INTEG NONE beside an AEAD": addTransform({ type: 3, id: 0 }),
  "a transform more than it counts": (p) =>
    editBody(
      editTransforms(p, (list) => [...list, { type: 2, id: 7 }]),
      Type.SA,
      (body) => patch(body, 7, body[7]! - 1),
    ),
  "a missing transform": (p) => editTransforms(p, (list) => list.slice(0, -1)),
  "no transform": (p) => editTransforms(p, () => []),
  "two proposals": (p) => editSa(p, (list) => [...list, ...list]),
  "no proposal": (p) => editBody(p, Type.SA, () => new Uint8Array(0)),
  "proposal number 2": (p) => editSa(p, (list) => list.map((x) => ({ ...x, number: 2 }))),
  "protocol ESP": (p) => editSa(p, (list) => list.map((x) => ({ ...x, protocol: 3 }))),
  "an SPI inside": (p) => editSa(p, (list) => list.map((x) => ({ ...x, spi: octets(8) }))),
};

for (const [name, edit] of Object.entries(NOT_OFFERED)) {
  test(`SAr1 with ${name} is passed over [7296-3.3.6-a, 7815-2.1-b, 7296-2.7-a, 7296-3.3.4-a]`, () => {
    assertPassedOver({ saInit: edit as NonNullable<typeof edit> }, "proposal", {
      suite: { ...SUITE, cipher: aesGcm(128) },
    });
  });
}

test("the order of the transforms in SAr1 is free [7815-2.1-b]", () => {
  const saInitEdit = (p: Payload[]) => editTransforms(p, (list) => [...list].reverse());
  const { device } = connect({}, { edit: { saInit: saInitEdit } });
  only(device.events, "established");
});

/** Errors in the clear: nobody knows from whom. */
const ERRORS: [string, Payload][] = [
  ["NO_PROPOSAL_CHOSEN", notify(14)],
  ["INVALID_SYNTAX", notify(7)],
  ["AUTHENTICATION_FAILED", notify(24)],
  ["INVALID_MAJOR_VERSION", notify(5)],
  ["an unknown error", notify(8191, octets(40))],
  ["UNSUPPORTED_CRITICAL_PAYLOAD", notify(1, Uint8Array.of(33))],
];
const INVALID_KE: [string, Payload][] = [
  ["group 19, which is not configured", invalidKe(19)],
  ["group 31, which was sent", invalidKe(31)],
  ["data of one octet", notify(17, Uint8Array.of(31))],
  ["data of three octets", notify(17, Uint8Array.of(0, 19, 0))],
  ["no data", notify(17)],
];

const DEFAULT_SENDS = 8;

function assertHint(payload: Payload): void {
  const device = makeDevice();
  const gateway = makeGateway();
  const request = one(device.step.send);
  const type = (payload.body[2]! << 8) | payload.body[3]!;
  const hint = { notify: type, data: payload.body.slice(4, 20) };
  const before = { ...device.session, hint };
  assertIgnored(deliver(device, gateway.unprotected(request, payload)), before, "hint", type);
  const rescued = { ...device, events: [] as Device["events"] };
  exchange(rescued, gateway, [request]);
  only(rescued.events, "established");

  // Without a good response the session ends at the last timeout and not before.
  for (let n = 1; n < DEFAULT_SENDS; n++) {
    assert.deepEqual(take(device, timeout(device.profile, device.session)).send, [request]);
    deliver(device, gateway.unprotected(request, payload));
  }
  take(device, timeout(device.profile, device.session));
  assert.deepEqual(device.events, [{ type: "closed", reason: "timeout", notify: undefined, hint }]);
}

for (const [name, payload] of ERRORS) {
  test(`${name} in the clear is a hint, no more [7815-2.1-c, 7296-2.21.1-a]`, () => assertHint(payload));
}
for (const [name, payload] of INVALID_KE) {
  test(`INVALID_KE_PAYLOAD with ${name} is a hint, no more [7296-1.2-a]`, () => assertHint(payload));
}

test("a gateway that refuses the only group is told apart by the hint [7296-1.2-a]", () => {
  const device = makeDevice();
  const gateway = makeGateway({ accept: () => false });
  deliver(device, one(gateway.receive(one(device.step.send))));
  assert.equal(device.session.hint?.notify, 14);
});

test("an attacker's response first: the attempt fails, and a new one works [7296-2.4-a]", () => {
  const device = makeDevice();
  const request = one(device.step.send);
  const genuine = makeGateway();
  const attacker = makeGateway({ psk: octets(16, "guess"), random: seededRandom("attacker") });
  deliver(device, one(attacker.receive(request)));
  const authRequest = one(device.step.send);
  const before = structuredClone(device.session);
  // The genuine response is too late; the gateway does not know the SPIs that the attacker chose.
  assertIgnored(deliver(device, one(genuine.receive(request))), before, "foreign");
  assert.deepEqual(genuine.receive(authRequest), []);
  // The attacker cannot make an AUTH, whatever else it says.
  const twin = { ...device, events: [] as Device["events"] };
  deliver(twin, one(attacker.receive(authRequest)));
  assert.equal(only(twin.events, "closed").reason, "refused");
  // Or it stays silent.
  while (device.session.state !== "closed") take(device, timeout(device.profile, device.session));
  assert.equal(only(device.events, "closed").reason, "timeout");
  const again = makeDevice({}, "second attempt");
  exchange(again, genuine);
  only(again.events, "established");
});

test("the nonce has half the octets of the PRF's key, and 16 at least [7296-2.10-a]", () => {
  for (const [prf, least] of [
    [hmacSha256, 16],
    [hmacSha384, 24],
    [hmacSha512, 32],
    [aesCmac, 16],
  ] as const) {
    const { payloads } = saInit({ suite: { ...SUITE, prf } });
    // Nothing of it is made up by the library: all octets are the caller's random ones.
    assert.equal(hex(bodyOf(payloads, Type.NONCE)), hex(octets(8 + least).slice(8)));
    assert.equal(least >= prf.keyLength / 2, true);
  }
});

test("another attempt has another SPI, nonce and public value; repeats have the same [7815-A.9-b]", () => {
  const first = saInit();
  const repeated = timeout(first.device.profile, first.device.session);
  assert.deepEqual(repeated.send, [first.datagram]);
  const gateway = makeGateway({ cookie: { rounds: 1 } });
  deliver(first.device, one(gateway.receive(first.datagram)));
  const [cookie, ...rest] = readPayloads(one(first.device.step.send));
  assert.equal(cookie?.type, Type.NOTIFY);
  assert.deepEqual(rest, readPayloads(first.datagram));

  const profile = makeProfile();
  const second = one(initiate(profile, octets(entropyLength(profile), "second")).send);
  const [spiI, ke, nonce] = [0, Type.KE, Type.NONCE].map((type) =>
    [first.datagram, second].map((m) => hex(type ? bodyOf(readPayloads(m), type) : m.slice(0, 8))),
  );
  for (const [a, b] of [spiI!, ke!, nonce!]) assert.notEqual(a, b);
});

function readPayloads(datagram: Uint8Array): Payload[] {
  const gateway = makeGateway();
  gateway.receive(datagram);
  return seen(gateway, Exchange.IKE_SA_INIT).payloads;
}

test("CERTREQ, Vendor IDs, status notifies and unknown payloads are skipped [7815-2.1-e]", () => {
  // D-12 and D-28: what real gateways add, and what they may.
  const saInitEdit = (payloads: Payload[]) => [
    vendorId(octets(16)),
    ...insertBefore(payloads, Type.KE, certificateRequest(), unknownPayload(200)),
    ...[16388, 16392, 16404, 16406, 16418, 16430, 40961].map((type) => notify(type, octets(20))),
    ...[1, 2].map((n) => vendorId(octets(n))),
    unknownPayload(1),
    unknownPayload(255),
  ];
  const { device, gateway } = connect({}, { edit: { saInit: saInitEdit } });
  only(device.events, "established");
  assert.deepEqual(gateway.violations, []);
});

test("IKE_AUTH only after a good response, with its SPIr and Message ID 1 [7296-2.6-e]", () => {
  const spiR = octets(8, "spiR");
  const { device, gateway, request } = halfWay({}, { spiR });
  const { spiI, ...header } = readHeader(request);
  assert.deepEqual([header.exchange, header.messageId, header.flags], [35, 1, 0x08]);
  assert.deepEqual([spiI, header.spiR], [gateway.sa.spiI, spiR]);
  assert.deepEqual([device.session.spiR, device.session.handshake?.nonceR], [spiR, gateway.sa.nonceR]);
  // The keys are right: the gateway reads the request.
  gateway.receive(request);
  assert.equal(gateway.sa.stage, "up");
});

test("after IKE_SA_INIT nothing counts that is not protected [7296-1.2-b]", () => {
  const { device, gateway, request } = halfWay();
  const responses = [[notify(24)], [notify(7)], []].map((payloads) =>
    inTheClear(device, payloads, { exchange: 35, flags: 0x20, messageId: 1 }),
  );
  for (const response of responses) {
    assertIgnored(deliver(device, response), structuredClone(device.session), "unprotected");
  }
  deliver(device, ...gateway.receive(request));
  only(device.events, "established");
  for (const payloads of [
    [],
    [notify(4)],
    [notify(16384)],
    [{ type: Type.DELETE, body: concat(u16(256), u16(0)) }],
  ]) {
    assertIgnored(
      deliver(device, inTheClear(device, payloads)),
      structuredClone(device.session),
      "unprotected",
    );
  }
});
