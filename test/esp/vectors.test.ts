/** Packets that the RFCs print. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { host } from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { Cipher, Integrity } from "ikelet/crypto/contracts.js";
import { inboundSa, open, outboundSa, seal } from "ikelet/esp.js";
import { fromHex } from "../responder/index.ts";
import { makeChild, mustOpen, mustSeal, toHex } from "./support.ts";

/** The same cipher with the IV of the vector. */
const withIv = (cipher: Cipher, iv: Uint8Array): Cipher => ({ ...cipher, unpredictableIv: () => iv });

test("RFC 7634 appendix A: the packet of the text, both ways [4303-2-a, 4303-3.1.2-a, 4106-5-a, 7634-2-b]", () => {
  const key = fromHex("80818283 84858687 88898a8b 8c8d8e8f 90919293 94959697 98999a9b 9c9d9e9f a0a1a2a3");
  const inner = fromHex(`45000054 a6f20000 4001e778 c6336405 c0000205 08005b7a 3a080000 553bec10
    00073627 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f 20212223 24252627 28292a2b
    2c2d2e2f 30313233 34353637`);
  // Behind the outer IP header of 20 octets.
  const packet = fromHex(`01020304 00000005 10111213 14151617 24039428 b97f417e 3c13753a 4f05087b
    67c352e6 a7fab1b9 82d466ef 407ae5c6 14ee8099 d52844eb 61aa95df ab4c02f7 2aa71e7c 4c4f64c9
    befe2fac c638e8f3 cbec163f ac469b50 2773f6fb 94e664da 9165b828 29f641e0 76aaa826 6b7fb0f7
    b11b3699 07e1ad43`);
  const direction = { spi: 0x01020304, key };
  const child = makeChild(chacha20Poly1305, {
    outbound: direction,
    inbound: direction,
    local: [host([198, 51, 100, 5])],
    remote: [host([192, 0, 2, 5])],
  });
  const cipher = withIv(chacha20Poly1305, fromHex("1011121314151617"));
  const sealed = mustSeal(seal(cipher, { ...outboundSa(child), sequence: 4 }, inner));
  assert.equal(toHex(sealed.packet), toHex(packet));
  assert.equal(sealed.sa.sequence, 5);

  const inbound = inboundSa({ ...child, local: child.remote, remote: child.local });
  const opened = mustOpen(open(chacha20Poly1305, inbound, packet));
  assert.equal(toHex(opened.payload), toHex(inner));
  assert.equal(opened.nextHeader, 4);
});

// The text prints no ICV.
const NONE: Integrity = { transformId: 0, keyLength: 0, icvLength: 0, keyed: () => () => new Uint8Array() };
const PING = `08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f 20212223 24252627 28292a2b
  2c2d2e2f 30313233 34353637`;

const CASES = [
  {
    name: "case 5, transport",
    mode: "transport",
    key: "90d382b4 10eeba7a d938c46c ec1a82bf",
    spi: 0x4321,
    sequence: 1,
    iv: "e96e8c08 ab465763 fd098d45 dd3ff893",
    payload: `08000ebd a70a0000 8e9c083d b95b0700 ${PING}`,
    ciphertext: `f663c25d 325c18c6 a9453e19 4e120849 a4870b66 cc6b9965 330013b4 898dc856 a4699e52 3a55db08
      0b59ec3a 8e4b7e52 775b07d1 db34ed9c 538ab50c 551b874a a269add0 47ad2d59 13ac19b7 cfbad4a6`,
  },
  {
    name: "case 6, transport",
    mode: "transport",
    key: "90d382b4 10eeba7a d938c46c ec1a82bf",
    spi: 0x4321,
    sequence: 8,
    iv: "69d08df7 d203329d b093fc49 24e5bd80",
    payload: "0800b5e8 a80a0500 a69c083d 0b660e00 77777777 77777777 77777777",
    ciphertext: "f5199588 1ec4e0c4 488987ce 742e8109 689bb379 d2d750c0 d915dca3 46a89f75",
  },
  {
    name: "case 7, tunnel",
    mode: "tunnel",
    key: "01234567 89abcdef 01234567 89abcdef",
    spi: 0x8765,
    sequence: 2,
    iv: "f4e76524 4f6407ad f13dc138 0f673f37",
    payload: `45000054 09040000 4001f988 c0a87b03 c0a87bc8 08009f76 a90a0100 b49c083d 02a20400 ${PING}`,
    ciphertext: `773b5241 a4c44922 5e4f3ce5 ed611b0c 237ca96c f74a9301 3c1b0ea1 a0cf70f8 e4ecaec7 8ac53aad
      7a0f022b 859243c6 47752e94 a859352b 8a4d4d2d ecd136e5 c177f132 ad3fbfb2 201ac990 4c74ee0a
      109e0ca1 e4dfe9d5 a100b842 f1c22f0d`,
  },
  {
    name: "case 8, tunnel",
    mode: "tunnel",
    key: "01234567 89abcdef 01234567 89abcdef",
    spi: 0x8765,
    sequence: 5,
    iv: "85d47224 b5f3dd5d 2101d4ea 8dffab22",
    payload: `45000044 090c0000 4001f990 c0a87b03 c0a87bc8 0800d63c aa0a0200 c69c083d a3de0300 ffffffff
      ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff`,
    ciphertext: `15b92683 819596a8 047232cc 00f7048f e45318e1 1f8a0f62 ede3c3fc 61203bb5 0f980a08 c9843fd3
      a1b06d5c 07ff9639 b7eb7dfb 3512e5de 435e7207 ed971ef3 d2726d9b 5ef6affc 6d17a0de cbb13892`,
  },
] as const;

for (const { name, mode, key, spi, sequence, iv, payload, ciphertext } of CASES)
  test(`RFC 3602 section 4, ${name} [4303-3.1.1-a, 4303-3.1.2-a, 3602-2.4-a]`, () => {
    const cipher = aesCbc(128, NONE);
    const direction = { spi, key: fromHex(key) };
    const child = makeChild(cipher, {
      mode,
      outbound: direction,
      inbound: direction,
      local: [host([192, 168, 123, 3])],
      remote: [host([192, 168, 123, mode === "tunnel" ? 200 : 100])],
    });
    const nextHeader = mode === "tunnel" ? 4 : 1;
    const sealed = mustSeal(
      seal(
        withIv(cipher, fromHex(iv)),
        { ...outboundSa(child), sequence: sequence - 1 },
        fromHex(payload),
        nextHeader,
      ),
    );
    const header = new Uint8Array([0, 0, spi >> 8, spi & 255, 0, 0, 0, sequence]);
    assert.equal(toHex(sealed.packet), toHex(header) + toHex(fromHex(iv)) + toHex(fromHex(ciphertext)));

    const inbound = inboundSa({ ...child, local: child.remote, remote: child.local });
    const opened = mustOpen(open(cipher, inbound, sealed.packet));
    assert.equal(toHex(opened.payload), toHex(fromHex(payload)));
    assert.equal(opened.nextHeader, nextHeader);
  });
