/** The native cryptography of Moddable and Espruino, behind the contracts, against noble and the gateway. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BlockCipher, Cipher, Digest } from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCcm } from "ikelet/crypto/aes-ccm.js";
import { aesCmac } from "ikelet/crypto/aes-cmac.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { authHmac } from "ikelet/crypto/auth-hmac.js";
import { cbc } from "ikelet/crypto/cbc.js";
import { ccm } from "ikelet/crypto/ccm.js";
import { cmac } from "ikelet/crypto/cmac.js";
import { gcm } from "ikelet/crypto/gcm.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { hmacSha384 } from "ikelet/crypto/hmac-sha384.js";
import { hmacSha384_192 } from "ikelet/crypto/hmac-sha384-192.js";
import { hmacSha512 } from "ikelet/crypto/hmac-sha512.js";
import { hmacSha512_256 } from "ikelet/crypto/hmac-sha512-256.js";
import { prfHmac } from "ikelet/crypto/prf-hmac.js";
import { sha1 } from "ikelet/crypto/sha1.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import { espruinoAes, espruinoAesInverse, espruinoDigest } from "ikelet/providers/espruino.js";
import { moddableAes, moddableAesInverse, moddableDigest, moddableGcm } from "ikelet/providers/moddable.js";
import { random, toHex, unaligned } from "../crypto/support.ts";
import { connect, makeProfile, only } from "../initiator/harness.ts";
import { frugal, resumable, resumed } from "../resumption/scenes.ts";
import { makeEspruinoCrypto } from "./espruino-crypto.ts";
import * as Crypt from "./moddable-crypt.ts";

interface Provider {
  readonly name: string;
  readonly sha1: Digest;
  readonly sha256: Digest;
  readonly sha384: Digest;
  readonly sha512: Digest;
  readonly aes: BlockCipher;
  readonly inverse: BlockCipher;
  readonly gcm: (keyBits: 128 | 256) => Cipher;
}

const espruino = makeEspruinoCrypto();
const aesOfEspruino = espruinoAes(espruino.AES);
const providers: Provider[] = [
  {
    name: "Moddable",
    sha1: moddableDigest(Crypt.Digest, "SHA1"),
    sha256: moddableDigest(Crypt.Digest, "SHA256"),
    sha384: moddableDigest(Crypt.Digest, "SHA384"),
    sha512: moddableDigest(Crypt.Digest, "SHA512"),
    aes: moddableAes(Crypt.BlockCipher),
    inverse: moddableAesInverse(Crypt.BlockCipher),
    gcm: (keyBits) => moddableGcm(Crypt, keyBits),
  },
  {
    name: "Espruino",
    sha1: espruinoDigest(espruino.SHA1),
    sha256: espruinoDigest(espruino.SHA256),
    sha384: espruinoDigest(espruino.SHA384),
    sha512: espruinoDigest(espruino.SHA512),
    aes: aesOfEspruino,
    inverse: espruinoAesInverse(espruino.AES),
    gcm: (keyBits) => gcm(aesOfEspruino, keyBits),
  },
];

for (const provider of providers)
  describe(provider.name, () => {
    const { aes, inverse, sha256, sha384, sha512 } = provider;

    test("has the hash of noble, for any chunks", () => {
      for (let length = 0; length < 200; length += 3) {
        const data = random(length);
        const expected = toHex(sha1(data));
        assert.equal(toHex(provider.sha1(data)), expected);
        assert.equal(toHex(provider.sha1(unaligned(data.subarray(0, 70)), data.subarray(70))), expected);
      }
      assert.equal(toHex(provider.sha1()), toHex(sha1()));
    });

    const hmacs = [
      [prfHmac(sha256, 256), hmacSha256, authHmac(sha256, 256), hmacSha256_128],
      [prfHmac(sha384, 384), hmacSha384, authHmac(sha384, 384), hmacSha384_192],
      [prfHmac(sha512, 512), hmacSha512, authHmac(sha512, 512), hmacSha512_256],
    ] as const;
    for (const [prf, noblePrf, integrity, nobleIntegrity] of hmacs)
      test(`has HMAC with ${prf.outputLength * 8} bits, as noble has it`, () => {
        const numbers = (value: object): string => JSON.stringify(value);
        assert.equal(numbers(prf), numbers(noblePrf));
        assert.equal(numbers(integrity), numbers(nobleIntegrity));
        // Around the two block lengths of the hashes.
        for (const length of [0, 1, 32, 63, 64, 65, 127, 128, 129, 200]) {
          const [key, data] = [random(length), random(length)];
          const expected = toHex(noblePrf.keyed(key)(data));
          const keyed = prf.keyed(key);
          assert.equal(toHex(keyed(data)), expected);
          assert.equal(toHex(integrity.keyed(unaligned(key))(data, new Uint8Array())), expected);
          key.fill(0);
          assert.equal(toHex(keyed(data.subarray(0, 5), data.subarray(5))), expected);
        }
      });

    test("has AES-CMAC, as noble has it", () => {
      for (let length = 0; length < 70; length++) {
        const [key, data] = [random(length % 20), random(length)];
        assert.equal(toHex(cmac(aes).keyed(key)(data)), toHex(aesCmac.keyed(key)(data)));
      }
    });

    const ciphers: (readonly [string, Cipher, Cipher])[] = [128 as const, 256 as const].flatMap((bits) => [
      [`AES-GCM-16 with ${bits} bits`, provider.gcm(bits), aesGcm(bits)],
      [`AES-CCM-8 with ${bits} bits`, ccm(aes, bits, 8), aesCcm(bits, 8)],
      [
        `AES-CBC with ${bits} bits`,
        cbc(aes, inverse, bits, authHmac(sha256, 256)),
        aesCbc(bits, hmacSha256_128),
      ],
    ]);
    for (const [name, cipher, noble] of ciphers)
      test(`has ${name}, as noble has it`, () => {
        assert.equal(JSON.stringify(cipher), JSON.stringify(noble));
        for (let length = 0; length < 100; length += cipher.blockLength) {
          const key = unaligned(random(cipher.keyLength + cipher.integrityKeyLength));
          const iv = unaligned(random(cipher.ivLength));
          const associatedData = unaligned(random(length % 37));
          const plaintext = unaligned(random(length));
          const sealed = cipher.seal(key, iv, associatedData, plaintext);
          assert.equal(toHex(sealed), toHex(noble.seal(key, iv, associatedData, plaintext)));
          const space = unaligned(new Uint8Array(sealed.length));
          space.set(plaintext);
          const inPlace = cipher.seal(key, iv, associatedData, space.subarray(0, length), space);
          assert.equal(inPlace, space);
          assert.equal(toHex(space), toHex(sealed));
          assert.equal(toHex(cipher.open(key, iv, associatedData, unaligned(sealed))), toHex(plaintext));
          const output = unaligned(new Uint8Array(length));
          for (const at of [0, length, sealed.length - 1]) {
            const changed = new Uint8Array(sealed);
            changed[at]! ^= 1;
            assert.equal(cipher.open(key, iv, associatedData, changed, output), undefined);
          }
          for (const cut of [sealed.subarray(1), sealed.subarray(0, cipher.icvLength - 1), new Uint8Array()])
            assert.equal(cipher.open(key, iv, associatedData, cut, output), undefined);
          assert.equal(toHex(output), "00".repeat(length));
          assert.equal(cipher.open(key, iv, associatedData, sealed, output), output);
          assert.equal(toHex(output), toHex(plaintext));
        }
      });

    const suites: (readonly [string, Cipher])[] = [
      ["AES-GCM", provider.gcm(128)],
      ["AES-CBC", cbc(aes, inverse, 256, authHmac(sha256, 256))],
    ];
    for (const [name, cipher] of suites)
      test(`makes a full handshake with ${name}, and resumes`, () => {
        const suite = { cipher, prf: prfHmac(sha256, 256), keyExchange: x25519 };
        const changes = resumable({ suite, child: { ...makeProfile().child, cipher } });
        const { device, gateway } = connect(changes, { tickets: {} });
        only(device.events, "established");
        const { ticket } = only(device.events, "ticket");
        assert.deepEqual(gateway.violations, []);
        const again = resumed(gateway, ticket, frugal(changes));
        assert.notDeepEqual(only(again.events, "ticket").ticket, ticket);
      });
  });

describe("Espruino, when memory is short", () => {
  test("throws rather than to make a key of nothing", () => {
    const broken = makeEspruinoCrypto();
    broken.fail = true;
    assert.throws(() => espruinoDigest(broken.SHA256)(random(8)), /no result/);
    assert.throws(() => espruinoAes(broken.AES)(random(16))(random(16)), /no result/);
    assert.throws(() => espruinoAesInverse(broken.AES)(random(16))(random(16)), /no result/);
  });

  test("a key of the wrong length is refused, which the native code only prints", () => {
    const crypto = makeEspruinoCrypto();
    assert.throws(() => espruinoAes(crypto.AES)(random(15))(random(16)), /no result/);
    assert.equal(crypto.printed.length, 1);
  });

  test("its own CTR would repeat the key stream: not used by what is here", () => {
    const { AES } = makeEspruinoCrypto();
    const [key, plaintext] = [random(16), random(16)];
    const [a, b] = [random(16), random(16)].map((iv) => AES.encrypt(plaintext, key, { mode: "CTR", iv }));
    assert.deepEqual(a, b);
    const cipher = gcm(espruinoAes(AES), 128);
    const salted = random(20);
    const sealed = [random(8), random(8)].map((iv) => cipher.seal(salted, iv, iv, plaintext));
    assert.notDeepEqual(sealed[0]!.subarray(0, 16), sealed[1]!.subarray(0, 16));
  });
});
