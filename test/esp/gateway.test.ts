/** Against the responder's own ESP, which shares nothing with ours: every cipher, mode, version and kind of number. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { entropyLength, fqdn, host, initiate, net, type Profile, receive } from "ikelet";
import { checkProfile } from "ikelet/check.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { implicitIv } from "ikelet/crypto/implicit-iv.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import { inboundSa, open, outboundSa, packetLength, seal } from "ikelet/esp.js";
import {
  createResponder,
  fqdn as gatewayFqdn,
  openEsp,
  sealEsp,
  seededRandom,
  towardsDevice,
  towardsGateway,
} from "../responder/index.ts";
import {
  CIPHERS,
  gatewayDirection,
  innerPacket,
  makeChild,
  mustOpen,
  mustSeal,
  pattern,
  ports,
  seeded,
  toHex,
} from "./support.ts";

const TWO_TO_32 = 2 ** 32;

for (const [name, cipher] of CIPHERS)
  for (const esn of [false, true])
    describe(`${name}, ${esn ? "with" : "without"} ESN`, () => {
      const rows = [
        "4106-3.1-a, 4106-5-a, 4106-6-a, 4309-3.1-a, 4309-5-a, 7634-2-b, 4303-2.2.1-a",
        ...(cipher.ivLength ? [] : ["8750-4-a"]),
        ...(cipher.integrityId && esn ? ["4303-3.3.2.1-a"] : []),
      ].join(", ");
      for (const mode of ["tunnel", "transport"] as const)
        for (const version of [4, 6] as const)
          test(`${mode} mode, IPv${version}, both ways, any length [${rows}]`, () => {
            const child = makeChild(cipher, { mode, esn });
            const toGateway = gatewayDirection(cipher, child, "outbound");
            const toDevice = gatewayDirection(cipher, child, "inbound");
            const lengths = fc.integer({ min: 0, max: 200 });
            const sequences = fc.integer({ min: 1, max: esn ? 2 ** 45 : TWO_TO_32 - 1 });
            fc.assert(
              fc.property(lengths, sequences, fc.boolean(), (length, sequence, own) => {
                const data = pattern(length, sequence % 251);
                const wrap = (back: boolean): Uint8Array =>
                  mode === "tunnel" ? innerPacket({ version, data }, back) : data;
                const nextHeader = mode === "transport" ? 17 : version === 4 ? 4 : 41;
                const high = Math.floor(sequence / TWO_TO_32);

                const out = wrap(false);
                const outbound = { ...outboundSa(child), sequence: sequence - 1 };
                const space = new Uint8Array(packetLength(cipher, out.length) + 3);
                const { packet, sa } = mustSeal(
                  seal(cipher, outbound, out, mode === "transport" ? 17 : undefined, own ? space : undefined),
                );
                assert.equal(sa.sequence, sequence);
                assert.equal(packet.length, packetLength(cipher, out.length));
                const read = openEsp(toGateway, packet, high)!;
                assert.equal(toHex(read?.payload), toHex(out));
                assert.equal(read.nextHeader, nextHeader);
                assert.equal(read.sequence, sequence);
                assert.deepEqual(
                  read.padding,
                  read.padding.map((_, i) => i + 1),
                );
                assert.equal(read.padding.length < Math.max(4, cipher.blockLength), true);

                const back = wrap(true);
                // The sender of the CBC vectors of this test may take any IV, the receiver has to read it.
                const iv = pattern(cipher.ivLength, length);
                const sent = sealEsp(toDevice, sequence, back, nextHeader, cipher.ivLength ? { iv } : {});
                const inbound = { ...inboundSa(child), sequence: sequence - 1 };
                const opened = mustOpen(
                  open(cipher, inbound, sent, own ? new Uint8Array(sent.length) : undefined),
                );
                assert.equal(toHex(opened.payload), toHex(back));
                assert.equal(opened.nextHeader, nextHeader);
                assert.equal(opened.sa.sequence, sequence);
              }),
              { numRuns: 40 },
            );
          });
    });

test("the implicit IV makes packets 8 octets shorter, and is the number behind four zeros [8750-4-a]", () => {
  for (const explicit of [chacha20Poly1305, aesGcm(128)]) {
    const cipher = implicitIv(explicit);
    assert.equal(packetLength(cipher, 33), packetLength(explicit, 33) - 8);
    const child = makeChild(cipher);
    const { packet } = mustSeal(seal(cipher, { ...outboundSa(child), sequence: 0x01020303 }, innerPacket()));
    const iv = new Uint8Array([0, 0, 0, 0, 1, 2, 3, 4]);
    const opened = explicit.open(child.outbound.key, iv, packet.subarray(0, 8), packet.subarray(8));
    assert.equal(toHex(opened?.subarray(0, 40)), toHex(innerPacket()));
  }
});

test("ciphers without an implicit IV are refused", () => {
  for (const [name, cipher] of CIPHERS)
    if (![14, 20, 28].includes(cipher.encryptionId))
      assert.throws(() => implicitIv(cipher), { name: "IkeletError", code: "argument" }, name);
});

const PSK = new Uint8Array(32).fill(9);

function makeProfile(
  changes: Partial<Profile["child"]> = {},
  suite: Partial<Profile["suite"]> = {},
): Profile {
  return {
    suite: { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519, ...suite },
    local: fqdn("device.example"),
    remote: fqdn("gw.example"),
    psk: PSK,
    child: {
      cipher: chacha20Poly1305,
      mode: "tunnel",
      local: host([10, 1, 0, 7]),
      remote: net([10, 99, 0, 0], 16),
      ...changes,
    },
  };
}

for (const [name, cipher] of CIPHERS)
  for (const esn of [false, true])
    test(`${name}, ESN ${esn}: keys and SPIs of a true handshake [7296-2.17-c, 7296-3.3.2-a, 4303-2.2.1-a]`, () => {
      const profile = makeProfile({ cipher, esn });
      const gateway = createResponder({
        psk: PSK,
        local: gatewayFqdn("gw.example"),
        remote: gatewayFqdn("device.example"),
        random: seededRandom("esp"),
      });
      let step = initiate(profile, pattern(entropyLength(profile), 3));
      for (let i = 0; i < 2; i++) step = receive(profile, step.session, gateway.receive(step.send[0]!)[0]!);
      const [event] = step.events;
      if (event?.type !== "established") throw new Error(`no Child SA: ${event?.type}`);
      assert.deepEqual(gateway.violations, []);
      const child = gateway.sas.at(-1)!.child!;
      assert.equal(child.suite.esn, esn ? 1 : 0);

      const { packet } = mustSeal(seal(cipher, outboundSa(event.child), innerPacket()));
      assert.equal(toHex(openEsp(towardsGateway(child), packet)?.payload), toHex(innerPacket()));
      const back = innerPacket({}, true);
      const iv = pattern(cipher.ivLength);
      const sent = sealEsp(towardsDevice(child), 1, back, 4, cipher.ivLength ? { iv } : {});
      assert.equal(toHex(mustOpen(open(cipher, inboundSa(event.child), sent)).payload), toHex(back));
    });

test("our SPIs are no reserved ones, whatever the generator says [4303-2.1-a, 9333-3-a]", () => {
  const profile = makeProfile();
  const spis = new Set<string>();
  const next = seeded(5);
  for (let i = 0; i < 50; i++) {
    const entropy = pattern(entropyLength(profile), 1);
    const drawn = i === 0 ? [0, 0, 0, 0] : i === 1 ? [0, 0, 0, 255] : [0, 0, 0, 0].map(() => next(256));
    entropy.set(drawn, entropy.length - 4);
    const spi = initiate(profile, entropy).session.handshake!.childSpi;
    assert.equal(spi[0]! | spi[1]! | spi[2]!, (spi[0]! | spi[1]! | spi[2]!) & 0xff);
    assert.notEqual(spi[0]! | spi[1]! | spi[2]!, 0, `SPI ${toHex(spi)}`);
    spis.add(toHex(spi));
  }
  assert.equal(spis.size, 50);
});

test("an unprotected or half protected Child SA, and an implicit IV for IKE, are mistakes of the profile [4303-3.2-a, 8221-4-a, 8750-7-b]", () => {
  checkProfile(makeProfile());
  checkProfile(makeProfile({ cipher: implicitIv(chacha20Poly1305) }));
  const refused = { name: "IkeletError", code: "profile" };
  for (const encryptionId of [11, 12])
    assert.throws(
      () => checkProfile(makeProfile({ cipher: { ...chacha20Poly1305, encryptionId, integrityId: 0 } })),
      refused,
    );
  assert.throws(() => checkProfile(makeProfile({}, { cipher: implicitIv(chacha20Poly1305) })), refused);
});

test("ports and length stay as they are on the way [4303-2.6-a]", () => {
  for (const [name, cipher] of CIPHERS) {
    const child = makeChild(cipher, { mode: "transport" });
    for (const protocol of [1, 6, 17, 58]) {
      const { packet } = mustSeal(seal(cipher, outboundSa(child), ports(5683, 5684), protocol));
      const read = openEsp(gatewayDirection(cipher, child, "outbound"), packet);
      assert.equal(read?.nextHeader, protocol, name);
      assert.equal(toHex(read?.payload), toHex(ports(5683, 5684)), name);
    }
  }
});
