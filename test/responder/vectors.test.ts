// Published vectors: what makes the responder a second opinion.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import {
  aesCmac,
  aesCmacPrf,
  ascii,
  cipherOf,
  concat,
  fromHex,
  groupOf,
  hex,
  integOf,
  ke,
  notify,
  openEsp,
  openMessage,
  type Protection,
  prfOf,
  prfPlus,
  readSa,
  saBody,
  sealEsp,
  sealMessage,
} from "./index.ts";

const octets = (from: number, to: number) => Uint8Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("RFC 7634 appendix B: SK with ChaCha20-Poly1305", () => {
  const message = fromHex(`
    c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7 2e202500000000090000004529000029
    10111213141516176103 94701f8d017f 7c12924889 6b71bfe25236efd7cdc670669063 15b2`);
  const cipher = cipherOf(28, undefined);
  assert(cipher);
  const protection: Protection = { cipher, skE: octets(0x80, 0xa3), skA: new Uint8Array(0) };
  const header = {
    spiI: octets(0xc0, 0xc7),
    spiR: octets(0xd0, 0xd7),
    version: 0x20,
    exchange: 37,
    flags: 0,
    messageId: 9,
  };
  const inner = [notify(16385, Uint8Array.of(0, 0, 0, 10))];
  assert.equal(hex(sealMessage(header, inner, protection, octets(0x10, 0x17))), hex(message));
  const opened = openMessage(message, protection);
  assert.equal(opened?.padLength, 0);
  assert.equal(hex(opened?.payloads[0]?.body as Uint8Array), "000040010000000a");
});

test("RFC 7634 appendix A: ESP with ChaCha20-Poly1305", () => {
  const packet = fromHex(`
    45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f10111213
    1415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637`);
  const esp = fromHex(`
    0102030400000005 1011121314151617
    24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c614ee8099d52844eb61aa95dfab4c02f7
    2aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb94e664da9165b82829f641e0
    76aaa8266b7fb0f7b11b369907e1ad43`);
  const direction = {
    spi: octets(1, 4),
    suite: { encr: 28, esn: 0 },
    keys: { encryption: octets(0x80, 0xa3), integrity: new Uint8Array(0) },
  };
  assert.equal(hex(sealEsp(direction, 5, packet, 4, { iv: octets(0x10, 0x17) })), hex(esp));
  const opened = openEsp(direction, esp);
  assert.equal(opened?.sequence, 5);
  assert.deepEqual([...(opened?.padding ?? [])], [1, 2]);
  assert.equal(hex(opened?.payload as Uint8Array), hex(packet));
});

test("RFC 8031 appendix A: Curve25519", () => {
  const group = groupOf(31);
  const secretI = fromHex("751fb430 8655b476 b6789b73 25f9ea8c ddd16a58 533ff6d9 e6000946 4a5f9d94");
  const secretR = fromHex("0a546452 53290d60 ddadd0e0 30bacd9e 5501efdc 220755a1 e978f1b8 39a05688");
  const publicI = "48d5ddd4061257ba166fa3f9bbdb74f1a4e81c089384fa77f790709f0dfbc766";
  const publicR = "0be7c1f5aad87d7e448662673298a443478b859745179eaf564c79c0ef6eee25";
  const shared = "c74950607a12327f3204d94b6825bfb068b7f8319a9e3708ed3d43ce8130c950";
  assert(group);
  assert.equal(hex(group.publicValue(secretI)), publicI);
  assert.equal(hex(group.publicValue(secretR)), publicR);
  assert.equal(hex(group.sharedSecret(secretI, fromHex(publicR)) ?? fromHex("")), shared);
  assert.equal(hex(group.sharedSecret(secretR, fromHex(publicI)) ?? fromHex("")), shared);
  const masked = fromHex(publicR);
  masked[31] = (masked[31] as number) | 0x80;
  assert.equal(hex(group.sharedSecret(secretI, masked) ?? fromHex("")), shared);
  assert.equal(group.sharedSecret(secretI, new Uint8Array(32)), undefined);
});

const ECP = [
  {
    id: 19,
    secretI: "C88F01F5 10D9AC3F 70A292DA A2316DE5 44E9AAB8 AFE84049 C62A9C57 862D1433",
    keI: `00130000 DAD0B653 94221CF9 B051E1FE CA5787D0 98DFE637 FC90B9EF
      945D0C37 72581180 5271A046 1CDB8252 D61F1C45 6FA3E59A B1F45B33 ACCF5F58 389E0577 B8990BB3`,
    secretR: "C6EF9C5D 78AE012A 011164AC B397CE20 88685D8F 06BF9BE0 B283AB46 476BEE53",
    keR: `00130000 D12DFB52 89C8D4F8 1208B702 70398C34 2296970A 0BCCB74C
      736FC755 4494BF63 56FBF3CA 366CC23E 8157854C 13C58D6A AC23F046 ADA30F83 53E74F33 039872AB`,
    shared: "D6840F6B 42F6EDAF D13116E0 E1256520 2FEF8E9E CE7DCE03 812464D0 4B9442DE",
  },
  {
    id: 20,
    secretI: `099F3C70 34D4A2C6 99884D73 A375A67F 7624EF7C 6B3C0F16 0647B674 14DCE655
      E35B5380 41E649EE 3FAEF896 783AB194`,
    keI: `00140000 667842D7 D180AC2C DE6F74F3 7551F557 55C7645C 20EF73E3
      1634FE72 B4C55EE6 DE3AC808 ACB4BDB4 C88732AE E95F41AA 9482ED1F C0EEB9CA
      FC498462 5CCFC23F 65032149 E0E144AD A0241815 35A0F38E EB9FCFF3 C2C947DA E69B4C63 4573A81C`,
    secretR: `41CB0779 B4BDB85D 47846725 FBEC3C94 30FAB46C C8DC5060 855CC9BD A0AA2942
      E0308312 916B8ED2 960E4BD5 5A7448FC`,
    keR: `00140000 E558DBEF 53EECDE3 D3FCCFC1 AEA08A89 A987475D 12FD950D
      83CFA417 32BC509D 0D1AC43A 0336DEF9 6FDA41D0 774A3571 DCFBEC7A ACF31964
      72169E83 8430367F 66EEBE3C 6E70C416 DD5F0C68 759DD1FF F83FA401 42209DFF 5EAAD96D B9E6386C`,
    shared: `11187331 C279962D 93D60424 3FD592CB 9D0A926F 422E4718 7521287E 7156C5C4
      D6031355 69B9E9D0 9CF5D4A2 70F59746`,
  },
];

for (const vector of ECP) {
  test(`RFC 5903 section 8: group ${vector.id}`, () => {
    const group = groupOf(vector.id);
    assert(group);
    const [secretI, secretR] = [fromHex(vector.secretI), fromHex(vector.secretR)];
    const publicI = group.publicValue(secretI);
    const publicR = group.publicValue(secretR);
    assert.equal(hex(ke(vector.id, publicI).body), hex(fromHex(vector.keI)));
    assert.equal(hex(ke(vector.id, publicR).body), hex(fromHex(vector.keR)));
    assert.equal(hex(group.sharedSecret(secretI, publicR) ?? fromHex("")), hex(fromHex(vector.shared)));
    assert.equal(hex(group.sharedSecret(secretR, publicI) ?? fromHex("")), hex(fromHex(vector.shared)));
    publicR[5] = (publicR[5] as number) ^ 1;
    assert.equal(group.sharedSecret(secretI, publicR), undefined);
  });
}

test("group 14: fixed length, and both ends agree by modular exponentiation", () => {
  const group = groupOf(14);
  assert(group);
  const prime = 2n ** 2048n - 2n ** 1984n - 1n + 2n ** 64n * (PI_1918 + 124476n);
  const secrets = [octets(1, 32), octets(33, 64)];
  const [a, b] = secrets.map((s) => BigInt(`0x${hex(s)}`)) as [bigint, bigint];
  const publics = secrets.map((s) => group.publicValue(s));
  const wide = (n: bigint) => n.toString(16).padStart(512, "0");
  assert.deepEqual(publics.map(hex), [wide(power(2n, a, prime)), wide(power(2n, b, prime))]);
  const shared = group.sharedSecret(secrets[0] as Uint8Array, publics[1] as Uint8Array);
  assert.equal(hex(shared ?? fromHex("")), wide(power(2n, a * b, prime)));
  for (const bad of [0n, 1n, prime - 1n, prime, prime + 1n]) {
    assert.equal(group.sharedSecret(octets(1, 32), fromHex(wide(bad))), undefined);
  }
});

/** floor(2^1918 · pi), by Machin's formula: RFC 3526 section 3 defines the prime with it. */
const PI_1918 = (() => {
  const scale = 2n ** 2000n;
  const arctan = (x: bigint) => {
    let [sum, term] = [0n, scale / x];
    for (let n = 1n; term !== 0n; n += 2n, term /= x * x) sum += (n % 4n === 1n ? term : -term) / n;
    return sum;
  };
  return (4n * (4n * arctan(5n) - arctan(239n))) / 2n ** 82n;
})();

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let [b, e] = [base % modulus, exponent]; e > 0n; e >>= 1n, b = (b * b) % modulus) {
    if (e & 1n) result = (result * b) % modulus;
  }
  return result;
}

test("RFC 4615 section 4: AES-CMAC-PRF-128", () => {
  const message = fromHex("00010203 04050607 08090a0b 0c0d0e0f 10111213");
  const mac = (key: string) => hex(aesCmacPrf(fromHex(key), message));
  assert.equal(mac("000102030405060708090a0b0c0d0e0fedcb"), "84a348a4a45d235babfffc0d2b4da09a");
  assert.equal(mac("000102030405060708090a0b0c0d0e0f"), "980ae87b5f4c9c5214f5b6a8455e4c2d");
  assert.equal(mac("00010203040506070809"), "290d9e112edb09ee141fcf64c0b72f3d");
});

test("RFC 4494 section 5: AES-CMAC with messages of 0, 16, 40 and 64 octets", () => {
  const key = fromHex("2b7e1516 28aed2a6 abf71588 09cf4f3c");
  const message = fromHex(`
    6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51
    30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710`);
  const macs = [0, 16, 40, 64].map((length) => hex(aesCmac(key, message.slice(0, length))).slice(0, 24));
  assert.deepEqual(macs, [
    "bb1d6929e95937287fa37d12",
    "070a16b46b4d4144f79bdd9d",
    "dfa66747de9ae63030ca3261",
    "51f0bebf7e3b9d92fc497417",
  ]);
});

test("RFC 4868 section 2.7.2: integrity algorithms", () => {
  const data = ascii("Hi There");
  const icv = (id: number) =>
    hex(integOf(id)?.compute(new Uint8Array(integOf(id)?.keyLength ?? 0).fill(0x0b), data) ?? data);
  assert.equal(icv(12), "198a607eb44bfbc69903a0f1cf2bbdc5");
  assert.equal(icv(13), "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973");
  assert.equal(icv(14), "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8");
});

test("prf+ by its definition, up to 255 blocks", () => {
  const prf = prfOf(5);
  assert(prf);
  const [key, seed] = [octets(1, 32), octets(33, 64)];
  const mac = (data: Uint8Array) => new Uint8Array(createHmac("sha256", key).update(data).digest());
  const t1 = mac(concat(seed, Uint8Array.of(1)));
  const t2 = mac(concat(t1, seed, Uint8Array.of(2)));
  const t3 = mac(concat(t2, seed, Uint8Array.of(3)));
  assert.equal(hex(prfPlus(prf, key, seed, 80)), hex(concat(t1, t2, t3)).slice(0, 160));
  assert.equal(prfPlus(prf, key, seed, 255 * 32).length, 255 * 32);
  assert.throws(() => prfPlus(prf, key, seed, 255 * 32 + 1), RangeError);
});

test("AES-CCM with L = 4 against CTR and CBC-MAC of its own (RFC 3610 section 2)", async () => {
  const { createCipheriv } = await import("node:crypto");
  const cipher = cipherOf(14, 128);
  assert(cipher);
  const [key, salt, iv] = [octets(1, 16), octets(17, 19), octets(20, 27)];
  const [plaintext, aad] = [octets(40, 62), octets(70, 101)];
  const nonce = concat(salt, iv);
  const block = (b: Uint8Array) => new Uint8Array(createCipheriv("aes-128-ecb", key, null).update(b));
  const pad = (b: Uint8Array) => concat(b, new Uint8Array((16 - (b.length % 16)) % 16));
  const b0 = concat(Uint8Array.of(0x5b), nonce, Uint8Array.of(0, 0, 0, plaintext.length));
  const input = concat(b0, pad(concat(Uint8Array.of(0, aad.length), aad)), pad(plaintext));
  let mac = new Uint8Array(16);
  for (let at = 0; at < input.length; at += 16) mac = block(mac.map((o, i) => o ^ (input[at + i] as number)));
  const stream = (counter: number) => block(concat(Uint8Array.of(3), nonce, Uint8Array.of(0, 0, 0, counter)));
  const keystream = concat(stream(1), stream(2));
  const ciphertext = plaintext.map((o, i) => o ^ (keystream[i] as number));
  const tag = mac.slice(0, 8).map((o, i) => o ^ (stream(0)[i] as number));
  const sealed = cipher.encrypt(concat(key, salt), iv, plaintext, aad);
  assert.equal(hex(sealed), hex(concat(ciphertext, tag)));
});

test("SA payloads of the conformance matrix, W1 to W3", () => {
  for (const example of [
    "00000024 01010003 0300000c 01000014 800e0080 03000008 02000005 00000008 0400001f",
    "00000020 01030402 11223344 0300000c 01000014 800e0080 00000008 05000000",
    "0000002c 01010004 0300000c 0100000c 800e0080 03000008 02000005 03000008 0300000c 00000008 0400000e",
  ]) {
    assert.equal(hex(saBody(readSa(fromHex(example)))), hex(fromHex(example)));
  }
});
