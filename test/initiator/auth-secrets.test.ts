/** Identities and pre-shared keys (RFC 7296 section 2.15, RFC 7815 section 3). */

import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import { addressId, ascii, fqdn, type Identification, initiate, keyId, type Profile, rfc822 } from "ikelet";
import type { KeyedPrf, Prf } from "ikelet/crypto/contracts.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { hmacSha512 } from "ikelet/crypto/hmac-sha512.js";
import { authentication, keyPad } from "ikelet/keys.js";
import {
  concat,
  Exchange,
  flip,
  hex,
  type Options,
  prfOf,
  pskAuth,
  readAuth,
  resumedAuth,
  Type,
} from "../responder/index.ts";
import { connect, type Device, deliver, makeDevice, makeProfile, octets, only, PSK } from "./harness.ts";
import { assertClosed, bodyOf, halfWay, idOf, KEY_PAD, mac, one, seen } from "./scenes.ts";

const SHA256 = prfOf(5)!;
const ID_R = idOf(fqdn("gw.example"));

function authRequest(changes: Partial<Profile> = {}, options: Partial<Options> = {}) {
  const both = connect(changes, options);
  return { ...both, ...seen(both.gateway, Exchange.IKE_AUTH) };
}

function assertRefused(options: Partial<Options>, reason = "authentication"): void {
  const { device, gateway, request } = halfWay({}, options);
  assertClosed(deliver(device, one(gateway.receive(request))), reason);
  assert.deepEqual(device.events, [{ type: "closed", reason, notify: undefined, hint: undefined }]);
  assert.equal(device.session.child, undefined);
}

// Identities.

test("a gateway of another name is refused where a name is configured [7296-1.2-d]", () => {
  const others = [fqdn("gw2.example"), fqdn("gw.exampl"), rfc822("gw.example"), keyId(ascii("gw.example"))];
  for (const local of others) {
    assertRefused({ local }, "identity");
    const anybody = connect({ remote: undefined as never }, { local });
    assert.deepEqual(only(anybody.device.events, "established").remote, local);
  }
});

test("the identity of the gateway counts after its AUTH only [7296-1.2-d]", () => {
  assertRefused({ local: fqdn("gw2.example"), edit: { authData: (data) => flip(data, 0) } });
});

const IDENTITIES: [string, Identification, number][] = [
  ["KEY_ID", keyId(octets(4)), 11],
  ["FQDN", fqdn("sensor-7.example"), 2],
  ["RFC822_ADDR", rfc822("sensor@example.com"), 3],
  ["IPV4_ADDR", addressId(Uint8Array.of(192, 0, 2, 1)), 1],
  ["IPV6_ADDR", addressId(octets(16)), 5],
];

for (const [name, local, type] of IDENTITIES) {
  test(`an identity of type ${name} [7815-3-a]`, () => {
    // The gateway lets in nobody else.
    const { device, gateway } = connect({ local, remote: local }, { local, remote: local });
    only(device.events, "established");
    assert.deepEqual(gateway.sa.idI, { type, data: local.data });
  });
}

// The pre-shared key.

function authWith(psk: Uint8Array, options: Partial<Options> = { psk }): { device: Device; sent: string } {
  const { device, payloads } = authRequest({ psk }, options);
  return { device, sent: hex(readAuth(bodyOf(payloads, Type.AUTH)).data) };
}

test("pre-shared keys of any octets and any length [7296-2.15-f]", () => {
  const text = createHash("sha256").update("secret").digest("hex");
  assert.equal(text.length, 64);
  const fromText = authWith(ascii(text));
  const fromHex = authWith(new Uint8Array(Buffer.from(Buffer.from(text).toString("hex"), "hex")));
  assert.equal(fromText.sent, fromHex.sent);
  only(fromText.device.events, "established");

  // A terminator is an octet like any other, also beyond what HMAC pads with zeros.
  const terminated = authWith(concat(ascii(text), new Uint8Array(1)));
  assert.notEqual(terminated.sent, fromText.sent);
  only(terminated.device.events, "established");
  assert.equal(authWith(concat(ascii(text), new Uint8Array(1)), { psk: ascii(text) }).sent, terminated.sent);

  for (const length of [1, 63, 64, 65, 127, 128, 129, 255])
    only(authWith(octets(length, "psk")).device.events, "established");
});

test("prf(PSK, pad) does in place of the pre-shared key [7296-2.15-g]", () => {
  const pskPad = mac(PSK, KEY_PAD);
  assert.equal(hex(keyPad(hmacSha256, PSK)), hex(pskPad));
  const { device, payloads } = authRequest({ psk: undefined as never, pskPad });
  only(device.events, "established");
  assert.equal(hex(bodyOf(payloads, Type.AUTH)), hex(bodyOf(authRequest().payloads, Type.AUTH)));
});

test("without a pre-shared key there is no full handshake", () => {
  for (const psk of [undefined, new Uint8Array(0)])
    assert.throws(() => initiate(makeProfile({ psk: psk! }), octets(100)), {
      name: "IkeletError",
      code: "profile",
      message: /^psk:/,
    });
});

test("prf(PSK, pad) is good for its PRF alone [7296-2.15-g]", () => {
  const suite = { ...makeProfile().suite, prf: hmacSha512 };
  const wrong = connect({ psk: undefined as never, pskPad: mac(PSK, KEY_PAD), suite });
  assert.deepEqual(only(wrong.device.events, "closed").notify, 24);
  const pskPad = new Uint8Array(createHmac("sha512", PSK).update(KEY_PAD).digest());
  only(connect({ psk: undefined as never, pskPad, suite }).device.events, "established");
});

test("an empty secret, which everybody knows, is none", () => {
  const [none, unset] = [new Uint8Array(0), undefined as never];
  for (const secret of [
    { psk: unset },
    { psk: none },
    { psk: unset, pskPad: none },
    // The pad comes first, so it has to be good.
    { psk: PSK, pskPad: none },
  ])
    assert.throws(() => makeDevice(secret), { name: "IkeletError", code: "profile" });
});

test("one routine signs full and resumed exchanges alike [4306-2.15-a]", () => {
  const [message, nonce, skP] = [octets(200, "m"), octets(32, "n"), octets(32, "k")];
  const args = [message, nonce, skP, ID_R] as const;
  assert.equal(
    hex(authentication(hmacSha256, keyPad(hmacSha256, PSK), ...args)),
    hex(pskAuth(SHA256, PSK, skP, message, nonce, ID_R)),
  );
  assert.equal(
    hex(authentication(hmacSha256, skP, ...args)),
    hex(resumedAuth(SHA256, skP, message, nonce, ID_R)),
  );
});

test("one key is prepared once: each time costs two compressions", () => {
  const keys: Uint8Array[] = [];
  const keyed = (key: Uint8Array): KeyedPrf => {
    keys.push(key);
    return hmacSha256.keyed(key);
  };
  const counting: Prf = { ...hmacSha256, keyed };
  const [skP, other] = [octets(32, "k"), octets(32, "l")];
  authentication(counting, skP, octets(200), octets(32), skP, ID_R);
  assert.deepEqual(keys, [skP]);
  authentication(counting, other, octets(200), octets(32), skP, ID_R);
  assert.deepEqual(keys, [skP, skP, other]);
});
