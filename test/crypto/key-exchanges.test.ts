import assert from "node:assert/strict";
import {
  createDiffieHellmanGroup,
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from "node:crypto";
import { describe, test } from "node:test";
import { p256 as nobleP256, p384 as nobleP384 } from "@noble/curves/nist.js";
import fc from "fast-check";
import type { KeyExchange } from "ikelet/crypto/contracts.js";
import { modp2048 } from "ikelet/crypto/modp2048.js";
import { p256 } from "ikelet/crypto/p256.js";
import { p384 } from "ikelet/crypto/p384.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import { concat, hex, random, toHex, unaligned, vectors } from "./support.ts";

/** OpenSSL's end of an exchange: its public value, and what it makes of ours. */
type Peer = () => { publicValue: Uint8Array; sharedSecret: (ours: Uint8Array) => Uint8Array };

const ecdhPeer =
  (curve: string): Peer =>
  () => {
    const ecdh = createECDH(curve);
    return {
      publicValue: new Uint8Array(ecdh.generateKeys()).slice(1),
      sharedSecret: (ours) => new Uint8Array(ecdh.computeSecret(concat(hex("04"), ours))),
    };
  };

const x25519Peer: Peer = () => {
  const privateKey = createPrivateKey({
    key: Buffer.concat([hex("302e020100300506032b656e04220420"), random(32)]),
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(privateKey as never).export({ format: "der", type: "spki" });
  return {
    publicValue: new Uint8Array(spki.subarray(-32)),
    sharedSecret: (ours) => {
      const key = Buffer.concat([spki.subarray(0, -32), ours]);
      return new Uint8Array(
        diffieHellman({ privateKey, publicKey: createPublicKey({ key, format: "der", type: "spki" }) }),
      );
    },
  };
};

const leftPad = (octets: Uint8Array): Uint8Array => concat(new Uint8Array(256 - octets.length), octets);

const modpPeer: Peer = () => {
  const group = createDiffieHellmanGroup("modp14");
  return {
    publicValue: leftPad(group.generateKeys()),
    sharedSecret: (ours) => leftPad(group.computeSecret(ours)),
  };
};

/** `numbers`: transform ID, octets of secret, public value and shared secret. */
const groups: { name: string; group: KeyExchange; peer: Peer; numbers: number[]; runs: number }[] = [
  { name: "Curve25519", group: x25519, peer: x25519Peer, numbers: [31, 32, 32, 32], runs: 40 },
  { name: "P-256", group: p256, peer: ecdhPeer("prime256v1"), numbers: [19, 48, 64, 32], runs: 20 },
  { name: "P-384", group: p384, peer: ecdhPeer("secp384r1"), numbers: [20, 72, 96, 48], runs: 10 },
  { name: "MODP 2048", group: modp2048, peer: modpPeer, numbers: [14, 32, 256, 256], runs: 10 },
];

for (const { name, group, peer, numbers, runs } of groups)
  describe(name, () => {
    test("has the numbers of its RFC", () => {
      const secret = random(group.secretLength);
      const publicValue = group.publicValue(secret);
      const shared = group.sharedSecret(secret, publicValue);
      assert.deepEqual([group.transformId, group.secretLength, publicValue.length, shared?.length], numbers);
      assert.equal(group.publicLength, publicValue.length);
    });

    test("agrees with OpenSSL, at any alignment", () => {
      for (let run = 0; run < runs; run++) {
        const { publicValue, sharedSecret } = peer();
        const secret = random(group.secretLength);
        const before = toHex(secret);
        const expected = toHex(sharedSecret(group.publicValue(secret)));
        const shared = group.sharedSecret(unaligned(secret), unaligned(publicValue));
        assert.equal(toHex(shared), expected);
        assert.equal(toHex(secret), before);
      }
    });

    test("refuses peer values of another length, and never throws", () => {
      const secret = random(group.secretLength);
      const good = group.publicValue(secret);
      for (const wrong of [
        good.subarray(1),
        concat(good, hex("00")),
        concat(hex("04"), good),
        good.subarray(0, 33),
      ])
        if (wrong.length !== group.publicLength) assert.equal(group.sharedSecret(secret, wrong), undefined);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (value) => {
          const shared = group.sharedSecret(secret, value);
          if (value.length !== group.publicLength) assert.equal(shared, undefined);
        }),
        { numRuns: 100 },
      );
    });

    test("takes or refuses whatever has the right length, and never throws", () => {
      const secret = random(group.secretLength);
      const value = fc.uint8Array({ minLength: group.publicLength, maxLength: group.publicLength });
      fc.assert(
        fc.property(value, (value) => {
          const shared = group.sharedSecret(secret, value);
          assert.equal(shared?.length ?? numbers[3], numbers[3]);
          // A random pair of numbers is not on a curve.
          if (numbers[0] === 19 || numbers[0] === 20) assert.equal(shared, undefined);
        }),
        { numRuns: 50 },
      );
    });
  });

describe("Curve25519", () => {
  test("rfc/rfc8031-x25519", () => {
    const { i, r, publicI, publicR, shared } = vectors<Exchange>("rfc/rfc8031-x25519");
    assert.equal(toHex(x25519.publicValue(hex(i))), publicI);
    assert.equal(toHex(x25519.publicValue(hex(r))), publicR);
    assert.equal(toHex(x25519.sharedSecret(hex(i), hex(publicR))), shared);
    assert.equal(toHex(x25519.sharedSecret(hex(r), hex(publicI))), shared);
  });

  test("wycheproof/x25519: all but small order, whose shared value is zero", () => {
    let refused = 0;
    for (const { id, public: value, private: secret, shared } of vectors<EcdhVector[]>("wycheproof/x25519")) {
      const zero = /^0+$/.test(shared);
      if (zero) refused++;
      assert.equal(toHex(x25519.sharedSecret(hex(secret), hex(value))), zero ? undefined : shared, `${id}`);
    }
    assert.equal(refused, 31);
  });

  test("ignores the top bit and reduces (RFC 7748 section 5)", () => {
    const secret = random(32);
    const value = x25519.publicValue(random(32));
    const expected = toHex(x25519.sharedSecret(secret, value));
    value[31]! |= 128;
    assert.equal(toHex(x25519.sharedSecret(secret, value)), expected);
    // 9 and p + 9
    const nine = concat(hex("09"), new Uint8Array(31));
    const more = concat(hex("f6"), new Uint8Array(30).fill(255), hex("7f"));
    assert.equal(toHex(x25519.sharedSecret(secret, more)), toHex(x25519.publicValue(secret)));
    assert.equal(toHex(x25519.sharedSecret(secret, nine)), toHex(x25519.publicValue(secret)));
  });
});

for (const { name, bits, group, noble } of [
  { name: "P-256", bits: 256, group: p256, noble: nobleP256 },
  { name: "P-384", bits: 384, group: p384, noble: nobleP384 },
]) {
  const octets = bits / 8;
  const number = (n: bigint, length = octets): Uint8Array => hex(n.toString(16).padStart(length * 2, "0"));
  const { p, n, Gx, Gy } = noble.Point.CURVE();
  /** The random octets that become this private value: they are reduced modulo n - 1, then 1 is added. */
  const secretOf = (d: bigint): Uint8Array => number(d - 1n, group.secretLength);

  describe(name, () => {
    test("rfc/rfc5903-ecp", () => {
      const { i, r, publicI, publicR, shared } =
        vectors<Record<string, Exchange>>("rfc/rfc5903-ecp")[`p${bits}`]!;
      const [secretI, secretR] = [secretOf(BigInt(`0x${i}`)), secretOf(BigInt(`0x${r}`))];
      assert.equal(toHex(group.publicValue(secretI)), publicI);
      assert.equal(toHex(group.publicValue(secretR)), publicR);
      assert.equal(toHex(group.sharedSecret(secretI, hex(publicR))), shared);
      assert.equal(toHex(group.sharedSecret(secretR, hex(publicI))), shared);
    });

    test(`nist/p${bits}`, () => {
      for (const vector of vectors<(EcdhVector & { ours: string })[]>(`nist/p${bits}`)) {
        const secret = secretOf(BigInt(`0x${vector.private}`));
        assert.equal(toHex(group.publicValue(secret)), vector.ours, `${vector.id}`);
        assert.equal(toHex(group.sharedSecret(secret, hex(vector.public))), vector.shared, `${vector.id}`);
      }
    });

    test(`wycheproof/p${bits}`, () => {
      let refused = 0;
      for (const vector of vectors<EcdhVector[]>(`wycheproof/p${bits}`)) {
        // On P-384 a multiplication takes its time: every third of the valid ones, and all of the others.
        if (bits === 384 && vector.valid && vector.id % 3) continue;
        const shared = group.sharedSecret(secretOf(BigInt(`0x${vector.private}`)), hex(vector.public));
        assert.equal(toHex(shared), vector.valid ? vector.shared : undefined, `${vector.id}`);
        if (!vector.valid) refused++;
      }
      assert.equal(refused, 16);
    });

    test("makes the private value as noble does, at both ends of the range", () => {
      const { secretLength } = group;
      for (const secret of [
        new Uint8Array(secretLength),
        new Uint8Array(secretLength).fill(255),
        secretOf(n - 1n),
      ]) {
        const key = noble.utils.randomSecretKey(secret);
        assert.equal(toHex(group.publicValue(secret)), toHex(noble.getPublicKey(key, false).subarray(1)));
      }
      assert.equal(toHex(group.publicValue(secretOf(1n))), toHex(concat(number(Gx), number(Gy))));
      assert.equal(toHex(group.publicValue(secretOf(n - 1n))), toHex(concat(number(Gx), number(p - Gy))));
    });

    test("refuses points off the curve and coordinates out of range (RFC 6989 section 2.3)", () => {
      const secret = random(group.secretLength);
      const refuses = (x: bigint, y: bigint): void =>
        assert.equal(group.sharedSecret(secret, concat(number(x), number(y))), undefined);
      assert.notEqual(group.sharedSecret(secret, concat(number(Gx), number(Gy))), undefined);
      refuses(Gx, Gy + 1n);
      refuses(Gx + 1n, Gy);
      refuses(0n, 0n);
      refuses(Gy, Gx);
      refuses(p, Gy);
      // x = 0 is on both curves; the same point unreduced is not to be taken.
      const y0 = noble.Point.Fp.sqrt(noble.Point.CURVE().b);
      assert.notEqual(group.sharedSecret(secret, concat(number(0n), number(y0))), undefined);
      refuses(p, y0);
      assert.equal(group.sharedSecret(secret, new Uint8Array(octets * 2).fill(255)), undefined);
    });

    test("refuses the encodings of SEC 1 that IKEv2 does not have", () => {
      const secret = random(group.secretLength);
      const point = noble.Point.BASE;
      for (const encoding of [point.toBytes(true), point.toBytes(false), hex("00"), hex("")])
        assert.equal(group.sharedSecret(secret, encoding), undefined);
    });
  });
}

describe("MODP 2048", () => {
  const value = (n: bigint): Uint8Array => hex(n.toString(16).padStart(512, "0"));
  const prime = BigInt(`0x${createDiffieHellmanGroup("modp14").getPrime("hex")}`);

  test("refuses what is not between 1 and p - 1 (RFC 6989 section 2.1)", () => {
    const secret = random(32);
    for (const wrong of [0n, 1n, prime - 1n, prime, prime + 1n, 2n ** 2048n - 1n])
      assert.equal(modp2048.sharedSecret(secret, value(wrong)), undefined);
    for (const good of [2n, prime - 2n])
      assert.equal(modp2048.sharedSecret(secret, value(good))?.length, 256);
  });

  test("pads public values and shared secrets on the left", () => {
    const three = value(3n).subarray(224);
    assert.equal(toHex(modp2048.publicValue(three)), toHex(value(8n)));
    assert.equal(toHex(modp2048.sharedSecret(three, value(5n))), toHex(value(125n)));
  });
});

interface Exchange {
  i: string;
  r: string;
  publicI: string;
  publicR: string;
  shared: string;
}

interface EcdhVector {
  id: number;
  public: string;
  private: string;
  shared: string;
  valid: boolean;
}
