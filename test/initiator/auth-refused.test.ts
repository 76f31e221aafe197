/** Responses of IKE_AUTH that prove nothing (RFC 7296 sections 1.2, 2.15 and 2.21.2). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ascii, fqdn, type Profile } from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { Integrity, Prf } from "ikelet/crypto/contracts.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import {
  auth,
  concat,
  Exchange,
  editBody,
  flip,
  idr,
  notify,
  type Options,
  type Payload,
  prfOf,
  pskAuth,
  type Responder,
  resumedAuth,
  Type,
  unknownPayload,
  vendorId,
  without,
} from "../responder/index.ts";
import { connect, deliver, exchange, makeDevice, makeGateway, octets, only, PSK } from "./harness.ts";
import { assertClosed, assertIgnored, halfWay, idOf, KEY_PAD, mac, one } from "./scenes.ts";

const SHA256 = prfOf(5)!;
const ID_R = idOf(fqdn("gw.example"));
const ID_I = idOf(fqdn("device.example"));

// What the gateway cannot do without knowing the pre-shared key.

function assertRefused(options: Partial<Options>, reason = "authentication"): void {
  const { device, gateway, request } = halfWay({}, options);
  assertClosed(deliver(device, one(gateway.receive(request))), reason);
  assert.deepEqual(device.events, [{ type: "closed", reason, notify: undefined, hint: undefined }]);
  assert.equal(device.session.child, undefined);
}

const method = (type: number) => (p: Payload[]) => editBody(p, Type.AUTH, () => Uint8Array.of(type, 0, 0, 0));

/** Each proves nothing. */
const BAD_AUTH: Record<string, Options["edit"]> = {
  "the first bit flipped": { authData: (data) => flip(data, 0, 0x80) },
  "the last bit flipped": { authData: (data) => flip(data, data.length - 1) },
  "an octet less": { authData: (data) => data.slice(0, -1) },
  "an octet more": { authData: (data) => concat(data, new Uint8Array(1)) },
  "no octets": { auth: (p) => without(p, Type.AUTH).concat({ type: Type.AUTH, body: new Uint8Array(5) }) },
  "not even a method": { auth: (p) => editBody(p, Type.AUTH, () => new Uint8Array(0)) },
  "method 0": { auth: method(0) },
  // D-29: a gateway that wants certificates.
  "method 1, RSA": { auth: method(1) },
  "method 14, Digital Signature": { auth: method(14) },
  "no AUTH payload": { auth: (p) => without(p, Type.AUTH) },
  "two AUTH payloads": { auth: (p) => [...p, auth(new Uint8Array(32))] },
  "no IDr payload": { auth: (p) => without(p, Type.IDr) },
  "two IDr payloads": { auth: (p) => [...p, idr(fqdn("gw.example"))] },
  "an IDr of three octets": { auth: (p) => editBody(p, Type.IDr, (body) => body.slice(0, 3)) },
  "EAP in place of AUTH": { auth: (p) => [p[0]!, { type: Type.EAP, body: Uint8Array.of(1, 1, 0, 5, 1) }] },
  "an error other than its own": { auth: (p) => [...method(14)(p), notify(38)] },
};

for (const [name, edit] of Object.entries(BAD_AUTH)) {
  test(`AUTH with ${name} is not taken [7296-1.2-c]`, () => assertRefused({ edit: edit ?? {} }));
}

/** The traps T-01, T-02, T-06 and T-07, walked into by the gateway. */
const WRONG_OCTETS: Record<string, (gateway: Responder) => Uint8Array> = {
  "its own nonce": ({ sa }) => authOf(sa.keys.skPr, sa.messageR, sa.nonceR),
  "our message": ({ sa }) => authOf(sa.keys.skPr, sa.messageI, sa.nonceI),
  "the message without its last octet": ({ sa }) => authOf(sa.keys.skPr, sa.messageR.slice(0, -1), sa.nonceI),
  "our SK_pi": ({ sa }) => authOf(sa.keys.skPi, sa.messageR, sa.nonceI),
  "the name without type and RESERVED": ({ sa }) =>
    authOf(sa.keys.skPr, sa.messageR, sa.nonceI, ascii("gw.example")),
  "another name": ({ sa }) => authOf(sa.keys.skPr, sa.messageR, sa.nonceI, idOf(fqdn("gw.examplf"))),
  "a NUL behind the key pad": ({ sa }) =>
    mac(mac(PSK, KEY_PAD, new Uint8Array(1)), sa.messageR, sa.nonceI, mac(sa.keys.skPr, ID_R)),
  "the key pad left out": ({ sa }) => resumedAuth(SHA256, sa.keys.skPr, sa.messageR, sa.nonceI, ID_R),
  "our AUTH sent back": ({ sa }) => pskAuth(SHA256, PSK, sa.keys.skPi, sa.messageI, sa.nonceR, ID_I),
};
const authOf = (skP: Uint8Array, message: Uint8Array, nonce: Uint8Array, idBody = ID_R) =>
  pskAuth(SHA256, PSK, skP, message, nonce, idBody);

for (const [name, make] of Object.entries(WRONG_OCTETS)) {
  test(`AUTH over ${name} is not taken [7296-1.2-c, 7296-2.15-e]`, () => {
    const gateway: Responder = makeGateway({ edit: { authData: () => make(gateway) } });
    const device = makeDevice();
    exchange(device, gateway);
    assert.equal(only(device.events, "closed").reason, "authentication");
  });
}

test("a gateway with another pre-shared key, which does not look at ours [7296-1.2-c]", () => {
  const gateway: Responder = makeGateway({
    edit: {
      authData: () => {
        const { keys, messageR, nonceI } = gateway.sa;
        return pskAuth(SHA256, octets(32, "another"), keys.skPr, messageR, nonceI, ID_R);
      },
    },
  });
  const device = makeDevice();
  exchange(device, gateway);
  assert.equal(only(device.events, "closed").reason, "authentication");
});

test("the comparison of AUTH and of an ICV looks at every octet, wherever they differ [REC-auth-a]", () => {
  // noble compares the tags of the AEADs itself.
  let reads = 0;
  const watched = (octetsOf: Uint8Array): Uint8Array =>
    new Proxy(octetsOf, {
      get(target, key) {
        if (key === "subarray") return (...of: [number, number]) => watched(target.subarray(...of));
        if (typeof key === "string" && /^\d+$/.test(key)) reads++;
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  let watching = false;
  const spy = <T extends Prf | Integrity>(algorithm: T): T => ({
    ...algorithm,
    keyed: (key: Uint8Array) => {
      const keyed = algorithm.keyed(key);
      return (...chunks: Uint8Array[]) => (watching ? watched(keyed(...chunks)) : keyed(...chunks));
    },
  });
  const count = (suite: Profile["suite"], edit: NonNullable<Options["edit"]>) => {
    watching = false;
    const { device, gateway, request } = halfWay({ suite }, { edit });
    const response = one(gateway.receive(request));
    watching = true;
    reads = 0;
    deliver(device, response);
    return reads;
  };
  const places = [undefined, 0, 7, 15];
  const aead = { cipher: chacha20Poly1305, prf: spy(hmacSha256), keyExchange: x25519 };
  const auths = places.map((at) =>
    count(aead, { authData: (data) => (at === undefined ? flip(data, 31) : flip(data, at)) }),
  );
  assert.equal(auths[0]! >= 32, true);
  assert.deepEqual(new Set(auths).size, 1);
  const cbc = { ...aead, prf: hmacSha256, cipher: aesCbc(128, spy(hmacSha256_128)) };
  const icvs = places.map((at) =>
    count(cbc, {
      raw: (d, { exchange: type }) => (type === Exchange.IKE_AUTH ? flip(d, d.length - 1 - (at ?? 3)) : d),
    }),
  );
  assert.deepEqual(icvs, [16, 16, 16, 16]);
});

// Errors in the response.

for (const [name, type] of [
  ["AUTHENTICATION_FAILED", 24],
  ["INVALID_SYNTAX", 7],
  ["UNSUPPORTED_CRITICAL_PAYLOAD", 1],
  ["NO_PROPOSAL_CHOSEN", 14],
] as const) {
  const rows = type === 24 ? "7296-2.21.2-a, 7296-2.21.2-d" : "7296-2.21.2-d";
  test(`${name} alone ends the IKE SA without a Delete [${type === 14 ? "7296-2.21.2-a" : rows}]`, () => {
    const { device, gateway, request } = halfWay({}, { edit: { auth: () => [notify(type)] } });
    assertClosed(deliver(device, one(gateway.receive(request))), "refused", type);
  });
}

test("a gateway that refuses our AUTH says so, and that is the end [7296-2.21.2-a]", () => {
  const { device, gateway } = connect({ psk: octets(32, "wrong") });
  assert.equal(gateway.sa.end, "AUTHENTICATION_FAILED");
  assert.deepEqual(device.events, [{ type: "closed", reason: "refused", notify: 24, hint: undefined }]);
});

/** Good integrity, and no sense inside. */
const SENSELESS: Record<string, NonNullable<Options["edit"]>> = {
  "a payload that runs past the end": { sealing: { inner: Uint8Array.of(0, 0, 0, 200, 1, 2, 3, 4) } },
  "a payload shorter than its header": { sealing: { inner: Uint8Array.of(39, 0, 0, 3, 0, 0, 0, 4) } },
  "octets behind the last payload": { sealing: { inner: Uint8Array.of(0, 0, 0, 4, 0) } },
  "a chain that does not end": { sealing: { inner: Uint8Array.of(39, 0, 0, 4) } },
  "padding longer than the plaintext": { sealing: { padLengthOctet: 255, inner: new Uint8Array(3) } },
  "a notify shorter than its SPI": {
    auth: (p) => [...p, { type: Type.NOTIFY, body: Uint8Array.of(3, 9, 0, 0) }],
  },
  "SK inside SK": { auth: (p) => [...p, { type: Type.SK, body: octets(40) }] },
  "an unknown payload that is critical": { auth: (p) => [...p, unknownPayload(200, true)] },
};

for (const [name, edit] of Object.entries(SENSELESS)) {
  test(`a response with ${name} is never answered [7296-2.21-a]`, () => {
    const { device, gateway, request } = halfWay({}, { edit });
    assertClosed(deliver(device, one(gateway.receive(request))), "malformed");
  });
}

test("a response with a bad ICV is not the response [7296-2.21.2-e]", () => {
  const { device, gateway, request } = halfWay();
  const before = structuredClone(device.session);
  const good = one(gateway.fork().receive(request));
  for (const at of [good.length - 1, good.length - 16, good.length - 17, 40, 32, 31])
    for (const step of [deliver(device, flip(good, at))])
      assertIgnored(step, before, at === 31 ? "malformed" : "integrity");
  deliver(device, one(gateway.receive(request)));
  only(device.events, "established");
});

test("what a response may hold beside the expected is skipped [7815-2.1-l]", () => {
  // D-09, D-10, D-11, D-12, D-13, D-14 and D-23.
  const additions = [
    ...[16384, 16385, 16386, 16387, 16394, 16395, 16396, 16397, 16403, 16404, 16407, 16417, 65535].map(
      (type) => notify(type, octets(4)),
    ),
    { type: Type.CERT, body: octets(100) },
    { type: Type.CERTREQ, body: octets(21) },
    { type: Type.CP, body: Uint8Array.of(2, 0, 0, 0, 0, 1, 0, 4, 10, 0, 0, 1) },
    vendorId(octets(16)),
    unknownPayload(200),
    // D-24: an SPI where RFC 4306 had one, and Protocol ID 1.
    notify(16404, octets(4), octets(4), 1),
  ];
  for (const auth of [
    (p: Payload[]) => [...p, ...additions],
    (p: Payload[]) => [...additions, ...p],
    (p: Payload[]) => p.flatMap((payload, i) => [payload, additions[i]!, additions[i + 10]!]),
    (p: Payload[]) => [...p].reverse(),
  ]) {
    const { device, gateway } = connect({}, { edit: { auth } });
    const { child } = only(device.events, "established");
    assert.equal(child.mode, "tunnel");
    assert.equal(device.events.length, 1);
    assert.deepEqual(gateway.violations, []);
  }
});
