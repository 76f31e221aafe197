/** The Encrypted payload (RFC 7296 section 3.14, RFC 5282, RFC 7634), taken apart with node:crypto. */

import assert from "node:assert/strict";
import { type CipherGCMTypes, createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkLiveness, receive } from "ikelet";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { Cipher } from "ikelet/crypto/contracts.js";
import { openMessage, sealMessage } from "ikelet/sk.js";
import { concat, flip, fromHex, hex, notify, type Sealing, Type, vendorId } from "../responder/index.ts";
import { ask, assertIgnored, established, heard, wholeLife } from "./expect.ts";
import { type Device, deliver, exchange, octets, only, take } from "./harness.ts";
import { AEADS, CBCS, CIPHERS, type CipherNumbers, withCipher } from "./suites.ts";

const INVALID_SYNTAX = Uint8Array.of(0, 0, 0, 7);

function nameOf({ key, iv, encr }: CipherNumbers): CipherGCMTypes {
  const mode = iv === 16 ? "cbc" : encr === 20 ? "gcm" : "ccm";
  return (encr === 28 ? "chacha20-poly1305" : `aes-${key * 8}-${mode}`) as CipherGCMTypes;
}

/** The plaintext of a message whose only payload is SK, by the keys of a direction; throws if the tag is wrong. */
function plaintextOf(numbers: CipherNumbers, keys: Uint8Array, datagram: Uint8Array): Uint8Array {
  const { key, salt, iv, icv } = numbers;
  const at = 32 + iv;
  const options = { authTagLength: icv };
  const nonce = concat(keys.slice(key, key + salt), datagram.slice(32, at));
  const decipher = createDecipheriv(nameOf(numbers), keys.slice(0, key), nonce, options);
  const ciphertext = datagram.slice(at, datagram.length - icv);
  if (salt) {
    decipher.setAuthTag(datagram.slice(-icv));
    // Header and generic header of SK, nothing of IV and ciphertext.
    decipher.setAAD(datagram.slice(0, 32), { plaintextLength: ciphertext.length });
  } else decipher.setAutoPadding(false);
  return concat(decipher.update(ciphertext), decipher.final());
}

function askLiveness(device: Device): Uint8Array {
  return take(device, checkLiveness(device.profile, device.session)).send[0]!;
}

test("AEAD: IV, ciphertext, tag; nonce = salt ‖ IV; AAD = header and generic header of SK [5282-3-a, 5282-4-a, 5282-5.1-a, 7634-3-a]", () => {
  for (const numbers of AEADS) {
    const { device } = established({}, withCipher(numbers.cipher));
    const datagram = askLiveness(device);
    // Pad Length is all that there is.
    assert.deepEqual(plaintextOf(numbers, device.session.keys!.skI, datagram), new Uint8Array(1));
    assert.equal(datagram.length, 28 + 4 + 8 + 1 + numbers.icv);
    assert.deepEqual([...datagram.slice(28, 32)], [0, 0, 0, 4 + 8 + 1 + numbers.icv]);
  }
});

test("no padding with an AEAD, in any message [7634-3-a]", () => {
  for (const { cipher } of AEADS)
    for (const { padLength, protected: sealed } of wholeLife(withCipher(cipher)).said)
      if (sealed) assert.equal(padLength, 0);
});

test("CBC: IV, ciphertext, ICV over all before it; padded to blocks and no further [7815-A.12-a, 7815-A.12-d, 7815-A.12-e]", () => {
  for (const numbers of CBCS) {
    const { key, icv, integ } = numbers;
    const { device, said } = wholeLife(withCipher(numbers.cipher));
    const sealed = said.filter((seen) => seen.protected);
    for (const { padLength } of sealed) assert.equal(padLength! < 16, true);
    assert.equal(device.session.state, "closed");

    const { device: up } = established({}, withCipher(numbers.cipher));
    const datagram = askLiveness(up);
    assert.equal(datagram.length, 28 + 4 + 16 + 16 + icv);
    const { skI } = up.session.keys!;
    assert.deepEqual(plaintextOf(numbers, skI, datagram), concat(new Uint8Array(15), Uint8Array.of(15)));
    const hash = { 12: "sha256", 13: "sha384", 14: "sha512" }[integ]!;
    const mac = createHmac(hash, skI.slice(key)).update(datagram.slice(0, -icv)).digest();
    assert.equal(hex(datagram.slice(-icv)), hex(mac.subarray(0, icv)));
  }
});

/** What becomes of a request, sealed by the gateway with these liberties. */
function takesSealing(cipher: CipherNumbers, sealing: Sealing): boolean {
  const { device, gateway } = established({}, withCipher(cipher.cipher));
  const [answer] = ask(device, gateway, gateway.informational([notify(16384)], { sealing }));
  if (answer) assert.deepEqual(answer.body, INVALID_SYNTAX);
  return !answer;
}

test("AEAD: 0 to 255 octets of padding are taken, whatever they hold [5282-3-b]", () => {
  const [chacha, gcm, , ccm] = AEADS as [CipherNumbers, CipherNumbers, CipherNumbers, CipherNumbers];
  for (const cipher of [chacha, gcm, ccm])
    for (const padLength of [0, 1, 2, 3, 7, 254, 255])
      for (const padOctet of [() => 0, (i: number) => i + 1, () => 0xff])
        assert.equal(takesSealing(cipher, { padLength, padOctet }), true);
});

test("CBC: any padding that aligns is taken, whatever it holds; more than there is, is malformed [7815-A.12-c]", () => {
  const [cipher] = CBCS as [CipherNumbers];
  // The payload has 8 octets, and one is for Pad Length.
  for (const padLength of [7, 23, 39, 231, 247])
    for (const padOctet of [() => 0, (i: number) => i + 1, () => 0xff])
      assert.equal(takesSealing(cipher, { padLength, padOctet }), true);
  for (const numbers of [cipher, AEADS[0]!]) {
    // One octet more, and the payload is cut; all, and there is none where one was announced.
    for (const padLengthOctet of [8, 9, 15, 16, 17, 255])
      assert.equal(takesSealing(numbers, { padLength: 7, padLengthOctet }), false);
  }
  for (const inner of [new Uint8Array(0), octets(8)])
    assert.equal(takesSealing(cipher, { inner, padLengthOctet: 16, firstType: 0 }), false);
});

test("CBC: every IV is taken; ours cannot be told without the key and are never the last block [7815-A.12-b]", () => {
  for (const numbers of CBCS.slice(0, 2)) {
    for (const iv of [new Uint8Array(16), new Uint8Array(16).fill(0xff), octets(16)])
      assert.equal(takesSealing(numbers, { iv }), true);
    const { device, gateway } = established({}, withCipher(numbers.cipher));
    const ivs: string[] = [];
    const blocks: string[] = [];
    const note = (datagram: Uint8Array) => {
      ivs.push(hex(datagram.slice(32, 48)));
      blocks.push(hex(datagram.slice(-16 - numbers.icv, -numbers.icv)));
    };
    for (let i = 0; i < 8; i++) {
      const request = askLiveness(device);
      note(request);
      exchange(device, gateway, [request]);
      note(deliver(device, gateway.liveness()).send[0]!);
    }
    assert.equal(new Set([...ivs, ...blocks]).size, 32);
    // NIST SP 800-38A appendix C: the counter under the key. The first message, IKE_AUTH, had counter 0.
    const aes = createCipheriv(
      `aes-${numbers.keyBits}-ecb`,
      device.session.keys!.skI.slice(0, numbers.key),
      null,
    );
    aes.setAutoPadding(false);
    const counters = ivs.map((_, i) => concat(new Uint8Array(15), Uint8Array.of(i + 1)));
    assert.equal(ivs.join(""), hex(aes.update(concat(...counters))));
  }
});

test("AEAD: IVs have 8 octets and never repeat, in requests and answers; a repeat is the same message [5282-3.1-a]", () => {
  for (const { cipher } of AEADS) {
    const { device, gateway } = established({}, withCipher(cipher));
    const messages = heard(gateway)
      .slice(1)
      .map(({ datagram }) => datagram);
    for (let i = 0; i < 4; i++) {
      const request = askLiveness(device);
      const theirs = gateway.liveness();
      const answer = deliver(device, theirs).send[0]!;
      // The answer once more.
      assert.deepEqual(deliver(device, theirs).send, [answer]);
      messages.push(request, answer);
      exchange(device, gateway, [request]);
    }
    const ivs = messages.map((datagram) => hex(datagram.slice(32, 40)));
    assert.equal(ivs.length, 9);
    assert.equal(new Set(ivs).size, 9);
    assert.deepEqual(gateway.violations, []);
  }
  // Also beyond 32 bits, and one counter is one IV.
  const { device } = established();
  const ivs = [0xffffffff, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1].map((ivCounter) => {
    const { send } = checkLiveness(device.profile, { ...device.session, ivCounter });
    return hex(send[0]!.slice(32, 40));
  });
  assert.deepEqual(ivs, ["00000000ffffffff", "0000000100000000", "0000000100000001", "001fffffffffffff"]);
});

test("every octet counts: header, SK, IV, ciphertext, ICV [7815-A.12-e, 5282-5.1-a]", () => {
  for (const { cipher } of CIPHERS) {
    const { device, gateway } = established({}, withCipher(cipher));
    const request = gateway.liveness();
    for (let i = 0; i < request.length; i++) assertIgnored(device, flip(request, i, 1 << (i % 8)));
    assert.deepEqual(ask(device, gateway, request), []);
  }
});

test("the associated data holds payloads in the clear before SK [5282-5.1-a]", () => {
  for (const { cipher } of [AEADS[0]!, AEADS[1]!, AEADS[3]!, CBCS[0]!]) {
    const { device, gateway } = established({}, withCipher(cipher));
    const request = gateway.liveness({ sealing: { before: [vendorId(octets(5))] } });
    assert.equal(request[16], Type.VENDOR_ID);
    for (let i = 28; i < 28 + 9; i++) assertIgnored(device, flip(request, i));
    assert.deepEqual(ask(device, gateway, request), []);
  }
});

test("RFC 7634 appendix B, octet by octet [5282-3-a, 5282-4-a, 5282-5.1-a]", () => {
  const vectors = JSON.parse(
    readFileSync(new URL("../vectors/rfc/rfc7634-chacha20-poly1305.json", import.meta.url), "utf8"),
  ) as { id: string; key: string; iv: string; aad: string; msg: string; ct: string; tag: string }[];
  const vector = vectors.find(({ id }) => id === "B")!;
  const key = fromHex(vector.key);
  const iv = fromHex(vector.iv);
  const message = fromHex(vector.aad + vector.iv + vector.ct + vector.tag);
  assert.equal(message.length, 69);
  const spis = { spiI: message.slice(0, 8), spiR: message.slice(8, 16) };
  const payloads = [{ type: Type.NOTIFY, body: fromHex("00004001 0000000a") }];
  // The IV of the RFC is a counter beyond 2^53.
  const cipher = { ...chacha20Poly1305, unpredictableIv: () => iv };
  assert.equal(hex(sealMessage(cipher, key, 0, spis, 37, 0, 9, payloads)), hex(message));
  const sk = { type: Type.SK, body: message.subarray(32), next: message[28]! };
  const opened = openMessage(chacha20Poly1305, key, message, sk)!;
  assert.deepEqual(
    opened.payloads!.map(({ type, body }) => ({ type, body })),
    payloads,
  );
  for (let i = 0; i < 32; i++) {
    const wrong = flip(message, i);
    assert.equal(openMessage(chacha20Poly1305, key, wrong, { ...sk, body: wrong.subarray(32) }), undefined);
  }
});

test("CCM with L = 4 and a nonce of 11 octets: B_0, counter blocks and tag, step by step [4309-2-a, 5282-4-a]", () => {
  const ccms = AEADS.filter(({ encr }) => encr === 14 || encr === 16);
  assert.equal(ccms.length, 4);
  for (const { cipher, key, salt, icv } of ccms) {
    const { device } = established({}, withCipher(cipher));
    const datagram = askLiveness(device);
    const { skI } = device.session.keys!;
    const aes = (block: Uint8Array) =>
      new Uint8Array(createCipheriv(`aes-${key * 8}-ecb`, skI.slice(0, key), null).update(block));
    const xor = (a: Uint8Array, b: Uint8Array) => a.map((octet, i) => octet ^ b[i]!);
    const nonce = concat(skI.slice(key, key + salt), datagram.slice(32, 40));
    assert.equal(nonce.length, 11);
    const plaintext = new Uint8Array(1);
    const flags = { 8: 0x5b, 16: 0x7b }[icv]!;
    // The length of the plaintext in 4 octets; that of the associated data, 32 octets, in 2.
    const blocks = [
      concat(Uint8Array.of(flags), nonce, Uint8Array.of(0, 0, 0, 1)),
      concat(Uint8Array.of(0, 32), datagram.slice(0, 14)),
      datagram.slice(14, 30),
      concat(datagram.slice(30, 32), new Uint8Array(14)),
      concat(plaintext, new Uint8Array(15)),
    ];
    const mac = blocks.reduce((state, block) => aes(xor(state, block)), new Uint8Array(16));
    const counter = (n: number) => aes(concat(Uint8Array.of(3), nonce, Uint8Array.of(0, 0, 0, n)));
    const sealed = concat(xor(plaintext, counter(1)), xor(mac, counter(0)).slice(0, icv));
    assert.equal(hex(datagram.slice(40)), hex(sealed));
  }
});

test("GCM has a tag of 16 octets, CCM one of 8 or 16 [5282-3.2-a]", () => {
  for (const { cipher, encr, icv } of AEADS) {
    const { device } = established({}, withCipher(cipher));
    assert.equal(askLiveness(device).length, 28 + 4 + 8 + 1 + { 14: 8, 16: 16, 20: 16, 28: 16 }[encr]!);
    assert.equal(cipher.icvLength, icv);
  }
});

test("a tag that is cut off or missing is wrong [7815-A.12-e, 5282-3-a]", () => {
  for (const { cipher, iv, icv } of CIPHERS) {
    const { device, gateway } = established({}, withCipher(cipher));
    const good = gateway.liveness();
    for (let length = 32; length < good.length; length++) {
      const cut = good.slice(0, length);
      cut.set([length >> 8, length & 0xff], 26);
      cut.set([(length - 28) >> 8, (length - 28) & 0xff], 30);
      assertIgnored(device, cut, "integrity");
    }
    assert.equal(good.length >= 32 + iv + icv + 1, true);
    assert.deepEqual(ask(device, gateway, good), []);
  }
});

test("an AEAD message without even a Pad Length is malformed [5282-3-a]", () => {
  const { device, gateway } = established();
  const { skR } = device.session.keys!;
  const empty = gateway.liveness();
  // The same header for a plaintext of no octets.
  const aad = empty.slice(0, 32);
  aad.set([0, 56], 26);
  aad.set([0, 28], 30);
  const iv = octets(8);
  const nonce = concat(skR.slice(32), iv);
  const cipher = createCipheriv("chacha20-poly1305", skR.slice(0, 32), nonce, { authTagLength: 16 });
  cipher.setAAD(aad, { plaintextLength: 0 });
  cipher.final();
  const { session, send } = receive(device.profile, device.session, concat(aad, iv, cipher.getAuthTag()));
  assert.equal(session.state, "closed");
  const [seen] = gateway.receive(send[0]!);
  assert.equal(seen, undefined);
  assert.deepEqual(gateway.answers.at(-1)!.payloads[0]!.body, INVALID_SYNTAX);
  only(device.events, "established");
});

test("what is too short for IV and ICV never comes to the cipher", () => {
  const cipher: Cipher = {
    ...chacha20Poly1305,
    open: () => {
      throw new Error("too short");
    },
  };
  const { ivLength, icvLength } = cipher;
  const open = (length: number) =>
    openMessage(cipher, octets(36), octets(28 + 4 + length), { type: 46, body: octets(length), next: 0 });
  for (let length = 0; length < ivLength + icvLength; length++) assert.equal(open(length), undefined);
  assert.throws(() => open(ivLength + icvLength), /too short/);
});
