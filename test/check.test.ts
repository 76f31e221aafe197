/** What `checkProfile` finds wrong with a profile. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { addressId, fqdn, host, initiate, keyId, net, type Profile, rfc822 } from "ikelet";
import { checkProfile } from "ikelet/check.js";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCcm } from "ikelet/crypto/aes-ccm.js";
import { aesCmac } from "ikelet/crypto/aes-cmac.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { Cipher } from "ikelet/crypto/contracts.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { hmacSha384 } from "ikelet/crypto/hmac-sha384.js";
import { hmacSha512 } from "ikelet/crypto/hmac-sha512.js";
import { modp2048 } from "ikelet/crypto/modp2048.js";
import { p256 } from "ikelet/crypto/p256.js";
import { p384 } from "ikelet/crypto/p384.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import { resumption } from "ikelet/resumption.js";
import { makeProfile, octets } from "./initiator/harness.ts";

const GOOD = makeProfile();
const { suite: SUITE, child: CHILD } = GOOD;
const CBC = aesCbc(128, hmacSha256_128);
const UNSET = undefined as never;

const withSuite = (change: Partial<Profile["suite"]>): Partial<Profile> => ({
  suite: { ...SUITE, ...change },
});
const withChild = (change: Partial<Profile["child"]>): Partial<Profile> => ({
  child: { ...CHILD, ...change },
});
const withCipher = (change: Partial<Cipher>) => withSuite({ cipher: { ...CBC, ...change } });
const sends = (wait: number, count: number) => ({ retransmission: { wait, sends: count } });

const TRANSPORT = { mode: "transport", local: host([192, 0, 2, 1]), remote: host([192, 0, 2, 2]) } as const;

const FINE: Record<string, Partial<Profile>> = {
  "as it is": {},
  "without a remote identity": { remote: UNSET },
  "a pre-shared key of 16 octets": { psk: octets(16) },
  "a pad in place of the pre-shared key": { psk: UNSET, pskPad: octets(32) },
  "other identities": { local: keyId(octets(1)), remote: addressId(octets(16)) },
  "an address and a mail address": { local: addressId(octets(4)), remote: rfc822("a@b.example") },
  AES: withSuite({ cipher: aesGcm(256), prf: aesCmac }),
  "AES-CCM": withSuite({ cipher: aesCcm(128, 8), prf: hmacSha512 }),
  "AES-CBC": withSuite({ cipher: CBC, prf: hmacSha384 }),
  "transport mode": withChild(TRANSPORT),
  IPv6: withChild({ local: host(octets(16)), remote: net(octets(16), 56) }),
  "all traffic": withChild({ remote: net([0, 0, 0, 0], 0) }),
  "one port": withChild({ remote: { ...CHILD.remote, protocol: 17, startPort: 53, endPort: 53 } }),
  "OPAQUE ports": withChild({ remote: { ...CHILD.remote, protocol: 132, startPort: 65535, endPort: 0 } }),
  "extended sequence numbers": withChild({ esn: true, cipher: CBC }),
  "an implicit IV in ESP": withChild({ cipher: { ...aesGcm(128), encryptionId: 30, ivLength: 0 } }),
  "NULL in ESP": withChild({ cipher: { ...CBC, encryptionId: 11, ivLength: 0 } }),
  "a device that only resumes": {
    suite: { cipher: SUITE.cipher, prf: SUITE.prf },
    psk: UNSET,
    extensions: [resumption()],
  },
  "one send": sends(1, 1),
  "twenty sends": sends(1000, 20),
};

for (const [name, changes] of Object.entries(FINE)) {
  test(`nothing is wrong: ${name}`, () => checkProfile(makeProfile(changes)));
}

test("every group is fine", () => {
  for (const keyExchange of [x25519, p256, p384, modp2048])
    checkProfile(makeProfile(withSuite({ keyExchange })));
});

/** The message names the field, what was expected and what came. */
function assertWrong(changes: Partial<Profile>, field: string): void {
  let caught: unknown;
  try {
    checkProfile(makeProfile(changes));
  } catch (error) {
    caught = error;
  }
  const { name, code, message } = (caught ?? {}) as { name?: string; code?: string; message?: string };
  assert.deepEqual([name, code], ["IkeletError", "profile"]);
  assert.match(message ?? "", new RegExp(`^${field}: expected .+, got .+`));
}

const WRONG: [string, string, Partial<Profile>, rows?: string][] = [
  ["a cipher without integrity", "suite.cipher", withCipher({ integrityId: 0 }), "8247-2.1-d, 7296-5-a"],
  ["a cipher without integrity in ESP", "child.cipher", withChild({ cipher: { ...CBC, integrityId: 0 } })],
  [
    "NULL in IKE",
    "suite.cipher",
    withCipher({ encryptionId: 11, ivLength: 0, keyLength: 0 }),
    "7296-5-a, 8247-2.1-c",
  ],
  [
    "NULL without integrity",
    "suite.cipher",
    withCipher({ encryptionId: 11, ivLength: 0, integrityId: 0 }),
    "7296-5-a",
  ],
  ["DES in IKE", "suite.cipher", withCipher({ encryptionId: 2, ivLength: 8 }), "8247-2.1-c"],
  ["DES in ESP", "child.cipher", withChild({ cipher: { ...CBC, encryptionId: 2, ivLength: 8 } })],
  ["an AEAD with integrity", "suite.cipher", withSuite({ cipher: { ...chacha20Poly1305, integrityId: 12 } })],
  [
    "an implicit IV in IKE",
    "suite.cipher",
    withSuite({ cipher: { ...aesGcm(128), encryptionId: 30, ivLength: 0 } }),
  ],
  ["a PRF of 15 octets", "suite.prf", withSuite({ prf: { ...hmacSha256, outputLength: 15 } }), "7296-5-b"],
  [
    "HMAC-MD5 as PRF",
    "suite.prf",
    withSuite({ prf: { ...hmacSha256, transformId: 1, outputLength: 16 } }),
    "8247-2.2-b",
  ],
  ...[1, 3, 4].map((integrityId): [string, string, Partial<Profile>, string] => [
    `integrity algorithm ${integrityId}`,
    "suite.cipher",
    withCipher({ integrityId }),
    "8247-2.3-a",
  ]),
  ...[1, 22].map((transformId): [string, string, Partial<Profile>, string] => [
    `group ${transformId}`,
    "suite.keyExchange",
    withSuite({ keyExchange: { ...modp2048, transformId } }),
    "8247-2.4-a",
  ]),
  [
    "neither a key exchange nor resumption",
    "suite.keyExchange",
    { suite: { cipher: SUITE.cipher, prf: SUITE.prf } },
  ],
  [
    "a short pre-shared key of a device that only resumes",
    "psk",
    { suite: { cipher: SUITE.cipher, prf: SUITE.prf }, psk: octets(15), extensions: [resumption()] },
  ],
  ["a pre-shared key of 15 octets", "psk", { psk: octets(15) }, "7296-2.15-h"],
  ["an empty pre-shared key", "psk", { psk: octets(0) }, "7296-2.15-h"],
  ["no pre-shared key", "psk", { psk: UNSET }],
  ["a pad of another PRF", "pskPad", { psk: UNSET, pskPad: octets(48) }],
  ["an identity without a name", "local", { local: fqdn("") }],
  ["a remote identity without a name", "remote", { remote: keyId(octets(0)) }],
  ["an IPv4 address of 5 octets", "local", { local: { type: 1, data: octets(5) } }],
  ["an IPv6 address of 4 octets", "remote", { remote: { type: 5, data: octets(4) } }],
  [
    "addresses of 5 octets",
    "child.local",
    withChild({ local: { ...CHILD.local, start: octets(5), end: octets(5) } }),
  ],
  ["addresses of two lengths", "child.remote", withChild({ remote: { ...CHILD.remote, end: octets(16) } })],
  ["two IP versions", "child", withChild({ local: host(octets(16)) })],
  [
    "a last address before the first",
    "child.remote",
    withChild({ remote: { ...CHILD.remote, end: Uint8Array.of(10, 98, 0, 0) } }),
  ],
  ["ports of no protocol", "child.local", withChild({ local: { ...CHILD.local, startPort: 53 } })],
  ["ports 0 to 0 for any", "child.local", withChild({ local: { ...CHILD.local, endPort: 0 } })],
  [
    "a last port before the first",
    "child.remote",
    withChild({ remote: { ...CHILD.remote, protocol: 6, startPort: 81, endPort: 80 } }),
  ],
  [
    "a local range in transport mode",
    "child",
    withChild({ ...TRANSPORT, local: net([192, 0, 2, 0], 31) }),
    "7296-2.23.1-a",
  ],
  [
    "a remote range in transport mode",
    "child",
    withChild({ ...TRANSPORT, remote: net([192, 0, 2, 0], 24) }),
    "7296-2.23.1-a",
  ],
  ["no waiting", "retransmission.wait", sends(0, 8)],
  ["a wait that is no number", "retransmission.wait", sends(Number.NaN, 8)],
  ["no sends", "retransmission.sends", sends(1000, 0)],
  ["more sends than doubling bears", "retransmission.sends", sends(1000, 21)],
];

for (const [name, field, changes, rows] of WRONG) {
  test(`wrong: ${name}${rows ? ` [${rows}]` : ""}`, () => assertWrong(changes, field));
}

test("the least length of a pre-shared key is a matter of the check alone [7296-2.15-h]", () => {
  const profile = makeProfile({ psk: octets(1) });
  assert.equal(initiate(profile, octets(60)).send.length, 1);
});
