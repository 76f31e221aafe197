/** The algorithms, each with its numbers as the RFCs have them. */

import type { Profile } from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCcm } from "ikelet/crypto/aes-ccm.js";
import { aesCmac } from "ikelet/crypto/aes-cmac.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { Cipher, KeyExchange, Prf } from "ikelet/crypto/contracts.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { hmacSha384 } from "ikelet/crypto/hmac-sha384.js";
import { hmacSha384_192 } from "ikelet/crypto/hmac-sha384-192.js";
import { hmacSha512 } from "ikelet/crypto/hmac-sha512.js";
import { hmacSha512_256 } from "ikelet/crypto/hmac-sha512-256.js";
import { modp2048 } from "ikelet/crypto/modp2048.js";
import { p256 } from "ikelet/crypto/p256.js";
import { p384 } from "ikelet/crypto/p384.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import { makeProfile } from "./harness.ts";

/** ENCR, Key Length attribute, INTEG; octets of the key, salt, integrity key, IV and ICV. */
export interface CipherNumbers {
  readonly name: string;
  readonly cipher: Cipher;
  readonly encr: number;
  readonly keyBits: number;
  readonly integ: number;
  readonly key: number;
  readonly salt: number;
  readonly integKey: number;
  readonly iv: number;
  readonly icv: number;
}

function row(name: string, cipher: Cipher, ...n: number[]): CipherNumbers {
  const [encr, keyBits, integ, key, salt, integKey, iv, icv] = n as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { name, cipher, encr, keyBits, integ, key, salt, integKey, iv, icv };
}

export const AEADS: readonly CipherNumbers[] = [
  row("ChaCha20-Poly1305", chacha20Poly1305, 28, 0, 0, 32, 4, 0, 8, 16),
  row("AES-GCM-128", aesGcm(128), 20, 128, 0, 16, 4, 0, 8, 16),
  row("AES-GCM-256", aesGcm(256), 20, 256, 0, 32, 4, 0, 8, 16),
  row("AES-CCM-8-128", aesCcm(128, 8), 14, 128, 0, 16, 3, 0, 8, 8),
  row("AES-CCM-8-256", aesCcm(256, 8), 14, 256, 0, 32, 3, 0, 8, 8),
  row("AES-CCM-16-128", aesCcm(128, 16), 16, 128, 0, 16, 3, 0, 8, 16),
  row("AES-CCM-16-256", aesCcm(256, 16), 16, 256, 0, 32, 3, 0, 8, 16),
];

export const CBCS: readonly CipherNumbers[] = [
  row("AES-CBC-128, HMAC-SHA2-256-128", aesCbc(128, hmacSha256_128), 12, 128, 12, 16, 0, 32, 16, 16),
  row("AES-CBC-256, HMAC-SHA2-256-128", aesCbc(256, hmacSha256_128), 12, 256, 12, 32, 0, 32, 16, 16),
  row("AES-CBC-128, HMAC-SHA2-384-192", aesCbc(128, hmacSha384_192), 12, 128, 13, 16, 0, 48, 16, 24),
  row("AES-CBC-256, HMAC-SHA2-512-256", aesCbc(256, hmacSha512_256), 12, 256, 14, 32, 0, 64, 16, 32),
];

export const CIPHERS: readonly CipherNumbers[] = [...AEADS, ...CBCS];

export const PRFS: readonly { name: string; prf: Prf; id: number; length: number; hash?: string }[] = [
  { name: "HMAC-SHA2-256", prf: hmacSha256, id: 5, length: 32, hash: "sha256" },
  { name: "HMAC-SHA2-384", prf: hmacSha384, id: 6, length: 48, hash: "sha384" },
  { name: "HMAC-SHA2-512", prf: hmacSha512, id: 7, length: 64, hash: "sha512" },
  { name: "AES-CMAC", prf: aesCmac, id: 8, length: 16 },
];

/** Octets of the public value and of the KE payload (RFC 7296 section 3.4, RFC 5903, RFC 8031). */
export const GROUPS: readonly { name: string; keyExchange: KeyExchange; id: number; length: number }[] = [
  { name: "X25519", keyExchange: x25519, id: 31, length: 32 },
  { name: "P-256", keyExchange: p256, id: 19, length: 64 },
  { name: "P-384", keyExchange: p384, id: 20, length: 96 },
  { name: "MODP-2048", keyExchange: modp2048, id: 14, length: 256 },
];

/** A profile with one cipher for the IKE SA and the Child SA. */
export function withCipher(cipher: Cipher): Pick<Profile, "suite" | "child"> {
  const { suite, child } = makeProfile();
  return { suite: { ...suite, cipher }, child: { ...child, cipher } };
}

export function withPrf(prf: Prf): Pick<Profile, "suite"> {
  return { suite: { ...makeProfile().suite, prf } };
}

export function withKeyExchange(keyExchange: KeyExchange): Pick<Profile, "suite"> {
  return { suite: { ...makeProfile().suite, keyExchange } };
}
