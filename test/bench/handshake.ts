/**
 * The device's side of a full handshake and of a resumption: the exchange is recorded once with the test responder,
 * then replayed, so that the gateway's work is outside of what is measured. The floor does the same cryptography with
 * noble alone, each HMAC keyed once; that it does the same is checked against what the device has sent.
 */

import assert from "node:assert/strict";
import { getDiffieHellman } from "node:crypto";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { entropyLength, initiate, type Profile, receive, type Step } from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCcm } from "ikelet/crypto/aes-ccm.js";
import { aesCmac } from "ikelet/crypto/aes-cmac.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { Suite } from "ikelet/crypto/contracts.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { hmacSha384 } from "ikelet/crypto/hmac-sha384.js";
import { hmacSha512 } from "ikelet/crypto/hmac-sha512.js";
import { hmacSha512_256 } from "ikelet/crypto/hmac-sha512-256.js";
import { modp2048 } from "ikelet/crypto/modp2048.js";
import { p256 } from "ikelet/crypto/p256.js";
import { p384 } from "ikelet/crypto/p384.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import { resume, resumeEntropyLength, resumption } from "ikelet/resumption.js";
import { ascii, concat, emitIdentification, parseKeyExchange, parseMessage } from "ikelet/wire.js";
import { makeGateway, makeProfile, octets, PSK } from "../initiator/harness.ts";
import type { Responder } from "../responder/index.ts";
import * as noble from "./noble.ts";

const HEADER_LENGTH = 28;
const SK_HEADER_LENGTH = 4;
const PAYLOAD_KE = 34;

export interface Work {
  readonly name: string;
  readonly ours: () => void;
  readonly floor: () => void;
}

interface SuiteFloor {
  readonly prf: noble.PrfFloor;
  readonly cipher: noble.CipherFloor;
  readonly keyExchange: noble.KeyExchangeFloor;
}

/** RFC 3526 section 3. */
const MODP = BigInt(`0x${getDiffieHellman("modp14").getPrime("hex")}`);

/** Each cipher, PRF and group at least once; the first is the suite of the examples. */
const SUITES: readonly (readonly [name: string, suite: Suite, floor: SuiteFloor])[] = [
  [
    "ChaCha20-Poly1305, HMAC-SHA2-256, X25519",
    { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519 },
    { cipher: noble.chachaFloor, prf: noble.hmacSha256Floor, keyExchange: noble.x25519Floor },
  ],
  [
    "AES-GCM-128, HMAC-SHA2-256, X25519",
    { cipher: aesGcm(128), prf: hmacSha256, keyExchange: x25519 },
    { cipher: noble.gcmFloor, prf: noble.hmacSha256Floor, keyExchange: noble.x25519Floor },
  ],
  [
    "AES-CCM-8-128, AES-CMAC, X25519",
    { cipher: aesCcm(128, 8), prf: aesCmac, keyExchange: x25519 },
    { cipher: noble.ccmFloor, prf: noble.aesCmacFloor, keyExchange: noble.x25519Floor },
  ],
  [
    "AES-CBC-128 and HMAC-SHA2-256, P-256",
    { cipher: aesCbc(128, hmacSha256_128), prf: hmacSha256, keyExchange: p256 },
    { cipher: noble.cbcFloor(16, sha256), prf: noble.hmacSha256Floor, keyExchange: noble.p256Floor },
  ],
  [
    "AES-GCM-256, HMAC-SHA2-384, P-384",
    { cipher: aesGcm(256), prf: hmacSha384, keyExchange: p384 },
    { cipher: noble.gcmFloor, prf: noble.hmacSha384Floor, keyExchange: noble.p384Floor },
  ],
  [
    "AES-CBC-256 and HMAC-SHA2-512, MODP-2048",
    { cipher: aesCbc(256, hmacSha512_256), prf: hmacSha512, keyExchange: modp2048 },
    {
      cipher: noble.cbcFloor(32, sha512),
      prf: noble.hmacSha512Floor,
      keyExchange: noble.modpFloor(MODP),
    },
  ],
];

/** What went over the wire, and the steps of the device, whose sessions hold what the floor needs. */
interface Recording {
  readonly profile: Profile;
  readonly requests: readonly [Uint8Array, Uint8Array];
  readonly responses: readonly [Uint8Array, Uint8Array];
  readonly steps: readonly [Step, Step, Step];
}

function record(profile: Profile, gateway: Responder, first: Step): Recording {
  const [request] = first.send;
  const [response] = gateway.receive(request!);
  const second = receive(profile, first.session, response!);
  const [authRequest] = second.send;
  const [authResponse] = gateway.receive(authRequest!);
  const third = receive(profile, second.session, authResponse!);
  assert.equal(third.session.state, "established");
  assert.deepEqual(gateway.violations, []);
  return {
    profile,
    requests: [request!, authRequest!],
    responses: [response!, authResponse!],
    steps: [first, second, third],
  };
}

/** The same steps once more. */
function replay({ profile, responses }: Recording, begin: () => Step): () => void {
  return () => {
    const first = begin();
    const second = receive(profile, first.session, responses[0]);
    const third = receive(profile, second.session, responses[1]);
    if (third.session.state !== "established") throw new Error("the replay does not come up");
  };
}

function sealedParts(
  datagram: Uint8Array,
  ivLength: number,
): [aad: Uint8Array, iv: Uint8Array, sealed: Uint8Array] {
  const start = HEADER_LENGTH + SK_HEADER_LENGTH;
  const end = start + ivLength;
  // Copies, because noble wants words where words begin.
  return [
    concat(datagram.subarray(0, start)),
    concat(datagram.subarray(start, end)),
    concat(datagram.subarray(end)),
  ];
}

/** prf+ without anything around it (RFC 7296 section 2.13). */
function stretch(prf: noble.KeyedFloor, seed: Uint8Array, length: number): Uint8Array {
  const stream = new Uint8Array(length);
  const number = new Uint8Array(1);
  let block = new Uint8Array(0);
  for (let at = 0; at < length; at += block.length) {
    number[0]!++;
    block = prf(block, seed, number) as Uint8Array<ArrayBuffer>;
    stream.set(block.subarray(0, length - at), at);
  }
  return stream;
}

/**
 * All that comes after SKEYSEED is there: keys, both AUTHs, both messages, KEYMAT.
 *
 * @param oldSkD of the ticket; without it, this is a full handshake
 */
function floorOf(recording: Recording, suite: SuiteFloor, oldSkD?: Uint8Array): () => void {
  const { profile, requests, responses, steps } = recording;
  const { cipher, prf } = profile.suite;
  const { nonceI, secret } = steps[0].session.handshake!;
  const { spiI, spiR, handshake } = steps[1].session;
  const nonceR = handshake!.nonceR!;
  const nonces = concat(nonceI, nonceR);
  const n = prf.nonceKeyLength;
  const nonceKey = concat(nonceI.subarray(0, n), nonceR.subarray(0, n));
  const spis = concat(spiI, spiR);
  const ke = parseMessage(responses[0])!.payloads.find(({ type }) => type === PAYLOAD_KE);
  const peerValue = ke && parseKeyExchange(ke.body, profile.suite.keyExchange!.transformId)!;
  const idI = emitIdentification(profile.local);
  const idR = emitIdentification(profile.remote!);
  const [requestAad, requestIv, requestSealed] = sealedParts(requests[1], cipher.ivLength);
  const [responseAad, responseIv, responseSealed] = sealedParts(responses[1], cipher.ivLength);
  const plaintext = cipher.open(steps[1].session.keys!.skI, requestIv, requestAad, requestSealed)!;
  const answered = cipher.open(steps[1].session.keys!.skR, responseIv, responseAad, responseSealed)!;
  const p = prf.keyLength;
  const e = cipher.keyLength;
  const a = cipher.integrityKeyLength;
  const keyPad = ascii("Key Pad for IKEv2");
  const label = ascii("Resumption");

  let authI: Uint8Array = plaintext;
  let authR: Uint8Array = plaintext;
  let sealed: Uint8Array = plaintext;
  let keymat: Uint8Array = plaintext;
  const work = (): void => {
    let seed: Uint8Array;
    if (oldSkD) seed = suite.prf(oldSkD)(label, nonceI, nonceR);
    else {
      suite.keyExchange.publicValue(secret!);
      seed = suite.prf(nonceKey)(suite.keyExchange.sharedSecret(secret!, peerValue!));
    }
    const stream = stretch(suite.prf(seed), concat(nonces, spis), 3 * p + 2 * (a + e));
    const skAi = stream.subarray(p, p + a);
    const skAr = stream.subarray(p + a, p + 2 * a);
    const skEi = stream.subarray(p + 2 * a, p + 2 * a + e);
    const skEr = stream.subarray(p + 2 * a + e, p + 2 * (a + e));
    const prfI = suite.prf(stream.subarray(-2 * p, -p));
    const prfR = suite.prf(stream.subarray(-p));
    const signer = oldSkD ? undefined : suite.prf(suite.prf(profile.psk!)(keyPad));
    authI = (signer ?? prfI)(requests[0], nonceR, prfI(idI));
    sealed = suite.cipher.seal(concat(skEi, skAi), requestIv, requestAad, plaintext);
    suite.cipher.open(concat(skEr, skAr), responseIv, responseAad, responseSealed);
    authR = (signer ?? prfR)(responses[0], nonceI, prfR(idR));
    keymat = stretch(suite.prf(stream.subarray(0, p)), nonces, 2 * (e + a));
  };

  work();
  const established = steps[2].events.find(({ type }) => type === "established");
  assert.ok(established?.type === "established");
  assert.ok(Buffer.from(plaintext).includes(Buffer.from(authI)), "AUTH of the device");
  assert.ok(Buffer.from(answered).includes(Buffer.from(authR)), "AUTH of the gateway");
  if (!suite.cipher.approximate) assert.deepEqual(sealed, requestSealed, "IKE_AUTH request");
  assert.deepEqual(keymat, concat(established.child.outbound.key, established.child.inbound.key));
  return work;
}

function withSuite(suite: Suite, extensions: Profile["extensions"] = []): Profile {
  const profile = makeProfile({ suite, psk: PSK, extensions });
  return { ...profile, child: { ...profile.child, cipher: suite.cipher } };
}

function fullHandshake(name: string, suite: Suite, floor: SuiteFloor): Work {
  const profile = withSuite(suite);
  const entropy = octets(entropyLength(profile));
  const begin = (): Step => initiate(profile, entropy);
  const recording = record(profile, makeGateway(), begin());
  return { name, ours: replay(recording, begin), floor: floorOf(recording, floor) };
}

function resumed(name: string, suite: Suite, floor: SuiteFloor): Work {
  const profile = withSuite(suite, [resumption()]);
  const gateway = makeGateway({ tickets: { spentAt: "never" } });
  const before = record(profile, gateway, initiate(profile, octets(entropyLength(profile))));
  const granted = before.steps[2].events.find((event) => event.type === "ticket");
  assert.ok(granted?.type === "ticket");
  const { ticket } = granted;
  const entropy = octets(resumeEntropyLength(profile), "resumption");
  const begin = (): Step => resume(profile, ticket, 1, entropy);
  const recording = record(profile, gateway, begin());
  return { name, ours: replay(recording, begin), floor: floorOf(recording, floor, ticket.skD) };
}

export function fullHandshakes(): Work[] {
  return SUITES.map(([name, suite, floor]) => fullHandshake(name, suite, floor));
}

/** Of suites that differ in what a resumption needs. */
export function resumptions(): Work[] {
  return SUITES.map(([name, suite, floor]) => resumed(name.replace(/, [^,]*$/, ""), suite, floor));
}
