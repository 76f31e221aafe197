import assert from "node:assert/strict";
import { type CipherGCMTypes, createCipheriv, createHmac } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCcm } from "ikelet/crypto/aes-ccm.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { aesSmall } from "ikelet/crypto/aes-small.js";
import { aesSmallInverse } from "ikelet/crypto/aes-small-inverse.js";
import { cbc } from "ikelet/crypto/cbc.js";
import { ccm } from "ikelet/crypto/ccm.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { BlockCipher, Cipher, Integrity } from "ikelet/crypto/contracts.js";
import { gcm } from "ikelet/crypto/gcm.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { hmacSha384_192 } from "ikelet/crypto/hmac-sha384-192.js";
import { hmacSha512_256 } from "ikelet/crypto/hmac-sha512-256.js";
import { concat, flipped, hex, random, toHex, unaligned, vectors } from "./support.ts";

/** How many vectors there are of each source, so that none gets lost on the way. */
const counts: Record<string, { accepted: number; refused: number }> = {
  "rfc/rfc3610-ccm": { accepted: 24, refused: 0 },
  "nist/aes-ccm": { accepted: 216, refused: 32 },
  "wycheproof/aes-ccm": { accepted: 258, refused: 54 },
  "rfc/rfc7634-chacha20-poly1305": { accepted: 2, refused: 0 },
  "wycheproof/chacha20-poly1305": { accepted: 256, refused: 60 },
  "wycheproof/aes-gcm": { accepted: 79, refused: 54 },
  "nist/aes-gcm": { accepted: 150, refused: 100 },
};

type Seal = (
  key: Uint8Array,
  iv: Uint8Array,
  associatedData: Uint8Array,
  plaintext: Uint8Array,
) => Uint8Array;

/** The AEADs of OpenSSL under the key and IV of IKEv2. */
const nodeAead =
  (algorithm: string, keyLength: number, icvLength: number): Seal =>
  (key, iv, associatedData, plaintext) => {
    const nonce = concat(key.subarray(keyLength), iv);
    const cipher = createCipheriv(algorithm as CipherGCMTypes, key.subarray(0, keyLength), nonce, {
      authTagLength: icvLength,
    });
    cipher.setAAD(associatedData, { plaintextLength: plaintext.length });
    return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  };

const nodeCbc =
  (keyBits: number, hash: string, icvLength: number): Seal =>
  (key, iv, associatedData, plaintext) => {
    const cipher = createCipheriv(`aes-${keyBits}-cbc`, key.subarray(0, keyBits / 8), iv).setAutoPadding(
      false,
    );
    const ciphertext = concat(cipher.update(plaintext), cipher.final());
    const mac = createHmac(hash, key.subarray(keyBits / 8));
    const icv = mac.update(associatedData).update(iv).update(ciphertext).digest();
    return concat(ciphertext, icv.subarray(0, icvLength));
  };

/** Each mode comes with noble's AES and with the small one. */
const SMALL = ["", ", small AES"];

/** `lengths`: encryption ID, key bits, integrity ID, then octets of key, integrity key, IV, ICV, block (table N9). */
const ciphers: { name: string; cipher: Cipher; reference: Seal; lengths: number[] }[] = [
  {
    name: "ChaCha20-Poly1305",
    cipher: chacha20Poly1305,
    reference: nodeAead("chacha20-poly1305", 32, 16),
    lengths: [28, 0, 0, 36, 0, 8, 16, 1],
  },
  ...([128, 256] as const).flatMap((bits) => [
    ...[aesGcm(bits), gcm(aesSmall(), bits)].map((cipher, i) => ({
      name: `AES-GCM-16, ${bits} bits${SMALL[i]}`,
      cipher,
      reference: nodeAead(`aes-${bits}-gcm`, bits / 8, 16),
      lengths: [20, bits, 0, bits / 8 + 4, 0, 8, 16, 1],
    })),
    ...([8, 16] as const).flatMap((icv) =>
      [aesCcm(bits, icv), ccm(aesSmall(), bits, icv)].map((cipher, i) => ({
        name: `AES-CCM-${icv}, ${bits} bits${SMALL[i]}`,
        cipher,
        reference: nodeAead(`aes-${bits}-ccm`, bits / 8, icv),
        lengths: [icv === 8 ? 14 : 16, bits, 0, bits / 8 + 3, 0, 8, icv, 1],
      })),
    ),
    ...(
      [
        [hmacSha256_128, 256, 12],
        [hmacSha384_192, 384, 13],
        [hmacSha512_256, 512, 14],
      ] as const
    ).flatMap(([integrity, hash, id]) =>
      [
        aesCbc(bits, integrity),
        // The mode does not depend on the hash.
        ...(hash === 256 ? [cbc(aesSmall(), aesSmallInverse(), bits, integrity)] : []),
      ].map((cipher, i) => ({
        name: `AES-CBC, ${bits} bits, HMAC-SHA-${hash}${SMALL[i]}`,
        cipher,
        reference: nodeCbc(bits, `sha${hash}`, hash / 16),
        lengths: [12, bits, id, bits / 8, hash / 8, 16, hash / 16, 16],
      })),
    ),
  ]),
];

for (const { name, cipher, reference, lengths } of ciphers)
  describe(name, () => {
    const { blockLength, icvLength } = cipher;
    const arbitrary = () => ({
      key: random(cipher.keyLength + cipher.integrityKeyLength),
      iv: random(cipher.ivLength),
      associatedData: random(32),
      plaintext: random(48),
    });

    test("has the numbers and lengths of its RFC", () => {
      assert.deepEqual(
        [
          cipher.encryptionId,
          cipher.keyBits,
          cipher.integrityId,
          cipher.keyLength,
          cipher.integrityKeyLength,
          cipher.ivLength,
          cipher.icvLength,
          cipher.blockLength,
        ],
        lengths,
      );
    });

    test("agrees with OpenSSL for every length to 300, at any alignment, with and without output", () => {
      for (let length = 0; length <= 300; length += blockLength) {
        const { key, iv } = arbitrary();
        const associatedData = random(length % 53);
        const plaintext = random(length);
        const expected = reference(key, iv, associatedData, plaintext);
        const args = [key, iv, associatedData, plaintext].map(unaligned);
        const before = args.map(toHex);
        const [k, i, a, p] = args as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

        assert.equal(toHex(cipher.seal(key, iv, associatedData, plaintext)), toHex(expected));
        const sealed = unaligned(new Uint8Array(length + icvLength));
        assert.equal(cipher.seal(k, i, a, p, sealed), sealed);
        assert.equal(toHex(sealed), toHex(expected));
        assert.equal(toHex(cipher.open(key, iv, associatedData, expected)), toHex(plaintext));
        const opened = unaligned(new Uint8Array(length));
        assert.equal(cipher.open(k, i, a, sealed, opened), opened);
        assert.equal(toHex(opened), toHex(plaintext));
        // Nothing was written beside the output, or into an argument.
        for (const octets of [sealed, opened]) {
          const around = new Uint8Array(octets.buffer);
          assert.equal(toHex(around.subarray(0, 3)), "eeeeee");
          assert.equal(toHex(around.subarray(3 + octets.length)), "eeeeeeeeee");
        }
        assert.equal(toHex(sealed), toHex(expected));
        assert.deepEqual(args.map(toHex), before);
      }
    });

    test("refuses every change of a single bit, and writes nothing then", () => {
      const { key, iv, associatedData, plaintext } = arbitrary();
      const sealed = cipher.seal(key, iv, associatedData, plaintext);
      const output = new Uint8Array(plaintext.length);
      const refuses = (...args: [Uint8Array, Uint8Array, Uint8Array, Uint8Array]) =>
        assert.equal(cipher.open(...args, output), undefined);
      // Of encrypt-then-MAC the ICV depends on the integrity key alone.
      const free = cipher.integrityKeyLength && cipher.keyLength;
      for (const changed of flipped(key.subarray(free)))
        refuses(concat(key.subarray(0, free), changed), iv, associatedData, sealed);
      for (const changed of flipped(iv)) refuses(key, changed, associatedData, sealed);
      for (const changed of flipped(associatedData)) refuses(key, iv, changed, sealed);
      for (const changed of flipped(sealed)) refuses(key, iv, associatedData, changed);
      assert.equal(toHex(output), "00".repeat(output.length));
      assert.equal(toHex(cipher.open(key, iv, associatedData, sealed, output)), toHex(plaintext));
    });

    test("refuses what was cut off or lengthened", () => {
      const { key, iv, associatedData, plaintext } = arbitrary();
      const sealed = cipher.seal(key, iv, associatedData, plaintext);
      for (let length = 0; length < sealed.length; length++)
        assert.equal(cipher.open(key, iv, associatedData, sealed.subarray(0, length)), undefined);
      for (const more of [1, blockLength, icvLength])
        assert.equal(cipher.open(key, iv, associatedData, concat(sealed, new Uint8Array(more))), undefined);
    });

    test("opens nothing of what is random, of any length, and never throws", () => {
      const { key } = arbitrary();
      const octets = fc.uint8Array({ maxLength: 80 });
      fc.assert(
        fc.property(octets, octets, octets, (iv, associatedData, sealed) => {
          assert.equal(cipher.open(key, iv, associatedData, sealed), undefined);
        }),
        { numRuns: 300 },
      );
      for (let length = 0; length <= 80; length++)
        assert.equal(cipher.open(key, random(cipher.ivLength), random(8), random(length)), undefined);
    });

    if (!cipher.integrityKeyLength)
      test("refuses a key of another length: the salt would be another", () => {
        const { key, iv, associatedData, plaintext } = arbitrary();
        for (const wrong of [key.subarray(1), key.subarray(0, -1), concat(key, iv), new Uint8Array()])
          assert.throws(() => cipher.seal(wrong, iv, associatedData, plaintext));
      });

    test("refuses an IV of another length", () => {
      const { key, iv, associatedData, plaintext } = arbitrary();
      const sealed = cipher.seal(key, iv, associatedData, plaintext);
      for (const wrong of [iv.subarray(1), concat(iv, iv), new Uint8Array()]) {
        assert.throws(() => cipher.seal(key, wrong, associatedData, plaintext));
        assert.equal(cipher.open(key, wrong, associatedData, sealed), undefined);
      }
    });
  });

for (const [i, cipher] of [
  aesCbc(128, hmacSha256_128),
  cbc(aesSmall(), aesSmallInverse(), 128, hmacSha256_128),
].entries())
  describe(`AES-CBC${SMALL[i]}`, () => {
    const key = random(16 + 32);

    test("makes the unpredictable IV by encrypting the counter", () => {
      for (const counter of [new Uint8Array(8), random(8), unaligned(random(8))]) {
        const ecb = createCipheriv("aes-128-ecb", key.subarray(0, 16), null).setAutoPadding(false);
        const expected = ecb.update(concat(new Uint8Array(8), counter));
        assert.equal(toHex(cipher.unpredictableIv!(key, counter)), toHex(expected));
      }
    });

    test("takes whole blocks only, even with a good ICV", () => {
      assert.throws(() => cipher.seal(key, random(16), random(4), random(17)));
      const iv = random(16);
      const aad = random(4);
      for (const length of [0, 1, 15, 16, 17]) {
        const ciphertext = random(length);
        const mac = createHmac("sha256", key.subarray(16)).update(aad).update(iv).update(ciphertext).digest();
        const opened = cipher.open(key, iv, aad, concat(ciphertext, mac.subarray(0, 16)));
        assert.equal(opened?.length, length % 16 ? undefined : length);
      }
    });

    test("does not move octets between associated data and IV", () => {
      const iv = random(16);
      const sealed = cipher.seal(key, iv, random(0), random(16));
      assert.equal(cipher.open(key, iv.subarray(8), iv.subarray(0, 8), sealed), undefined);
    });

    test("verifies before it decrypts", () => {
      let decrypted = false;
      const sealed = cipher.seal(key, random(16), random(4), random(32));
      const watched = new Proxy(key, {
        get: (target, name) => {
          if (name !== "subarray") return Reflect.get(target, name, target);
          return (from: number, to?: number) => {
            if (from === 0) decrypted = true;
            return target.subarray(from, to);
          };
        },
      });
      assert.equal(cipher.open(watched, random(16), random(4), sealed), undefined);
      assert.equal(decrypted, false);
    });
  });

test("GCM over any block cipher counts octets and blocks beyond one octet and two", () => {
  const key = random(20);
  const iv = random(8);
  for (const length of [4064, 4096, 65536, 16 * 65536 + 1]) {
    const plaintext = random(length);
    assert.equal(
      toHex(gcm(aesSmall(), 128).seal(key, iv, plaintext.subarray(0, 5000), plaintext)),
      toHex(nodeAead("aes-128-gcm", 16, 16)(key, iv, plaintext.subarray(0, 5000), plaintext)),
    );
  }
});

describe("CCM", () => {
  const aes: BlockCipher = (key) => (block) => {
    block.set(createCipheriv(`aes-${key.length * 8}-ecb`, key, null).update(block));
  };
  const small = aesSmall();

  test("encodes long associated data (RFC 3610 section 2.2)", () => {
    const key = random(19);
    const iv = random(8);
    for (const length of [0xfeff, 0xff00, 0x10000, 0x10203]) {
      const associatedData = random(length);
      assert.equal(
        toHex(aesCcm(128, 16).seal(key, iv, associatedData, iv)),
        toHex(nodeAead("aes-128-ccm", 16, 16)(key, iv, associatedData, iv)),
      );
    }
  });

  test("counts plaintext and blocks beyond one octet and two", () => {
    const key = random(19);
    const iv = random(8);
    for (const length of [255, 256, 4095, 4096, 65535, 65536, 70001]) {
      const plaintext = random(length);
      assert.equal(
        toHex(aesCcm(128, 8).seal(key, iv, iv, plaintext)),
        toHex(nodeAead("aes-128-ccm", 16, 8)(key, iv, iv, plaintext)),
      );
    }
  });

  test("refuses what the length field cannot say", () => {
    const cipher = ccm(aes, 128, 16, 5); // L = 2
    const key = random(21);
    assert.equal(cipher.seal(key, random(8), random(0), new Uint8Array(65535)).length, 65535 + 16);
    assert.throws(() => cipher.seal(key, random(8), random(0), new Uint8Array(65536)), { code: "argument" });
    assert.equal(cipher.open(key, random(8), random(0), new Uint8Array(65536 + 16)), undefined);
  });

  const modeVectors: Record<string, CcmVector[]> = {
    "rfc/rfc3610-ccm": vectors("rfc/rfc3610-ccm"),
    "nist/aes-ccm": vectors("nist/aes-ccm"),
    "wycheproof/aes-ccm": vectors<AeadVector[]>("wycheproof/aes-ccm")
      .map((vector) => ({
        ...vector,
        nonce: vector.iv,
        sealed: vector.ct + vector.tag,
        icvLength: vector.tag.length / 2,
      }))
      // CCM has nonces of 7 to 13 octets (ours end in an IV of 8) and an even number of octets in the ICV, from 4 on:
      // a cipher of other lengths cannot be asked for.
      .filter(({ nonce }) => nonce.length >= 16 && nonce.length <= 26)
      .filter(({ icvLength }) => icvLength >= 4 && icvLength % 2 === 0),
  };
  for (const [source, cases] of Object.entries(modeVectors))
    test(`${source}: the mode, with nonces of 8 to 13 octets`, () => {
      const count = { accepted: 0, refused: 0 };
      for (const { id, key, nonce, aad, msg, sealed, icvLength, valid = true } of cases) {
        const saltLength = nonce.length / 2 - 8;
        const args = [
          hex(key + nonce.slice(0, saltLength * 2)),
          hex(nonce.slice(saltLength * 2)),
          hex(aad),
        ] as const;
        for (const block of [aes, small]) {
          const cipher = ccm(block, key.length * 4, icvLength, saltLength);
          assert.equal(toHex(cipher.open(...args, hex(sealed))), valid ? msg : undefined, `${id}`);
          if (valid) assert.equal(toHex(cipher.seal(...args, hex(msg))), sealed, `${id}`);
        }
        count[valid ? "accepted" : "refused"]++;
      }
      assert.deepEqual(count, counts[source]);
    });
});

interface CcmVector {
  id: string | number;
  key: string;
  nonce: string;
  aad: string;
  msg: string;
  sealed: string;
  icvLength: number;
  valid?: boolean;
}

interface AeadVector {
  id: string | number;
  key: string;
  iv: string;
  aad: string;
  msg: string;
  ct: string;
  tag: string;
  valid?: boolean;
}

describe("vectors of AEADs", () => {
  const sources: [string, (keyBits: number) => Cipher][] = [
    ["rfc/rfc7634-chacha20-poly1305", () => chacha20Poly1305],
    ["wycheproof/chacha20-poly1305", () => chacha20Poly1305],
    ["wycheproof/aes-gcm", (bits) => aesGcm(bits as 128)],
    ["wycheproof/aes-gcm", (bits) => gcm(aesSmall(), bits)],
    ["nist/aes-gcm", (bits) => aesGcm(bits as 128)],
    ["nist/aes-gcm", (bits) => gcm(aesSmall(), bits)],
  ];
  for (const [source, make] of sources)
    test(source, () => {
      const count = { accepted: 0, refused: 0 };
      for (const { id, key, iv, aad, msg, ct, tag, valid = true } of vectors<AeadVector[]>(source)) {
        // RFC 7634 gives key ‖ salt and the IV; the others give the key and the nonce.
        const digits = source.startsWith("rfc") ? 0 : 8;
        const ivOctets = hex(iv.slice(digits));
        const args = [hex(key + iv.slice(0, digits)), ivOctets, hex(aad)] as const;
        if (ivOctets.length !== 8) continue; // not of IPsec
        const cipher = make(key.length * 4);
        assert.equal(toHex(cipher.open(...args, hex(ct + tag))), valid ? msg : undefined, `${id}`);
        if (valid) assert.equal(toHex(cipher.seal(...args, hex(msg))), ct + tag, `${id}`);
        count[valid ? "accepted" : "refused"]++;
      }
      assert.deepEqual(count, counts[source]);
    });
});

describe("vectors of AES-CBC", () => {
  const none: Integrity = { transformId: 0, keyLength: 0, icvLength: 0, keyed: () => () => new Uint8Array() };
  for (const source of ["rfc/rfc3602-cbc", "nist/aes-cbc", "wycheproof/aes-cbc"])
    test(source, () => {
      for (const { id, key, iv, msg, ct } of vectors<AeadVector[]>(source)) {
        // Wycheproof has PKCS #5 padding, which is not ours.
        const pad = (ct.length - msg.length) / 2;
        const padded = msg + pad.toString(16).padStart(2, "0").repeat(pad);
        for (const cipher of [
          aesCbc((key.length * 4) as 128, none),
          cbc(aesSmall(), aesSmallInverse(), key.length * 4, none),
        ]) {
          assert.equal(toHex(cipher.seal(hex(key), hex(iv), hex(""), hex(padded))), ct, `${id}`);
          assert.equal(toHex(cipher.open(hex(key), hex(iv), hex(""), hex(ct))), padded, `${id}`);
        }
      }
    });
});
