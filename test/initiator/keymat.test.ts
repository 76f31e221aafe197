/** Key derivation (RFC 7296 sections 2.13, 2.14 and 2.17), computed anew with node:crypto. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkLiveness, close, timeout } from "ikelet";
import { prfPlus } from "ikelet/keys.js";
import { aesCmacPrf, concat, flip, fromHex, hex, type Sa } from "../responder/index.ts";
import { assertIgnored, established } from "./expect.ts";
import {
  connect,
  deliver,
  exchange,
  makeDevice,
  makeGateway,
  makeProfile,
  octets,
  only,
  take,
} from "./harness.ts";
import { CBCS, CIPHERS, PRFS, withCipher, withPrf } from "./suites.ts";

type Compute = (key: Uint8Array, ...data: Uint8Array[]) => Uint8Array;

/** The PRF of a name, with nothing of ikelet in it. */
function prfOf(hash: string | undefined): Compute {
  if (!hash) return (key, ...data) => aesCmacPrf(key, concat(...data));
  return (key, ...data) =>
    new Uint8Array(
      createHmac(hash, key)
        .update(concat(...data))
        .digest(),
    );
}

/** prf+ by its definition: T1 ‖ T2 ‖ … */
function expand(prf: Compute, key: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  let block: Uint8Array = new Uint8Array(0);
  let stream: Uint8Array = new Uint8Array(0);
  for (let n = 1; stream.length < length; n++) {
    block = prf(key, block, seed, Uint8Array.of(n));
    stream = concat(stream, block);
  }
  return stream.slice(0, length);
}

function cut(stream: Uint8Array, ...lengths: number[]): string[] {
  let at = 0;
  const parts = lengths.map((length) => {
    at += length;
    return hex(stream.slice(at - length, at));
  });
  assert.equal(at, stream.length);
  return parts;
}

const hmac256 = prfOf("sha256");

test("SKEYSEED and the seven keys, in their order [7815-2.1-m, 7815-2.1-n, 7815-2.1-o]", () => {
  const { device, gateway } = established();
  const { nonceI, nonceR, spiI, spiR, sharedSecret } = gateway.sa;
  const skeyseed = hmac256(concat(nonceI, nonceR), sharedSecret!);
  // 32 + 2 × 36 + 2 × 32 octets: six blocks.
  const stream = expand(hmac256, skeyseed, concat(nonceI, nonceR, spiI, spiR), 168);
  const [skD, skI, skR] = cut(stream, 32, 36, 36, 32, 32);
  const { keys } = device.session;
  assert.deepEqual([keys!.skD, keys!.skI, keys!.skR].map(hex), [skD, skI, skR]);
});

/** Device and gateway between the two exchanges, when SK_pr is still there. */
function halfway(changes: object, options: object = {}): { keys: Record<string, string>; sa: Sa } {
  const device = makeDevice(changes);
  const gateway = makeGateway(options);
  deliver(device, gateway.receive(device.step.send[0]!)[0]!);
  const keys = Object.entries(device.session.keys!).map(([name, key]) => [name, hex(key)]);
  exchange(device, gateway);
  only(device.events, "established");
  assert.deepEqual(gateway.violations, []);
  return { keys: Object.fromEntries(keys), sa: gateway.sa };
}

test("every cipher with every PRF: lengths, order, and no regard to blocks [7815-2.1-n, 7815-2.1-o, 7815-2.1-p, 7296-2.13-b, 4868-2.1.1-a, 5282-7.1-a]", () => {
  for (const { prf, hash, length: p } of PRFS)
    for (const { cipher, key, salt, integKey: a } of CIPHERS) {
      const child = withCipher(cipher).child;
      const { keys, sa } = halfway({ suite: { ...makeProfile().suite, cipher, prf }, child });
      const { nonceI, nonceR, spiI, spiR, sharedSecret } = sa;
      const compute = prfOf(hash);
      const seedKey = hash ? concat(nonceI, nonceR) : concat(nonceI.slice(0, 8), nonceR.slice(0, 8));
      const e = key + salt;
      const stream = expand(
        compute,
        compute(seedKey, sharedSecret!),
        concat(nonceI, nonceR, spiI, spiR),
        3 * p + 2 * a + 2 * e,
      );
      const [skD, skAi, skAr, skEi, skEr, , skPr] = cut(stream, p, a, a, e, e, p, p);
      assert.deepEqual(keys, { skD, skI: skEi! + skAi!, skR: skEr! + skAr!, skPr });
      assert.equal(cipher.integrityKeyLength, a);
      assert.equal(prf.keyLength, p);
    }
});

test("prf+ is one stream of up to 255 blocks, and not defined beyond [7815-2.1-o, 7296-2.13-a]", () => {
  for (const { prf, hash, length } of PRFS) {
    const key = octets(prf.keyLength, "key");
    const seed = octets(77, "seed");
    const whole = expand(prfOf(hash), key, seed, 255 * length);
    for (const n of [0, 1, length - 1, length, length + 1, 3 * length, 5 * length + 3, 255 * length])
      assert.equal(hex(prfPlus(prf.keyed(key), seed, n)), hex(whole.slice(0, n)));
    assert.throws(() => prfPlus(prf.keyed(key), seed, 255 * length + 1), {
      name: "IkeletError",
      code: "argument",
    });
  }
});

test("the integrity key is as long as the hash, the ICV half of that [7296-2.13-b, 4868-2.1.1-a, 4868-2.3-a]", () => {
  const hashes = { 12: ["sha256", 32], 13: ["sha384", 48], 14: ["sha512", 64] } as Record<
    number,
    [string, number]
  >;
  for (const { cipher, integ, key } of CBCS) {
    const [hash, length] = hashes[integ]!;
    const { device, gateway } = established({}, withCipher(cipher));
    const { skI, skR } = device.session.keys!;
    assert.deepEqual([skI.length, skR.length], [key + length, key + length]);
    const [datagram] = checkLiveness(device.profile, device.session).send;
    assert.equal(datagram!.length, 28 + 4 + 16 + 16 + length / 2);
    const mac = createHmac(hash, skI.slice(key))
      .update(datagram!.slice(0, -length / 2))
      .digest("hex");
    assert.equal(hex(datagram!.slice(-length / 2)), mac.slice(0, length));
    assert.equal(hex(gateway.sa.keys.skAi), hex(skI.slice(key)));
  }
});

const vectors = (name: string) =>
  JSON.parse(readFileSync(new URL(`../vectors/rfc/${name}.json`, import.meta.url), "utf8"));

test("HMAC as a PRF: keys of any length, nothing truncated [4868-2.4-a]", () => {
  // RFC 4868 section 2.7.1: PRF-1 to PRF-6, with keys of 4 to 131 octets.
  const rows: Record<string, string>[] = vectors("rfc4868-prf");
  assert.equal(rows.length, 6);
  for (const { key, msg, ...expected } of rows)
    for (const { prf, hash } of PRFS.filter(({ id }) => id !== 8)) {
      const result = hex(prf.keyed(fromHex(key!))(fromHex(msg!)));
      assert.equal(result, hex(prfOf(hash)(fromHex(key!), fromHex(msg!))));
      assert.equal(Object.values(expected).includes(result), true);
    }
  // The pre-shared key is a key of the PRF.
  for (const { prf, length, hash } of PRFS) {
    if (!hash) continue;
    assert.equal(prf.keyed(new Uint8Array(1))().length, length);
    for (const psk of [1, 20, 63, 64, 65, 127, 128, 129, 200].map((n) => octets(n, "psk")))
      established({ psk }, { ...withPrf(prf), psk });
  }
});

test("AES-CMAC as a PRF: SKEYSEED has eight octets of each nonce, prf+ all [7296-2.14-a]", () => {
  const { prf } = PRFS.find(({ id }) => id === 8)!;
  const compute = prfOf(undefined);
  for (const nonce of [16, 32, 256]) {
    const { keys, sa } = halfway(withPrf(prf), { nonce });
    const { nonceI, nonceR, spiI, spiR, sharedSecret } = sa;
    const seed = compute(concat(nonceI.slice(0, 8), nonceR.slice(0, 8)), sharedSecret!);
    const stream = expand(compute, seed, concat(nonceI, nonceR, spiI, spiR), 120);
    assert.equal(keys.skD, hex(stream.slice(0, 16)));
    const all = compute(concat(nonceI, nonceR), sharedSecret!);
    assert.notEqual(keys.skD, hex(expand(compute, all, concat(nonceI, nonceR, spiI, spiR), 16)));
  }
});

test("AES-CMAC as a PRF: a key that has not 16 octets is made one [4615-3-a]", () => {
  const { prf } = PRFS.find(({ id }) => id === 8)!;
  // RFC 4615 section 4: keys of 18, 16 and 10 octets.
  const rows: { key: string; msg: string; out?: string; tag?: string }[] = vectors("rfc4615-cmac");
  assert.deepEqual(
    rows.map(({ key }) => key.length / 2),
    [18, 16, 10],
  );
  for (const { key, msg, ...expected } of rows)
    assert.equal(Object.values(expected).includes(hex(prf.keyed(fromHex(key))(fromHex(msg)))), true);
  for (const psk of [1, 10, 15, 16, 17, 18, 64].map((n) => octets(n, "psk")))
    established({ psk }, { ...withPrf(prf), psk });
});

test("the initiator seals with SK_ei and SK_ai, the responder with SK_er and SK_ar [7296-2.14-b]", () => {
  for (const { cipher } of CIPHERS) {
    const { device, gateway } = established({}, withCipher(cipher));
    const { skEi, skAi, skEr, skAr } = gateway.sa.keys;
    const swapped = gateway.fork();
    Object.assign(swapped.sa.keys, { skEi: skEr, skEr: skEi, skAi: skAr, skAr: skAi });
    assertIgnored(device, swapped.liveness(), "integrity");
    const [request] = take(device, checkLiveness(device.profile, device.session)).send;
    assert.deepEqual(swapped.receive(request!), []);
    assert.match(swapped.ignored.join(), /ICV/);
    exchange(device, gateway, [request!]);
    only(device.events, "alive");
  }
});

test("KEYMAT of the Child SA: nonces of IKE_SA_INIT, our direction first, encryption key and salt before integrity key [7815-2.3-a, 7815-2.3-b, 7296-2.17-a, 4106-8.1-a, 4309-7.1-a, 7634-2-a]", () => {
  for (const { prf, hash } of PRFS)
    for (const { cipher, encr, key, salt, integKey: a } of CIPHERS) {
      const { suite, child } = makeProfile();
      const { device, gateway } = established({}, { suite: { ...suite, prf }, child: { ...child, cipher } });
      const { nonceI, nonceR, keys } = gateway.sa;
      const one = key + salt + a;
      const keymat = expand(prfOf(hash), keys.skD, concat(nonceI, nonceR), 2 * one);
      const up = only(device.events, "established").child;
      assert.deepEqual([hex(up.outbound.key), hex(up.inbound.key)], cut(keymat, one, one));
      const { keyI2R, keyR2I } = gateway.sa.child!;
      assert.equal(hex(up.outbound.key), hex(concat(keyI2R.encryption, keyI2R.integrity)));
      assert.equal(hex(up.inbound.key), hex(concat(keyR2I.encryption, keyR2I.integrity)));
      // GCM key + 4, CCM key + 3, ChaCha20 32 + 4, CBC without a salt.
      const salts: Record<number, number> = { 12: 0, 14: 3, 16: 3, 20: 4, 28: 4 };
      assert.equal(keyI2R.encryption.length, (up.keyBits || 256) / 8 + salts[encr]!);
    }
});

test("the salt is the last of the key: RFC 7634 appendix A [7634-2-a]", () => {
  const [vector] = vectors("rfc7634-chacha20-poly1305");
  const { cipher } = CIPHERS[0]!;
  const [key, iv, aad, msg] = [vector.key, vector.iv, vector.aad, vector.msg].map(fromHex) as Uint8Array[];
  assert.equal(key!.length, 36);
  assert.equal(hex(cipher.seal(key!, iv!, aad!, msg!)), vector.ct + vector.tag);
  for (const at of [31, 32, 35])
    assert.notEqual(hex(cipher.seal(flip(key!, at), iv!, aad!, msg!)), vector.ct + vector.tag);
});

/** All octet strings in a value, however deep. */
function stringsIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  return value && typeof value === "object" ? Object.values(value).flatMap(stringsIn) : [];
}

test("what is no longer needed is gone, and a closed session knows no secret [REC-key-a]", () => {
  const ends: ((device: ReturnType<typeof makeDevice>, gateway: ReturnType<typeof makeGateway>) => void)[] = [
    (device, gateway) => exchange(device, gateway, take(device, close(device.profile, device.session)).send),
    (device, gateway) => void deliver(device, gateway.deleteIke()),
    (device, gateway) => void deliver(device, gateway.informational([{ type: 41, body: new Uint8Array(0) }])),
    (device) => {
      take(device, checkLiveness(device.profile, device.session));
      for (let i = 0; i < 8; i++) take(device, timeout(device.profile, device.session));
    },
  ];
  const secretsOf = ({ keys, sharedSecret, child }: Sa) => {
    const { suite } = makeProfile();
    const secret = octets(60).slice(24, 24 + suite.keyExchange!.secretLength);
    return [...stringsIn(keys), sharedSecret!, child!.keymat, secret]
      .filter(({ length }) => length > 0)
      .map(hex);
  };
  const knows = (session: unknown, secrets: string[]) => {
    const all = stringsIn(session).map(hex).join(" ");
    return secrets.filter((secret) => all.includes(secret)).length;
  };
  for (const end of ends) {
    const { device, gateway } = connect();
    const secrets = secretsOf(gateway.sa);
    assert.equal(secrets.length, 8);
    // Up: SK_d and two times SK_e, of the rest nothing.
    assert.equal(knows(device.session, secrets), 3);
    end(device, gateway);
    assert.equal(device.session.state, "closed");
    assert.equal(knows(device.session, secrets), 0);
    assert.equal(device.session.keys, undefined);
  }
  // The same for a handshake that comes to nothing.
  const device = makeDevice();
  const gateway = makeGateway({ psk: octets(32, "another") });
  exchange(device, gateway);
  assert.equal(only(device.events, "closed").reason, "refused");
  assert.equal(stringsIn(device.session).length, 2);
});
