/** Every algorithm of ikelet by name: `chacha20poly1305-sha256-x25519`, `aes256-sha256-p256`. */

import type { Cipher, Integrity, KeyExchange, Prf, Suite } from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCcm } from "ikelet/crypto/aes-ccm.js";
import { aesCmac } from "ikelet/crypto/aes-cmac.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { hmacSha384 } from "ikelet/crypto/hmac-sha384.js";
import { hmacSha384_192 } from "ikelet/crypto/hmac-sha384-192.js";
import { hmacSha512 } from "ikelet/crypto/hmac-sha512.js";
import { hmacSha512_256 } from "ikelet/crypto/hmac-sha512-256.js";
import { implicitIv } from "ikelet/crypto/implicit-iv.js";
import { modp2048 } from "ikelet/crypto/modp2048.js";
import { p256 } from "ikelet/crypto/p256.js";
import { p384 } from "ikelet/crypto/p384.js";
import { x25519 } from "ikelet/crypto/x25519.js";

const AEADS: Record<string, Cipher> = {
  chacha20poly1305: chacha20Poly1305,
  aes128gcm16: aesGcm(128),
  aes256gcm16: aesGcm(256),
  aes128ccm8: aesCcm(128, 8),
  aes256ccm8: aesCcm(256, 8),
  aes128ccm16: aesCcm(128, 16),
  aes256ccm16: aesCcm(256, 16),
};

/** AES-CBC, which needs an integrity algorithm beside it. */
const BLOCK_CIPHERS: Record<string, (integrity: Integrity) => Cipher> = {
  aes128: (integrity) => aesCbc(128, integrity),
  aes256: (integrity) => aesCbc(256, integrity),
};

/** A hash is the PRF, and beside AES-CBC the integrity algorithm as well. */
const PRFS: Record<string, Prf> = {
  sha256: hmacSha256,
  sha384: hmacSha384,
  sha512: hmacSha512,
  cmac: aesCmac,
};
const INTEGRITIES: Record<string, Integrity> = {
  sha256: hmacSha256_128,
  sha384: hmacSha384_192,
  sha512: hmacSha512_256,
};

const KEY_EXCHANGES: Record<string, KeyExchange> = { x25519, p256, p384, modp2048 };

const CIPHERS: Record<string, Cipher> = { ...AEADS };
for (const [name, make] of Object.entries(BLOCK_CIPHERS))
  for (const [hash, integrity] of Object.entries(INTEGRITIES)) CIPHERS[`${name}-${hash}`] = make(integrity);

/** The AEADs that can do without an IV on the wire, in ESP only (RFC 8750). */
const IMPLICIT: Record<string, Cipher> = {
  chacha20poly1305iiv: implicitIv(chacha20Poly1305),
  aes128gcm16iiv: implicitIv(aesGcm(128)),
  aes256gcm16iiv: implicitIv(aesGcm(256)),
  aes128ccm8iiv: implicitIv(aesCcm(128, 8)),
  aes256ccm8iiv: implicitIv(aesCcm(256, 8)),
};

/** For `--esp`. */
export function espOf(name: string): Cipher | undefined {
  const ciphers = { ...CIPHERS, ...IMPLICIT };
  return Object.hasOwn(ciphers, name) ? ciphers[name] : undefined;
}

const SUITES: Record<string, Suite> = {};
for (const [name, cipher] of Object.entries(CIPHERS))
  for (const [hash, prf] of Object.entries(PRFS))
    for (const [group, keyExchange] of Object.entries(KEY_EXCHANGES)) {
      if (!cipher.integrityId) SUITES[`${name}-${hash}-${group}`] = { cipher, prf, keyExchange };
      else if (name.endsWith(`-${hash}`)) SUITES[`${name}-${group}`] = { cipher, prf, keyExchange };
    }

/** For `--suite`. */
export function suiteOf(name: string): Suite | undefined {
  return Object.hasOwn(SUITES, name) ? SUITES[name] : undefined;
}

const either = (names: object): string => Object.keys(names).join(" | ");

/** What there is, for `--help`. */
export const SUITE_LIST = `\
  SUITE   AEAD-PRF-GROUP or AES-HASH-GROUP, ${Object.keys(SUITES).length} in all:
    AEAD  ${either(AEADS)}
    PRF   ${either(PRFS)}
    AES   ${either(BLOCK_CIPHERS)}
    HASH  ${either(INTEGRITIES)}
    GROUP ${either(KEY_EXCHANGES)}
  ESP     AEAD, AES-HASH or ${either(IMPLICIT)}`;
