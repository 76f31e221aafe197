/** A whole handshake with every suite, and the algorithms that RFC 8247 asks for and forbids. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkLiveness, close, type Profile } from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCcm } from "ikelet/crypto/aes-ccm.js";
import { aesCmac } from "ikelet/crypto/aes-cmac.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { Cipher, Integrity, KeyExchange, KeyedPrf, Prf } from "ikelet/crypto/contracts.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { hmacSha384 } from "ikelet/crypto/hmac-sha384.js";
import { hmacSha384_192 } from "ikelet/crypto/hmac-sha384-192.js";
import { hmacSha512 } from "ikelet/crypto/hmac-sha512.js";
import { hmacSha512_256 } from "ikelet/crypto/hmac-sha512-256.js";
import { modp2048 } from "ikelet/crypto/modp2048.js";
import { p256 } from "ikelet/crypto/p256.js";
import { p384 } from "ikelet/crypto/p384.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import {
  concat,
  hex,
  openEsp,
  type Responder,
  type Suite,
  sealEsp,
  towardsDevice,
  towardsGateway,
  u32,
  u64,
} from "../responder/index.ts";
import { connect, type Device, exchange, makeProfile, octets, only, take } from "./harness.ts";
import { ask } from "./scenes.ts";

const CIPHERS: Record<string, Cipher> = {
  "ChaCha20-Poly1305": chacha20Poly1305,
  "AES-GCM-128": aesGcm(128),
  "AES-GCM-256": aesGcm(256),
  "AES-CCM-8-128": aesCcm(128, 8),
  "AES-CCM-8-256": aesCcm(256, 8),
  "AES-CCM-16-128": aesCcm(128, 16),
  "AES-CCM-16-256": aesCcm(256, 16),
  "AES-CBC-128 HMAC-SHA2-256-128": aesCbc(128, hmacSha256_128),
  "AES-CBC-256 HMAC-SHA2-256-128": aesCbc(256, hmacSha256_128),
  "AES-CBC-256 HMAC-SHA2-384-192": aesCbc(256, hmacSha384_192),
  "AES-CBC-256 HMAC-SHA2-512-256": aesCbc(256, hmacSha512_256),
};
const PRFS: Record<string, Prf> = {
  "HMAC-SHA2-256": hmacSha256,
  "HMAC-SHA2-384": hmacSha384,
  "HMAC-SHA2-512": hmacSha512,
  "AES-CMAC": aesCmac,
};
const GROUPS: Record<string, KeyExchange> = {
  Curve25519: x25519,
  "P-256": p256,
  "P-384": p384,
  MODP2048: modp2048,
};

/** What both sides now have in common, compared in both directions. */
function assertSameKeys(device: Device, gateway: Responder): void {
  const { child } = only(device.events, "established");
  const theirs = gateway.sa.child;
  assert.equal(theirs !== undefined, true);
  const { keyI2R, keyR2I, spiI, spiR, suite } = theirs!;
  const keyOf = ({ encryption, integrity }: typeof keyI2R) => hex(concat(encryption, integrity));
  assert.equal(hex(child.outbound.key), keyOf(keyI2R));
  assert.equal(hex(child.inbound.key), keyOf(keyR2I));
  assert.notEqual(keyOf(keyI2R), keyOf(keyR2I));
  assert.deepEqual([u32(child.outbound.spi), u32(child.inbound.spi)], [spiR, spiI]);
  assert.deepEqual(
    [child.encryptionId, child.keyBits || undefined, child.integrityId || undefined, Number(child.esn)],
    [suite.encr, suite.keyBits, suite.integ, suite.esn],
  );
}

/** Protected messages go both ways. */
function assertTalks(device: Device, gateway: Responder): void {
  assert.deepEqual(ask(device, gateway, gateway.liveness()).answer, []);
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  only(device.events, "alive");
  exchange(device, gateway, take(device, close(device.profile, device.session)).send);
  assert.equal(gateway.sa.end, "Delete of the device");
}

function assertWorks(suite: Profile["suite"], childCipher: Cipher = suite.cipher, esn = false): void {
  const child = { ...makeProfile().child, cipher: childCipher, esn };
  const { device, gateway } = connect({ suite, child });
  const { cipher, prf, keyExchange } = suite;
  const negotiated: Suite = {
    encr: cipher.encryptionId,
    ...(cipher.keyBits ? { keyBits: cipher.keyBits } : {}),
    ...(cipher.integrityId ? { integ: cipher.integrityId } : {}),
    prf: prf.transformId,
    group: keyExchange!.transformId,
  };
  assert.deepEqual(gateway.sa.suite, negotiated);
  assertSameKeys(device, gateway);
  assertTalks(device, gateway);
  assert.deepEqual(gateway.violations, []);
  assert.deepEqual(gateway.ignored, []);
}

// All pairs: each cipher with each PRF, and the group so that it meets all ciphers and all PRFs.
const names = Object.keys(CIPHERS);
names.forEach((cipherName, c) => {
  Object.keys(PRFS).forEach((prfName, p) => {
    const groupName = Object.keys(GROUPS)[(c + p) % 4]!;
    const childName = names[(3 * c + p) % names.length]!;
    test(`${cipherName}, ${prfName}, ${groupName}; child ${childName}`, () => {
      assertWorks(
        { cipher: CIPHERS[cipherName]!, prf: PRFS[prfName]!, keyExchange: GROUPS[groupName]! },
        CIPHERS[childName],
        p % 2 === 1,
      );
    });
  });
});

for (const [name, cipher] of Object.entries(CIPHERS)) {
  test(`ESP with the keys and SPIs of the event: ${name} [7815-2.1-h]`, () => {
    const { device, gateway } = connect({ child: { ...makeProfile().child, cipher } });
    const { inbound, outbound } = only(device.events, "established").child;
    const theirs = gateway.sa.child!;
    const packet = octets(60, "packet");
    const block = Math.max(4, cipher.blockLength);
    const padLength = (block - ((packet.length + 2) % block)) % block;
    const padding = Uint8Array.from({ length: padLength }, (_, i) => i + 1);
    const trailer = concat(padding, Uint8Array.of(padLength, 4));
    const header = concat(u32(outbound.spi), u32(1));
    const iv = concat(new Uint8Array(cipher.ivLength - 8), u64(1));
    const sealed = concat(header, iv, cipher.seal(outbound.key, iv, header, concat(packet, trailer)));
    assert.equal(hex(openEsp(towardsGateway(theirs), sealed)!.payload), hex(packet));

    const back = sealEsp(towardsDevice(theirs), 7, packet, 4);
    assert.equal(hex(back.slice(0, 4)), hex(u32(inbound.spi)));
    const at = 8 + cipher.ivLength;
    const plaintext = cipher.open(inbound.key, back.slice(8, at), back.slice(0, 8), back.slice(at));
    assert.equal(hex(plaintext!.slice(0, packet.length)), hex(packet));
  });
}

// RFC 8247: what must and should be there.

const BASE = { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519 };
/** An algorithm from elsewhere, such as a device's own crypto engine. */
const foreignHmac =
  (hash: string) =>
  (key: Uint8Array): KeyedPrf =>
  (...chunks) => {
    const mac = createHmac(hash, key);
    for (const chunk of chunks) mac.update(chunk);
    return new Uint8Array(mac.digest());
  };
const foreignSha1: Prf = { transformId: 2, keyLength: 20, outputLength: 20, keyed: foreignHmac("sha1") };
const foreignSha1_96: Integrity = {
  transformId: 2,
  keyLength: 20,
  icvLength: 12,
  keyed: foreignHmac("sha1"),
};

test("AES-CBC with keys of 128 and of 256 bits [8247-2.1-a]", () => {
  assertWorks({ ...BASE, cipher: aesCbc(128, hmacSha256_128) });
  assertWorks({ ...BASE, cipher: aesCbc(256, hmacSha256_128) });
});

test("ChaCha20-Poly1305, AES-GCM with 16 octets of ICV, AES-CCM with 8 [8247-2.1-b]", () => {
  for (const cipher of [chacha20Poly1305, aesGcm(128), aesGcm(256), aesCcm(128, 8)])
    assertWorks({ ...BASE, cipher });
});

test("HMAC-SHA2-256 as PRF; a profile may bring HMAC-SHA1 itself [8247-2.2-a]", () => {
  assertWorks({ ...BASE, prf: hmacSha256 });
  assertWorks({ ...BASE, prf: foreignSha1 });
});

test("HMAC-SHA2-512 as PRF [8247-2.2-b]", () => {
  // PRF_AES128_XCBC, for IoT, is not there: AES-CMAC has its place. That MD5 is not there either, see below.
  assertWorks({ ...BASE, prf: hmacSha512 });
  assertWorks({ ...BASE, prf: aesCmac });
});

test("HMAC-SHA2-256-128 and HMAC-SHA2-512-256; a profile may bring HMAC-SHA1-96 itself [8247-2.3-a]", () => {
  for (const integrity of [hmacSha256_128, hmacSha512_256, foreignSha1_96])
    assertWorks({ ...BASE, cipher: aesCbc(128, integrity) });
});

test("groups 14, 19 and 31 [8247-2.4-a]", () => {
  for (const keyExchange of [modp2048, p256, x25519]) assertWorks({ ...BASE, keyExchange });
});

// … and what must not be there.

type Algorithm = Partial<Cipher & Prf & Integrity & KeyExchange>;

/** Everything that the package brings under `crypto/`, whatever will be added to it. */
async function algorithms(): Promise<Algorithm[]> {
  const { exports } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const entries = Object.keys(exports).filter((entry) => entry.startsWith("./crypto/"));
  const found: Algorithm[] = [];
  for (const entry of entries) {
    const module = await import(`ikelet/${entry.slice(2)}`);
    for (const [name, value] of Object.entries<Algorithm>(module)) {
      if (typeof value === "object") found.push(value);
      else if (name.startsWith("aes")) found.push(...algorithmsOf(value as never));
    }
  }
  return found;
}

function algorithmsOf(make: (keyBits: number, second: unknown) => Cipher): Cipher[] {
  return [make(128, make === (aesCbc as never) ? hmacSha256_128 : 8)];
}

test("the package brings nothing that RFC 8247 forbids [8247-2.1-c, 8247-2.2-b, 8247-2.3-a, 8247-2.4-a]", async () => {
  const all = await algorithms();
  const kinds: [string, (a: Algorithm) => number | false | undefined, number[]][] = [
    // DES in three forms, NULL; MD5; MD5, DES and KPDK; MODP of 768, 1024, 1536 bits and with subgroups.
    ["ENCR", (a) => a.encryptionId, [1, 2, 9, 11]],
    ["PRF", (a) => !!a.outputLength && a.transformId, [1]],
    ["INTEG", (a) => !!a.icvLength && a.transformId, [1, 3, 4]],
    ["D-H", (a) => !!a.publicLength && a.transformId, [1, 2, 5, 22, 23, 24]],
  ];
  for (const [kind, idOf, forbidden] of kinds) {
    const ids = all.map(idOf).filter((id) => id);
    assert.equal(ids.length >= 3, true, kind);
    assert.deepEqual(
      ids.filter((id) => forbidden.includes(id as number)),
      [],
      kind,
    );
  }
});
