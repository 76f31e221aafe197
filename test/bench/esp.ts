/**
 * What ESP costs beside its cryptography: seal and open of a packet, against noble alone doing the same octets. Both
 * write into buffers that are used again, as far as noble can, and both take another IV for each packet: noble's AES
 * looks up large tables, and would find the same places in the cache again and again. They run by turns in one
 * process; shown are medians, and how far the middle half of the runs lies apart. Fails below the budget.
 *
 *     node --import tsx test/bench/esp.ts [--json]
 */

import { randomBytes } from "node:crypto";
import { cbc, ctr, ecb, gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { type ChildSa, net } from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCcm } from "ikelet/crypto/aes-ccm.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { Cipher } from "ikelet/crypto/contracts.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { hmacSha512_256 } from "ikelet/crypto/hmac-sha512-256.js";
import { implicitIv } from "ikelet/crypto/implicit-iv.js";
import { inboundSa, open, outboundSa, packetLength, seal } from "ikelet/esp.js";

const BUDGET = 0.9;
/** Many short runs: what else the machine does then falls on both sides alike. */
const RUNS = 301;
const MILLISECONDS_PER_RUN = 2;

/** Seals and opens the plaintext; everything else is prepared. */
type Floor = (key: Uint8Array, plaintext: Uint8Array) => () => void;

type NobleAead = (
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
) => {
  encrypt(text: Uint8Array, output?: Uint8Array): Uint8Array;
  decrypt(text: Uint8Array, output?: Uint8Array): Uint8Array;
};

const aeadFloor =
  (algorithm: NobleAead, keyLength: number, takesOutput: boolean): Floor =>
  (key, plaintext) => {
    const secret = new Uint8Array(key.subarray(0, keyLength));
    const salt = new Uint8Array(key.subarray(keyLength));
    const iv = new Uint8Array(8);
    const aad = new Uint8Array(8);
    let count = 0;
    const nonce = (): Uint8Array => {
      const octets = new Uint8Array(12);
      octets.set(salt);
      octets.set(iv, 4);
      return octets;
    };
    const wire = takesOutput ? new Uint8Array(plaintext.length + 16) : undefined;
    const plain = takesOutput ? new Uint8Array(plaintext.length) : undefined;
    return () => {
      count++;
      for (let i = 0; i < 4; i++) iv[4 + i] = count >>> (24 - 8 * i);
      const sealed = algorithm(secret, nonce(), aad).encrypt(plaintext, wire);
      algorithm(secret, nonce(), aad).decrypt(sealed, plain);
    };
  };

const cbcFloor =
  (hash: typeof sha256 | typeof sha512, keyLength: number): Floor =>
  (key, plaintext) => {
    const secret = new Uint8Array(key.subarray(0, keyLength));
    const macKey = new Uint8Array(key.subarray(keyLength));
    const plain = { disablePadding: true };
    const header = new Uint8Array(8);
    const counter = new Uint8Array(16);
    return () => {
      counter[15]!++ || counter[14]!++;
      const iv = ecb(secret, plain).encrypt(counter);
      const ciphertext = cbc(secret, iv, plain).encrypt(plaintext);
      hmac(hash, macKey, concatBytes(header, iv, ciphertext));
      hmac(hash, macKey, concatBytes(header, iv, ciphertext));
      cbc(secret, iv, plain).decrypt(ciphertext);
    };
  };

/**
 * noble has no CCM. Its CTR over the plaintext and its CBC for the MAC are the same work, but over whole messages,
 * where CCM of `ikelet/crypto/ccm.js` goes block by block: shown, but not held to the budget.
 */
const ccmFloor: Floor = (key, plaintext) => {
  const secret = new Uint8Array(key.subarray(0, 16));
  const iv = new Uint8Array(16);
  const covered = new Uint8Array(32 + Math.ceil(plaintext.length / 16) * 16);
  const text = new Uint8Array(16 + plaintext.length);
  const once = (): void => {
    iv[8]!++ || iv[7]!++;
    covered[8]!++ || covered[7]!++;
    ctr(secret, iv).encrypt(text);
    cbc(secret, iv, { disablePadding: true }).encrypt(covered);
  };
  return () => {
    once();
    once();
  };
};

const CASES: readonly (readonly [name: string, cipher: Cipher, floor: Floor])[] = [
  ["ChaCha20-Poly1305", chacha20Poly1305, aeadFloor(chacha20poly1305, 32, true)],
  ["ChaCha20-Poly1305, implicit IV", implicitIv(chacha20Poly1305), aeadFloor(chacha20poly1305, 32, true)],
  ["AES-GCM-128", aesGcm(128), aeadFloor(gcm, 16, false)],
  ["AES-GCM-256", aesGcm(256), aeadFloor(gcm, 32, false)],
  ["AES-CCM-8-128", aesCcm(128, 8), ccmFloor],
  ["AES-CBC-128, HMAC-SHA2-256-128", aesCbc(128, hmacSha256_128), cbcFloor(sha256, 16)],
  ["AES-CBC-256, HMAC-SHA2-512-256", aesCbc(256, hmacSha512_256), cbcFloor(sha512, 32)],
];

function innerPacket(length: number): Uint8Array {
  const packet = new Uint8Array(length);
  packet.set([0x45, 0, length >> 8, length & 255, 0, 0, 0, 0, 64, 17, 0, 0, 10, 1, 0, 7, 10, 99, 0, 1]);
  return packet;
}

function espRound(cipher: Cipher, key: Uint8Array, packet: Uint8Array): () => void {
  const direction = { spi: 0x1234_5678, key };
  const child: ChildSa = {
    mode: "tunnel",
    esn: false,
    encryptionId: cipher.encryptionId,
    keyBits: cipher.keyBits,
    integrityId: cipher.integrityId,
    outbound: direction,
    inbound: direction,
    local: [net([10, 0, 0, 0], 8)],
    remote: [net([10, 0, 0, 0], 8)],
  };
  let outbound = outboundSa(child);
  let inbound = inboundSa(child);
  const wire = new Uint8Array(packetLength(cipher, packet.length));
  const plain = new Uint8Array(wire.length);
  return () => {
    const sealed = seal(cipher, outbound, packet, 4, wire);
    if (sealed.reason) throw new Error(sealed.reason);
    outbound = sealed.sa;
    const opened = open(cipher, inbound, sealed.packet, plain);
    if (opened.reason) throw new Error(opened.reason);
    inbound = opened.sa;
  };
}

/** Rounds per second over one run of so many rounds. */
function measure(round: () => void, rounds: number): number {
  const start = performance.now();
  for (let i = 0; i < rounds; i++) round();
  return (rounds * 1000) / (performance.now() - start);
}

function quartiles(values: readonly number[]): [lower: number, median: number, upper: number] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)]!;
  return [at(0.25), at(0.5), at(0.75)];
}

const json = process.argv.includes("--json");
const column = (text: unknown, width: number): string => String(text).padStart(width);
if (!json)
  console.log(`${"seal + open, rounds per second".padEnd(48)}     esp   spread     noble   spread    ratio`);
for (const [name, cipher, floor] of CASES)
  for (const length of [64, 1280]) {
    const key = new Uint8Array(randomBytes(cipher.keyLength + cipher.integrityKeyLength));
    const block = Math.max(4, cipher.blockLength);
    const esp = espRound(cipher, key, innerPacket(length));
    const noble = floor(key, new Uint8Array(Math.ceil((length + 2) / block) * block));
    for (const round of [esp, noble, esp, noble]) measure(round, 2000);
    const rounds = Math.ceil((measure(noble, 1000) * MILLISECONDS_PER_RUN) / 1000);
    const speeds: { esp: number[]; noble: number[]; ratio: number[] } = { esp: [], noble: [], ratio: [] };
    for (let run = 0; run < RUNS; run++) {
      // Each goes first in every second run.
      const first = run % 2 ? measure(esp, rounds) : 0;
      const floorSpeed = measure(noble, rounds);
      const espSpeed = first || measure(esp, rounds);
      speeds.esp.push(espSpeed);
      speeds.noble.push(floorSpeed);
      speeds.ratio.push(espSpeed / floorSpeed);
    }
    const [, ratio] = quartiles(speeds.ratio);
    const budget = floor === ccmFloor ? undefined : BUDGET;
    const result = budget && ratio < budget ? "fail" : "pass";
    if (result === "fail") process.exitCode = 1;
    const title = `ESP ${name}, ${length} octets`;
    if (json)
      console.log(
        JSON.stringify({
          name: title,
          result,
          value: Number(ratio.toFixed(3)),
          unit: "× noble",
          ...(budget && { budget }),
        }),
      );
    else {
      const speed = (values: readonly number[]): string => {
        const [lower, median, upper] = quartiles(values);
        return `${column(median.toFixed(0), 8)}  ±${column((((upper - lower) / 2 / median) * 100).toFixed(1), 4)} %`;
      };
      console.log(
        `${title.padEnd(48)}${speed(speeds.esp)}  ${speed(speeds.noble)}  ${column(ratio.toFixed(3), 7)}${result === "fail" ? "  below the budget" : ""}`,
      );
    }
  }
