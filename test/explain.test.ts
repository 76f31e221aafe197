/** Every event has one sentence that says what to do, and no sentence holds a secret. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  addressId,
  type ChildFailure,
  type CloseReason,
  type Event,
  fqdn,
  host,
  type IgnoredReason,
  keyId,
  net,
  type Profile,
  type Ticket,
} from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { addressText, explain, identityText, notifyName, selectorText, spiText } from "ikelet/explain.js";
import { resumption } from "ikelet/resumption.js";
import { makeProfile } from "./initiator/harness.ts";

const secret = "a very secret key";
const profile: Profile = makeProfile({ psk: new Uint8Array(Buffer.from(secret)) });
const child = {
  mode: "tunnel",
  esn: false,
  encryptionId: 28,
  keyBits: 0,
  integrityId: 0,
  outbound: { spi: 0x01020304, key: new Uint8Array(36).fill(0xab) },
  inbound: { spi: 0x81020304, key: new Uint8Array(36).fill(0xcd) },
  local: [profile.child.local],
  remote: [profile.child.remote],
} as const;
const remote = fqdn("gw.example");

/** A reason without a line here does not compile. */
const IGNORED: Record<IgnoredReason, RegExp> = {
  malformed: /no well-formed IKEv2/,
  foreign: /does not belong to this IKE SA/,
  unexpected: /late repetition/,
  unprotected: /in the clear/,
  integrity: /sealed with other keys/,
  critical: /switch off that extension/,
  hint: /NO_PROPOSAL_CHOSEN .*wait/,
  cookie: /under attack/,
  proposal: /not offered/,
  "key-exchange": /public value/,
  nonce: /nonce/,
};
const CHILD_FAILED: Record<ChildFailure, RegExp> = {
  refused: /NO_PROPOSAL_CHOSEN.*ENCR_CHACHA20_POLY1305 without extended sequence numbers.*child\.cipher/,
  missing: /without SA, TSi or TSr/,
  proposal: /use ENCR_CHACHA20_POLY1305/,
  selectors: /widen child\.local 10\.1\.0\.7 and child\.remote 10\.99\.0\.0\/16/,
  mode: /wants tunnel mode.*child\.mode/,
};
const CLOSED: Record<CloseReason, RegExp> = {
  requested: /as we asked/,
  deleted: /start a new one/,
  crashed: /lost its state.*resume with the ticket/,
  timeout: /not answered 8 sends in 255 s or more: check its address/,
  authentication: /pre-shared key differs.*ours is device\.example, the gateway's gw\.example/,
  identity: /is not gw\.example, which the profile expects/,
  refused: /NO_PROPOSAL_CHOSEN/,
  malformed: /makes no sense/,
  exhausted: /Message IDs/,
};
const ticket: Ticket = {
  ticket: new Uint8Array(16),
  lifetime: 3600,
  skD: new Uint8Array(32),
  encryptionId: 28,
  keyBits: 0,
  integrityId: 0,
  prfId: 5,
  local: remote,
  remote,
  signed: "rfc",
  attempts: 0,
};
const OTHERS: { [T in Exclude<Event["type"], "ignored" | "child-failed" | "closed">]: [Event, RegExp][] } = {
  established: [[{ type: "established", remote, child }, /gw\.example has proved itself/]],
  alive: [[{ type: "alive" }, /is alive/]],
  "rekey-refused": [
    [{ type: "rekey-refused", sa: "ike" }, /new keys for the IKE SA.*start a new session/],
    [{ type: "rekey-refused", sa: "child" }, /Child SA.*start a new session/],
  ],
  "child-deleted": [
    [{ type: "child-deleted", spiIn: 0x81020304, spiOut: 1 }, /0x81020304 in, 0x00000001 out.*stop using/],
  ],
  configured: [
    [
      {
        type: "configured",
        configuration: { addresses: [new Uint8Array([10, 1, 0, 7])], dns: [], subnets: [] },
      },
      /gave 10\.1\.0\.7/,
    ],
  ],
  "not-configured": [[{ type: "not-configured" }, /no inner address/]],
  ticket: [[{ type: "ticket", ticket }, /ticket for 3600 s: store it/]],
  "no-ticket": [
    [{ type: "no-ticket", reason: "later" }, /requestTicket/],
    [{ type: "no-ticket", reason: "refused" }, /turn session resumption on/],
  ],
  notified: [
    [{ type: "notified", notify: 11, data: new Uint8Array(4) }, /INVALID_SPI.*start a new session/],
    [{ type: "notified", notify: 39, data: new Uint8Array(0) }, /INVALID_SELECTORS.*only what they cover/],
    [{ type: "notified", notify: 24, data: new Uint8Array(0) }, /AUTHENTICATION_FAILED.*close this session/],
    [{ type: "notified", notify: 8191, data: new Uint8Array(0) }, /notification 8191/],
  ],
};

const NOTIFIES = [1, 4, 5, 7, 14, 17, 24, 34, 35, 36, 37, 38, 43, 12345];
const entries = <K extends string>(table: Record<K, RegExp>) => Object.entries(table) as [K, RegExp][];
const hinted = (notify: number, ...data: number[]): Event => ({
  type: "closed",
  reason: "timeout",
  hint: { notify, data: new Uint8Array(data) },
});

const TABLE: [Event, RegExp][] = [
  ...Object.values(OTHERS).flat(),
  ...entries(IGNORED).map(([reason, says]): [Event, RegExp] => [
    { type: "ignored", reason, notify: 14 },
    says,
  ]),
  ...entries(CHILD_FAILED).map(([reason, says]): [Event, RegExp] => [
    { type: "child-failed", remote, reason, notify: 14 },
    says,
  ]),
  ...entries(CLOSED).map(([reason, says]): [Event, RegExp] => [{ type: "closed", reason, notify: 14 }, says]),
  [
    { type: "child-failed", remote, reason: "refused", notify: 38 },
    /TS_UNACCEPTABLE.*child\.local 10\.1\.0\.7/,
  ],
  [{ type: "child-failed", remote, reason: "refused", notify: 37 }, /FAILED_CP_REQUIRED.*child\.local/],
  [{ type: "child-failed", remote, reason: "refused" }, /log/],
  [{ type: "closed", reason: "refused", notify: 24 }, /AUTHENTICATION_FAILED.*psk and both identities/],
  [{ type: "closed", reason: "refused", notify: 38 }, /TS_UNACCEPTABLE.*10\.99\.0\.0\/16/],
  [{ type: "closed", reason: "refused" }, /log/],
  [
    hinted(17, 0, 19),
    /group 19 \(256-bit random ECP\), the profile offers group 31 \(Curve25519\): .* to p256,/,
  ],
  [hinted(17, 0, 21), /group 21 .*choose a group that both have/],
  [hinted(17), /another group than group 31/],
  [hinted(14), /NO_PROPOSAL_CHOSEN.*ENCR_CHACHA20_POLY1305, PRF_HMAC_SHA2_256, group 31 \(Curve25519\)/],
  ...NOTIFIES.map((notify): [Event, RegExp] => [
    hinted(notify),
    new RegExp(`only an unprotected ${notifyName(notify)}: `),
  ]),
  ...NOTIFIES.map((notify): [Event, RegExp] => [
    { type: "closed", reason: "refused", notify },
    new RegExp(notifyName(notify)),
  ]),
  ...NOTIFIES.map((notify): [Event, RegExp] => [
    { type: "child-failed", remote, reason: "refused", notify },
    new RegExp(notifyName(notify)),
  ]),
];

test("explain: every event has its sentence", () => {
  for (const [event, says] of TABLE) assert.match(explain(profile, event), says);
});

test("explain: one sentence, without secrets", () => {
  const secrets = [secret, Buffer.from(secret).toString("hex"), "abababab", "cdcdcdcd"];
  for (const [event] of TABLE) {
    const sentence = explain(profile, event);
    assert.match(sentence, /^[A-Za-z].*[A-Za-z0-9]\.$/);
    assert.doesNotMatch(sentence, /\. |\.\.|undefined|NaN|\[object/);
    for (const word of secrets) assert.ok(!sentence.includes(word), sentence);
  }
});

test("explain: the tables above cover the unions of src/event.ts", () => {
  const source = readFileSync(new URL("../src/event.ts", import.meta.url), "utf8");
  const union = (name: string): string[] => {
    const text = new RegExp(`export type ${name} =([\\s\\S]*?);\\n`).exec(source)?.[1] ?? "";
    return [...text.matchAll(/^ {2}\| "([a-z-]+)"/gm)].map((match) => match[1]!).sort();
  };
  assert.deepEqual(union("IgnoredReason"), Object.keys(IGNORED).sort());
  assert.deepEqual(union("ChildFailure"), Object.keys(CHILD_FAILED).sort());
  assert.deepEqual(union("CloseReason"), Object.keys(CLOSED).sort());
  const types = new Set([...source.matchAll(/readonly type: "([a-z-]+)"/g)].map((match) => match[1]!));
  assert.deepEqual(types, new Set(TABLE.map(([{ type }]) => type)));
});

test("explain: what a profile leaves open or says otherwise", () => {
  const { remote: _, ...anybody } = profile;
  assert.match(explain(anybody, { type: "closed", reason: "authentication" }), /the gateway's left open/);
  const cbc = {
    ...profile.child,
    cipher: aesCbc(256, hmacSha256_128),
    esn: true,
    mode: "transport" as const,
  };
  assert.match(
    explain({ ...profile, child: cbc }, { type: "child-failed", remote, reason: "proposal" }),
    /ENCR_AES_CBC \(256 bits\) with AUTH_HMAC_SHA2_256_128 with extended sequence numbers/,
  );
  assert.match(
    explain({ ...profile, child: cbc }, { type: "child-failed", remote, reason: "mode" }),
    /wants transport mode/,
  );
  const patient = { ...profile, retransmission: { wait: 100, sends: 3 } };
  assert.match(explain(patient, { type: "closed", reason: "timeout" }), /3 sends in 0\.7 s or more:/);
  // A ticket is presented less often than the profile says.
  const resuming = { ...patient, extensions: [resumption()] };
  const event: Event = { type: "closed", reason: "timeout" };
  assert.match(explain(resuming, event), /3 sends in 0\.7 s or more, or fewer of a ticket:/);
});

test("explain: identities in words, and nothing that steers a terminal", () => {
  assert.equal(identityText(fqdn("gw.example")), "gw.example");
  assert.equal(identityText({ type: 2, data: new Uint8Array([0x1b, 0x5b, 0x32, 0x4a]) }), "0x1b5b324a");
  assert.equal(identityText(keyId(new Uint8Array([0, 255]))), "0x00ff");
  assert.equal(identityText(addressId(new Uint8Array([10, 1, 0, 7]))), "10.1.0.7");
  assert.equal(identityText({ type: 1, data: new Uint8Array(3) }), "0x000000");
});

test("explain: addresses, selectors and SPIs in words", () => {
  const v6 = (...groups: number[]) => new Uint8Array(groups.flatMap((group) => [group >> 8, group & 255]));
  assert.equal(addressText(v6(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7)), "2001:db8::7");
  assert.equal(addressText(v6(0x2001, 0, 0, 1, 0, 0, 0, 7)), "2001:0:0:1::7");
  assert.equal(addressText(v6(0, 0, 0, 0, 0, 0, 0, 0)), "::");
  assert.equal(addressText(v6(0xfe80, 0, 1, 0x10, 0x100, 2, 3, 4)), "fe80:0:1:10:100:2:3:4");
  const any = net([0, 0, 0, 0], 0);
  assert.equal(selectorText(any), "0.0.0.0/0");
  assert.equal(selectorText(host([10, 1, 0, 7])), "10.1.0.7");
  assert.equal(
    selectorText({ ...any, start: new Uint8Array([10, 0, 0, 1]), end: new Uint8Array([10, 0, 0, 9]) }),
    "10.0.0.1-10.0.0.9",
  );
  const dns = { ...host([10, 1, 0, 7]), protocol: 17, startPort: 53, endPort: 53 };
  assert.equal(selectorText(dns), "10.1.0.7 protocol 17 port 53");
  assert.equal(selectorText({ ...dns, endPort: 99 }), "10.1.0.7 protocol 17 ports 53-99");
  assert.equal(spiText(0xffffffff), "0xffffffff");
});
