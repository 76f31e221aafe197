/** Sequence numbers on both sides: the replay window, extended numbers, the end of an SA, and sleep. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { Cipher } from "ikelet/crypto/contracts.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { type InboundSa, inboundSa, open, outboundSa, seal } from "ikelet/esp.js";
import { flip, ReplayWindow, readU32, sealEsp } from "../responder/index.ts";
import { gatewayDirection, innerPacket, makeChild, mustSeal, reasonOf, seeded, toHex } from "./support.ts";

const TWO_TO_32 = 2 ** 32;
const CIPHER = chacha20Poly1305;

/** What the gateway sends with this number. */
function sent(sequence: number, esn: boolean = false, cipher: Cipher = CIPHER): Uint8Array {
  const direction = gatewayDirection(cipher, makeChild(cipher, { esn }), "inbound");
  return sealEsp(direction, sequence, innerPacket({}, true), 4, { iv: new Uint8Array(cipher.ivLength) });
}

function receiver(windowSize?: number, esn: boolean = false, cipher: Cipher = CIPHER) {
  let sa: InboundSa = inboundSa(makeChild(cipher, { esn }), windowSize);
  return {
    take: (packet: Uint8Array): string => {
      const opened = open(cipher, sa, packet);
      sa = opened.sa;
      return reasonOf(opened);
    },
    move: (sequence: number): void => {
      sa = { ...sa, sequence };
    },
    sa: () => sa,
  };
}

test("numbers are 1, 2, 3 … [4303-2.2-a]", () => {
  let sa = outboundSa(makeChild(CIPHER));
  const packets = [0, 1, 2].map(() => {
    const sealed = mustSeal(seal(CIPHER, sa, innerPacket()));
    sa = sealed.sa;
    return sealed.packet;
  });
  assert.deepEqual(
    packets.map((packet) => readU32(packet, 4)),
    [1, 2, 3],
  );
  assert.equal(new Set(packets.map((packet) => toHex(packet.subarray(8, 16)))).size, 3, "IVs repeat");
});

test("the last number is used once, then the SA is at its end [4303-3.3.3-a]", () => {
  for (const [esn, last] of [
    [false, TWO_TO_32 - 1],
    [true, 9e15],
  ] as const) {
    const sa = { ...outboundSa(makeChild(CIPHER, { esn })), sequence: last - 1 };
    const sealed = mustSeal(seal(CIPHER, sa, innerPacket()));
    assert.equal(sealed.sa.sequence, last);
    if (!esn) assert.equal(readU32(sealed.packet, 4), 0xffffffff);
    const refused = seal(CIPHER, sealed.sa, innerPacket());
    assert.equal(refused.reason, "exhausted");
    assert.equal(refused.sa, sealed.sa);
  }
  const beyond = { ...outboundSa(makeChild(CIPHER), Infinity), sequence: TWO_TO_32 - 1 };
  assert.equal(seal(CIPHER, beyond, innerPacket()).reason, "exhausted");
});

test("a limit of packets is kept [7296-2.8-a]", () => {
  let sa = outboundSa(makeChild(CIPHER), 5);
  for (let n = 1; n <= 5; n++) sa = mustSeal(seal(CIPHER, sa, innerPacket())).sa;
  assert.equal(seal(CIPHER, sa, innerPacket()).reason, "exhausted");
});

test("without a number there is no packet: it would go out under an IV that was used", () => {
  const sa = outboundSa(makeChild(CIPHER));
  const unset = undefined as never;
  for (const wrong of [
    { ...sa, sequence: Number.NaN },
    { ...sa, sequence: unset },
    { ...sa, lastSequence: unset },
    outboundSa(makeChild(CIPHER), Number.NaN),
  ])
    assert.equal(seal(CIPHER, wrong, innerPacket()).reason, "exhausted");
  // As if the two SAs were mixed up in flash: with this one the gateway's own numbers would be used.
  const mixedUp = { ...inboundSa(makeChild(CIPHER)), lastSequence: unset };
  assert.equal(seal(CIPHER, mixedUp, innerPacket({}, true)).reason, "exhausted");
});

test("without a number nothing is taken: it could have been received before", () => {
  const receiving = receiver();
  receiving.move(Number.NaN);
  for (const sequence of [1, 1, 2 ** 31]) assert.equal(receiving.take(sent(sequence)), "old");
});

test("stored in leaps, an SA goes on above its last number after a loss of power [9333-4-a, 9333-10-a, 8750-4-b]", () => {
  const LEAP = 100;
  const next = seeded(77);
  const used = new Set<number>();
  let sa = outboundSa(makeChild(CIPHER));
  let stored = structuredClone({ ...sa, sequence: sa.sequence + LEAP });
  for (let i = 0; i < 2000; i++) {
    if (next(50) === 0) {
      sa = structuredClone(stored); // the power was gone
      stored = { ...sa, sequence: sa.sequence + LEAP };
    }
    if (sa.sequence + 1 >= stored.sequence) stored = { ...sa, sequence: sa.sequence + LEAP };
    const sealed = mustSeal(seal(CIPHER, sa, innerPacket()));
    sa = sealed.sa;
    const number = readU32(sealed.packet, 4);
    assert.equal(used.has(number), false, `number ${number} was used twice`);
    used.add(number);
  }
});

describe("replay window", () => {
  for (const size of [32, 64, 72, 1024])
    test(`of ${size}: as far back as it reaches, each number once [4303-3.4.3-a]`, () => {
      const { take } = receiver(size === 64 ? undefined : size);
      const top = 5000;
      assert.equal(take(sent(top)), "accepted");
      assert.equal(take(sent(top)), "replayed");
      assert.equal(take(sent(top - size + 1)), "accepted");
      assert.equal(take(sent(top - size + 1)), "replayed");
      assert.equal(take(sent(top - size)), "old");
      assert.equal(take(sent(1)), "old");
      // One further on, the lower edge moves by one.
      assert.equal(take(sent(top + 1)), "accepted");
      assert.equal(take(sent(top - size + 1)), "old");
      assert.equal(take(sent(top - size + 2)), "accepted");
    });

  test("a leap over nearly all numbers clears one window, and not one bit for each number", () => {
    const { take } = receiver();
    for (const n of [1, TWO_TO_32 - 1]) assert.equal(take(sent(n)), "accepted");
    assert.equal(take(sent(TWO_TO_32 - 64)), "accepted");
    assert.equal(take(sent(TWO_TO_32 - 65)), "old");
  });

  test("a leap leaves nothing behind, and keeps what it does not reach", () => {
    for (const leap of [1, 2, 7, 8, 9, 31, 63, 64, 65, 127, 128, 1000]) {
      const { take } = receiver();
      for (let n = 101; n <= 164; n++) assert.equal(take(sent(n)), "accepted");
      assert.equal(take(sent(164 + leap)), "accepted");
      for (let n = 101; n <= 164 + leap; n++) {
        const expected = n <= 100 + leap ? "old" : n <= 164 || n === 164 + leap ? "replayed" : "accepted";
        assert.equal(take(sent(n)), expected, `leap of ${leap}, number ${n}`);
      }
    }
  });

  test("moves only after a good ICV [4303-3.4.3-b]", () => {
    const { take, sa } = receiver();
    const before = sa();
    const forged = flip(sent(1000), 40);
    assert.equal(take(forged), "integrity");
    assert.equal(sa(), before);
    assert.equal(take(sent(5)), "accepted");
    assert.equal(take(flip(sent(6), 40)), "integrity");
    assert.equal(take(sent(6)), "accepted");
  });

  test("refuses before it decrypts [4303-3.4.3-c]", () => {
    let opened = 0;
    const counting: Cipher = {
      ...CIPHER,
      open: (...args) => {
        opened++;
        return CIPHER.open(...args);
      },
    };
    let sa = inboundSa(makeChild(CIPHER));
    sa = open(counting, sa, sent(100)).sa;
    for (const n of [100, 1, 36]) open(counting, sa, sent(n));
    assert.equal(opened, 1);
  });

  test("the number 0 is never accepted [REC-esp-a]", () => {
    assert.equal(receiver().take(sent(0)), "old");
    assert.equal(receiver(64, true).take(sent(0, true)), "old");
    const { take } = receiver();
    take(sent(3));
    assert.equal(take(sent(0)), "old");
  });

  test("an SA is never changed, each result is a new one", () => {
    const sa = inboundSa(makeChild(CIPHER));
    const copy = structuredClone(sa);
    for (let i = 0; i < 3; i++) {
      assert.equal(reasonOf(open(CIPHER, sa, sent(9))), "accepted");
      assert.deepEqual(sa, copy);
    }
  });

  test("sizes that are none are mistakes", () => {
    for (const size of [0, 8, 24, 31, 33, 64.5, -64, Number.NaN, Infinity])
      assert.throws(
        () => inboundSa(makeChild(CIPHER), size),
        { name: "IkeletError", code: "argument" },
        `${size}`,
      );
  });
});

/** RFC 4303 appendix A2.2 as it stands there, with its two cases. */
function appendixA(lower: number, highest: number, window: number): number | undefined {
  const th = Math.floor(highest / TWO_TO_32);
  const tl = highest % TWO_TO_32;
  const bl = (tl - window + 1 + TWO_TO_32) % TWO_TO_32;
  const seqh = tl >= window - 1 ? (lower >= bl ? th : th + 1) : lower >= bl ? th - 1 : th;
  return seqh < 0 ? undefined : seqh * TWO_TO_32 + lower;
}

describe("extended sequence numbers", () => {
  const aesCbcHmac = aesCbc(128, hmacSha256_128);
  for (const cipher of [CIPHER, aesCbcHmac])
    test(`across 2^32 out of order, transform ${cipher.encryptionId} [4303-A2.2-a, 4303-2.2.1-a]`, () => {
      const { take, move } = receiver(64, true, cipher);
      move(TWO_TO_32 - 40);
      const numbers = [-20, 5, -10, 0, -1, 5, 40, -24, -25, 0, 41, -22, -21, 1000].map((n) => TWO_TO_32 + n);
      const model = new ReplayWindow(64);
      model.highest = TWO_TO_32 - 40;
      for (const n of numbers) {
        const fresh = model.isFresh(n);
        const result = take(sent(n, true, cipher));
        assert.equal(result === "accepted", fresh, `2^32 + ${n - TWO_TO_32}: ${result}`);
        if (fresh) model.accept(n);
      }
    });

  test("the upper half is found as appendix A2.2 says [4303-A2.2-a]", () => {
    const tops = [0, 1, 62, 63, 64, 65, 1000, TWO_TO_32 - 1, TWO_TO_32, TWO_TO_32 + 5, TWO_TO_32 + 62];
    tops.push(TWO_TO_32 + 63, 2 * TWO_TO_32 - 1, 7 * TWO_TO_32 + 30, 7 * TWO_TO_32 + 2 ** 31);
    for (const top of tops)
      for (const size of [32, 64, 128])
        for (const distance of [
          -200,
          -128,
          -127,
          -64,
          -63,
          -62,
          -32,
          -31,
          -1,
          0,
          1,
          100,
          2 ** 31,
          -(2 ** 31),
        ]) {
          const lower = (((top + distance) % TWO_TO_32) + TWO_TO_32) % TWO_TO_32;
          const expected = appendixA(lower, top, size);
          let asked: number | undefined;
          const asking: Cipher = {
            ...CIPHER,
            open: (_key, _iv, associatedData) => {
              asked = readU32(associatedData, 4) * TWO_TO_32 + readU32(associatedData, 8);
              return undefined;
            },
          };
          const sa = { ...inboundSa(makeChild(CIPHER, { esn: true }), size), sequence: top };
          const packet = sent(lower);
          const result = reasonOf(open(asking, sa, packet));
          if (!expected) assert.equal(result, "old", `${lower} at ${top}`);
          else {
            assert.equal(result, "integrity", `${lower} at ${top}`);
            assert.equal(asked, expected, `${lower} at ${top}, window ${size}`);
          }
        }
  });

  test("the upper half is in the ICV: another one is refused", () => {
    for (const cipher of [CIPHER, aesCbcHmac]) {
      const { take } = receiver(64, true, cipher);
      assert.equal(take(sent(TWO_TO_32 + 7, true, cipher)), "integrity");
      assert.equal(take(sent(7, false, cipher)), "integrity");
      assert.equal(take(sent(7, true, cipher)), "accepted");
    }
  });
});

describe("a network that loses, repeats and shuffles 1000 packets", () => {
  for (const [seed, size, esn] of [
    [1, 32, false],
    [2, 64, false],
    [3, 128, true],
    [4, 64, true],
    [5, 40, false],
  ] as const)
    test(`seed ${seed}, window ${size}, ESN ${esn}: everything at most once, as a simple model says`, () => {
      const next = seeded(seed * 7919);
      const base = esn ? TWO_TO_32 - 500 : 0;
      const { take, move } = receiver(size, esn);
      move(base);
      const model = new ReplayWindow(size);
      model.highest = base;
      const wire: [due: number, n: number][] = [];
      for (let i = 1; i <= 1000; i++) {
        const copies = next(10) === 0 ? 0 : next(5) === 0 ? 2 + next(3) : 1;
        for (let copy = 0; copy < copies; copy++) wire.push([i + next(next(4) ? 10 : 2 * size), base + i]);
      }
      wire.sort(([a], [b]) => a - b);
      const counts = new Map<number, number>();
      let refused = 0;
      for (const [, n] of wire) {
        const packet = sent(n, esn);
        if (next(20) === 0)
          assert.equal(take(flip(packet, 8 + next(packet.length - 8))) === "accepted", false);
        const fresh = model.isFresh(n);
        const result = take(packet);
        assert.equal(result === "accepted", fresh, `number ${n - base}: ${result}`);
        if (fresh) {
          model.accept(n);
          counts.set(n, (counts.get(n) ?? 0) + 1);
        } else refused++;
      }
      assert.equal(Math.max(...counts.values()), 1);
      assert.equal(counts.size > 700, true, `${counts.size} accepted`);
      assert.equal(refused > 100, true, `${refused} refused`);
    });
});
