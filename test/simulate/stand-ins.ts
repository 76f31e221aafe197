/**
 * Algorithms without any security, as long as the real ones in all that they make: the octets on the wire are those of
 * ChaCha20-Poly1305, HMAC-SHA2-256 and X25519, and a handshake takes microseconds. For a fleet in virtual time only.
 */

import type { Cipher, KeyExchange, Prf, Suite } from "ikelet/crypto/contracts.js";

const PRF_LENGTH = 32;
const ICV_LENGTH = 16;
const PUBLIC_LENGTH = 32;

interface Hash {
  readonly a: number;
  readonly b: number;
}

const EMPTY: Hash = { a: 0x811c9dc5, b: 0x9e3779b9 };

function absorb({ a, b }: Hash, chunk: Uint8Array): Hash {
  for (let i = 0; i < chunk.length; i++) {
    a = Math.imul(a ^ chunk[i]!, 0x01000193);
    b = Math.imul(b ^ chunk[i]! ^ (a >>> 15), 0x85ebca6b);
  }
  return { a, b };
}

function squeeze({ a, b }: Hash, length: number): Uint8Array {
  const octets = new Uint8Array(length);
  for (let i = 0; i < length; i += 4) {
    a = Math.imul(a ^ (a >>> 16) ^ i, 0x85ebca6b) + b;
    b = Math.imul(b ^ (b >>> 13), 0xc2b2ae35) ^ a;
    for (let j = 0; j < 4; j++) octets[i + j] = a >>> (8 * j);
  }
  return octets;
}

const prf: Prf = {
  transformId: 5,
  keyLength: PRF_LENGTH,
  outputLength: PRF_LENGTH,
  keyed: (key) => {
    const keyed = absorb(EMPTY, key);
    return (...chunks) => squeeze(chunks.reduce(absorb, keyed), PRF_LENGTH);
  },
};

function icv(...chunks: Uint8Array[]): Uint8Array {
  return squeeze(chunks.reduce(absorb, EMPTY), ICV_LENGTH);
}

const cipher: Cipher = {
  encryptionId: 28,
  keyBits: 0,
  integrityId: 0,
  keyLength: 36,
  integrityKeyLength: 0,
  ivLength: 8,
  icvLength: ICV_LENGTH,
  blockLength: 1,
  seal: (key, iv, associatedData, plaintext) => {
    const sealed = new Uint8Array(plaintext.length + ICV_LENGTH);
    sealed.set(plaintext);
    sealed.set(icv(key, iv, associatedData, plaintext), plaintext.length);
    return sealed;
  },
  open: (key, iv, associatedData, sealed) => {
    const plaintext = sealed.slice(0, -ICV_LENGTH);
    const wanted = icv(key, iv, associatedData, plaintext);
    return wanted.every((octet, i) => octet === sealed[plaintext.length + i]) ? plaintext : undefined;
  },
};

const keyExchange: KeyExchange = {
  transformId: 31,
  secretLength: PUBLIC_LENGTH,
  publicLength: PUBLIC_LENGTH,
  publicValue: (secret) => secret.map((octet) => octet ^ 0xa5),
  sharedSecret: (secret, peerValue) => secret.map((octet, i) => octet ^ 0xa5 ^ peerValue[i]!),
};

export const SUITE: Suite & { readonly keyExchange: KeyExchange } = { cipher, prf, keyExchange };
