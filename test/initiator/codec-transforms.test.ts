/** Transforms and their attributes (RFC 7296 sections 3.3.2 and 3.3.5, RFC 5282 sections 7 and 8). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { initiate } from "ikelet";
import { checkProfile } from "ikelet/check.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import type { Cipher } from "ikelet/crypto/contracts.js";
import { fromHex, hex, readSa } from "../responder/index.ts";
import { makeProfile } from "./harness.ts";
import { CBC, encryption, GCM, offers, refuses, transforms } from "./proposals.ts";
import { AEADS, CBCS, CIPHERS, PRFS, withCipher } from "./suites.ts";

const typesOf = (offer: string) =>
  readSa(fromHex(offer.slice(8))).flatMap((proposal) => proposal.transforms.map(({ type }) => type));

test("transform types: no integrity beside an AEAD, no key exchange for ESP [7815-A.3.3-a, 7296-3.3-b, 5282-8-a]", () => {
  for (const { cipher } of AEADS)
    assert.deepEqual(offers(withCipher(cipher)).map(typesOf), [
      [1, 2, 4],
      [1, 5],
    ]);
  for (const { cipher } of CBCS)
    assert.deepEqual(offers(withCipher(cipher)).map(typesOf), [
      [1, 2, 3, 4],
      [1, 3, 5],
    ]);
});

test("an integrity algorithm, even NONE, beside an AEAD is not the offer; its absence beside CBC neither [7296-3.3-b, 7815-A.3.3-a]", () => {
  for (const id of [0, 12]) {
    refuses(transforms(([encr, ...rest]) => [encr!, { type: 3, id }, ...rest]));
    // In place of another, so that the count is that of the offer.
    refuses(transforms((list) => list.map((t, i) => (i === list.length - 1 ? { type: 3, id } : t))));
  }
  refuses(
    transforms((list) => list.filter(({ type }) => type !== 3)),
    CBC,
  );
  refuses(
    transforms((list) => list.map((t) => (t.type === 3 ? { type: 3, id: 0 } : t))),
    CBC,
  );
  for (const type of [1, 2, 3, 4, 5]) {
    const drop = transforms((list) => list.filter((t) => t.type !== type));
    const ofIke = type !== 5;
    const ofEsp = type !== 2 && type !== 4;
    refuses(drop, CBC, [...(ofIke ? (["saInit"] as const) : []), ...(ofEsp ? (["auth"] as const) : [])]);
  }
});

test("Key Length: in bits, with every AES, with nothing else [7296-3.3.5-a, 7815-A.3.4-a, 7815-A.3.4-b]", () => {
  for (const { cipher, encr, keyBits } of CIPHERS)
    for (const offer of offers(withCipher(cipher))) {
      const [proposal] = readSa(fromHex(offer.slice(8)));
      const [first, ...rest] = proposal!.transforms;
      assert.deepEqual(first, keyBits ? { type: 1, id: encr, keyLength: keyBits } : { type: 1, id: encr });
      for (const { keyLength, attributes } of rest)
        assert.deepEqual([keyLength, attributes], [undefined, undefined]);
      // As it is on the wire.
      assert.equal(offer.includes("800e"), keyBits > 0);
      if (keyBits) assert.equal(offer.includes(keyBits === 128 ? "800e0080" : "800e0100"), true);
    }
  for (const changes of [GCM, CBC]) {
    refuses(
      encryption(({ type, id }) => ({ type, id })),
      changes,
    );
    for (const keyLength of [0, 16, 127, 192, 256, 0x8000])
      refuses(
        encryption((t) => ({ ...t, keyLength })),
        changes,
      );
  }
  // With what has no such attribute: ChaCha20-Poly1305, and all transforms of other types.
  refuses(
    encryption((t) => ({ ...t, keyLength: 256 })),
    {},
  );
  for (const type of [2, 3, 4])
    refuses(
      transforms((list) => list.map((t) => (t.type === type ? { ...t, keyLength: 128 } : t))),
      CBC,
      ["saInit"],
    );
  for (const type of [3, 5])
    refuses(
      transforms((list) => list.map((t) => (t.type === type ? { ...t, keyLength: 128 } : t))),
      CBC,
      ["auth"],
    );
});

test("attributes in the long form, unknown, twice or cut off are not the offer [7296-3.3.5-b, 7296-3.3-a]", () => {
  for (const changes of [GCM, CBC])
    for (const octets of [
      "000e0002 0080",
      "000e0000",
      "000e0001 80",
      "000effff",
      "000e0002",
      "800e0080 800e0080",
      "800e0080 000e0002 0080",
      "800e0080 800f0001",
      "800e00",
      "800e",
      "80",
      "800f0080",
    ])
      refuses(
        encryption(({ type, id }) => ({ type, id, attributes: fromHex(octets) })),
        changes,
      );
  for (const { cipher } of CIPHERS)
    for (const offer of offers(withCipher(cipher))) {
      assert.equal(offer.includes("000e0002"), false);
      assert.equal(offer.split("800e").length <= 2, true);
    }
});

test("the numbers of the encryption algorithms [5282-7.2-a, 5282-3.2-a]", () => {
  for (const { cipher, encr, icv } of CIPHERS) {
    for (const offer of offers(withCipher(cipher)))
      assert.equal(readSa(fromHex(offer.slice(8)))[0]!.transforms[0]!.id, encr);
    assert.equal(cipher.icvLength, icv);
  }
  // GCM with 16 octets of tag, CCM with 8 and 16; the discouraged 12 cannot be had, nor anything else.
  assert.deepEqual(
    [...new Set(AEADS.map(({ encr, icv }) => `${encr}: ${icv}`))],
    ["28: 16", "20: 16", "14: 8", "16: 16"],
  );
  for (const id of [14, 15, 16, 18, 19, 28]) refuses(encryption((t) => ({ ...t, id })));
});

test("an implicit IV is not for IKE [8750-7-a]", () => {
  const implicit = (encryptionId: number): Cipher => ({ ...aesGcm(128), encryptionId, ivLength: 0 });
  for (const id of [29, 30, 31]) {
    const { child } = makeProfile();
    const cipher = implicit(id);
    assert.throws(() => checkProfile({ ...makeProfile(), ...withCipher(cipher) }), {
      name: "IkeletError",
      code: "profile",
      message: /^suite\.cipher: .*IV/,
    });
    // For ESP it is good.
    checkProfile(makeProfile({ child: { ...child, cipher } }));
    refuses(encryption((t) => ({ ...t, id })));
  }
  const ids = [...CIPHERS].map(({ cipher }) => cipher.encryptionId);
  assert.equal(
    ids.some((id) => id >= 29),
    false,
  );
});

test("every PRF and key exchange is offered by its number [7815-A.3.2-a]", () => {
  for (const { prf, id } of PRFS) {
    const suite = { ...makeProfile().suite, prf };
    const entropy = new Uint8Array(100).fill(1);
    const [request] = initiate(makeProfile({ suite }), entropy).send;
    assert.equal(hex(request!).includes(`03000008020000${id.toString(16).padStart(2, "0")}`), true);
  }
});
