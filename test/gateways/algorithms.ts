// From the lab's words to the library's algorithms.

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
import { modp2048 } from "ikelet/crypto/modp2048.js";
import { p256 } from "ikelet/crypto/p256.js";
import { p384 } from "ikelet/crypto/p384.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import type { Cipher as CipherWord, EspProposal, Group, Hash, IkeProposal } from "./config.ts";

const integrities: Record<Hash, Integrity> = {
  sha256: hmacSha256_128,
  sha384: hmacSha384_192,
  sha512: hmacSha512_256,
};
const prfs: Record<IkeProposal["prf"], Prf> = {
  sha256: hmacSha256,
  sha384: hmacSha384,
  sha512: hmacSha512,
  cmac: aesCmac,
};
const groups: Record<Group, KeyExchange> = { 14: modp2048, 19: p256, 20: p384, 31: x25519 };
const ciphers: Record<CipherWord, (integrity: Hash) => Cipher> = {
  chacha20poly1305: () => chacha20Poly1305,
  aes128gcm16: () => aesGcm(128),
  aes256gcm16: () => aesGcm(256),
  aes128ccm8: () => aesCcm(128, 8),
  aes256ccm8: () => aesCcm(256, 8),
  aes128ccm16: () => aesCcm(128, 16),
  aes256ccm16: () => aesCcm(256, 16),
  aes128cbc: (integrity) => aesCbc(128, integrities[integrity]),
  aes256cbc: (integrity) => aesCbc(256, integrities[integrity]),
};

export const suiteOf = ({ cipher, integrity, prf, group }: IkeProposal): Suite => ({
  cipher: ciphers[cipher](integrity!),
  prf: prfs[prf],
  keyExchange: groups[group],
});

export const espCipherOf = ({ cipher, integrity }: EspProposal): Cipher => ciphers[cipher](integrity!);

export const ikeName = ({ cipher, integrity, prf, group }: IkeProposal): string =>
  [cipher, integrity && `hmac-${integrity}`, `prf-${prf}`, `group${group}`].filter(Boolean).join(" ");

export const espName = ({ cipher, integrity, esn }: EspProposal): string =>
  [cipher, integrity && `hmac-${integrity}`, esn && "esn"].filter(Boolean).join(" ");
