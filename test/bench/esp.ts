/**
 * What ESP costs beside its cryptography: seal and open of a packet, against noble alone doing the same octets, and for
 * scale node:crypto. They write into buffers that are used again, as far as they can, and take another IV for each
 * packet: noble's AES looks up large tables, and would find the same places in the cache again and again.
 */

import {
  type CipherGCM,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHmac,
  type DecipherGCM,
} from "node:crypto";
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
import { octets } from "../initiator/harness.ts";

const PACKET_LENGTHS = [64, 512, 1280];

/** Three ways to seal and open a packet. */
export interface EspWork {
  readonly name: string;
  readonly ours: () => void;
  readonly noble: () => void;
  readonly node: () => void;
  /** noble does the same work, but in another way: shown, and held to no budget. */
  readonly approximate: boolean;
}

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

/** node:crypto: an AEAD of which the last octets of the key are the salt. */
const nodeAead =
  (algorithm: string, saltLength: number, icvLength: number): Floor =>
  (key, plaintext) => {
    const secret = key.subarray(0, -saltLength);
    const nonce = new Uint8Array(saltLength + 8);
    nonce.set(key.subarray(-saltLength));
    const header = new Uint8Array(8);
    const options = { authTagLength: icvLength };
    const length = { plaintextLength: plaintext.length };
    // All three kinds are used alike; the types of node:crypto tell them apart.
    const type = algorithm as CipherGCMTypes;
    return () => {
      nonce[nonce.length - 1]!++ || nonce[nonce.length - 2]!++;
      const cipher: CipherGCM = createCipheriv(type, secret, nonce, options);
      cipher.setAAD(header, length);
      const ciphertext = cipher.update(plaintext);
      cipher.final();
      const decipher: DecipherGCM = createDecipheriv(type, secret, nonce, options);
      decipher.setAuthTag(cipher.getAuthTag());
      decipher.setAAD(header, length);
      decipher.update(ciphertext);
      decipher.final();
    };
  };

const nodeCbc =
  (bits: number, hash: string): Floor =>
  (key, plaintext) => {
    const secret = key.subarray(0, bits / 8);
    const macKey = key.subarray(bits / 8);
    const header = new Uint8Array(8);
    const counter = new Uint8Array(16);
    const icv = (...chunks: Uint8Array[]): void => {
      const mac = createHmac(hash, macKey);
      for (const chunk of chunks) mac.update(chunk);
      mac.digest();
    };
    return () => {
      counter[15]!++ || counter[14]!++;
      const iv = createCipheriv(`aes-${bits}-ecb`, secret, null).setAutoPadding(false).update(counter);
      const ciphertext = createCipheriv(`aes-${bits}-cbc`, secret, iv)
        .setAutoPadding(false)
        .update(plaintext);
      icv(header, iv, ciphertext);
      icv(header, iv, ciphertext);
      createDecipheriv(`aes-${bits}-cbc`, secret, iv).setAutoPadding(false).update(ciphertext);
    };
  };

const nodeChacha = nodeAead("chacha20-poly1305", 4, 16);

const CASES: readonly (readonly [name: string, cipher: Cipher, noble: Floor, node: Floor])[] = [
  ["ChaCha20-Poly1305", chacha20Poly1305, aeadFloor(chacha20poly1305, 32, true), nodeChacha],
  [
    "ChaCha20-Poly1305, implicit IV",
    implicitIv(chacha20Poly1305),
    aeadFloor(chacha20poly1305, 32, true),
    nodeChacha,
  ],
  ["AES-GCM-128", aesGcm(128), aeadFloor(gcm, 16, false), nodeAead("aes-128-gcm", 4, 16)],
  ["AES-GCM-256", aesGcm(256), aeadFloor(gcm, 32, false), nodeAead("aes-256-gcm", 4, 16)],
  ["AES-CCM-8-128", aesCcm(128, 8), ccmFloor, nodeAead("aes-128-ccm", 3, 8)],
  [
    "AES-CBC-128, HMAC-SHA2-256-128",
    aesCbc(128, hmacSha256_128),
    cbcFloor(sha256, 16),
    nodeCbc(128, "sha256"),
  ],
  [
    "AES-CBC-256, HMAC-SHA2-512-256",
    aesCbc(256, hmacSha512_256),
    cbcFloor(sha512, 32),
    nodeCbc(256, "sha512"),
  ],
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

export function espWorks(): EspWork[] {
  return CASES.flatMap(([name, cipher, noble, node]) =>
    PACKET_LENGTHS.map((length) => {
      const key = octets(cipher.keyLength + cipher.integrityKeyLength, name);
      const block = Math.max(4, cipher.blockLength);
      const plaintext = new Uint8Array(Math.ceil((length + 2) / block) * block);
      return {
        name: `${name}, ${length} octets`,
        ours: espRound(cipher, key, innerPacket(length)),
        noble: noble(key, plaintext),
        node: node(key, plaintext),
        approximate: noble === ccmFloor,
      };
    }),
  );
}
