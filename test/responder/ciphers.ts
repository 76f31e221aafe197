// Encryption algorithms (RFC 7296 section 3.3.2 type 1; RFC 3602, 4106, 4309, 5282, 7634, 8750), on node:crypto.

import { createCipheriv, createDecipheriv } from "node:crypto";
import { type Bytes, concat, plain } from "./bytes.ts";

export interface Cipher {
  id: number;
  /** Key Length attribute in bits, where the transform has one. */
  keyBits?: number;
  /** Octets of key and of salt; SK_e and KEYMAT hold key ‖ salt. */
  keyLength: number;
  saltLength: number;
  /** Octets of IV on the wire; 0 for the implicit IV of RFC 8750. */
  ivLength: number;
  /** 0: no AEAD, a separate integrity algorithm is needed. */
  tagLength: number;
  block: number;
  /** `key` is key ‖ salt; answers ciphertext ‖ tag. */
  encrypt(key: Bytes, iv: Bytes, plaintext: Bytes, aad: Bytes): Bytes;
  /** Answers undefined for a bad tag. */
  decrypt(key: Bytes, iv: Bytes, sealed: Bytes, aad: Bytes): Bytes | undefined;
}

interface AeadShape {
  name: "ccm" | "gcm" | "chacha20-poly1305";
  saltLength: number;
  ivLength: number;
  tagLength: number;
}

const AEADS: Record<number, AeadShape> = {
  14: { name: "ccm", saltLength: 3, ivLength: 8, tagLength: 8 },
  15: { name: "ccm", saltLength: 3, ivLength: 8, tagLength: 12 },
  16: { name: "ccm", saltLength: 3, ivLength: 8, tagLength: 16 },
  18: { name: "gcm", saltLength: 4, ivLength: 8, tagLength: 8 },
  19: { name: "gcm", saltLength: 4, ivLength: 8, tagLength: 12 },
  20: { name: "gcm", saltLength: 4, ivLength: 8, tagLength: 16 },
  28: { name: "chacha20-poly1305", saltLength: 4, ivLength: 8, tagLength: 16 },
  // Implicit IV, ESP only (RFC 8750 section 7)
  29: { name: "ccm", saltLength: 3, ivLength: 0, tagLength: 8 },
  30: { name: "gcm", saltLength: 4, ivLength: 0, tagLength: 16 },
  31: { name: "chacha20-poly1305", saltLength: 4, ivLength: 0, tagLength: 16 },
};

const AES_CBC = 12;
const NULL = 11;

/** Undefined where the transform is not one of ours, or its Key Length attribute is wrong or misplaced. */
export function cipherOf(id: number, keyBits: number | undefined): Cipher | undefined {
  const shape = AEADS[id];
  const fixedKey = id === NULL || shape?.name === "chacha20-poly1305";
  if (fixedKey ? keyBits !== undefined : keyBits !== 128 && keyBits !== 192 && keyBits !== 256) {
    return undefined;
  }
  if (shape) return aead(id, shape, keyBits);
  if (id === AES_CBC && keyBits !== undefined) return cbc(keyBits);
  if (id === NULL) return nullCipher();
  return undefined;
}

/** Nonce = salt ‖ IV: 11 octets for CCM, which makes its length field 4 octets (RFC 4309 section 2). */
function aead(id: number, shape: AeadShape, keyBits: number | undefined): Cipher {
  const { saltLength, ivLength, tagLength } = shape;
  const keyLength = keyBits === undefined ? 32 : keyBits / 8;
  // The three modes take the same calls; the type of one of them stands for all.
  const name = (keyBits === undefined ? shape.name : `aes-${keyBits}-${shape.name}`) as "aes-128-ccm";
  const nonceOf = (key: Bytes, iv: Bytes) => concat(key.slice(keyLength), iv);
  return {
    id,
    ...(keyBits === undefined ? {} : { keyBits }),
    keyLength,
    saltLength,
    ivLength,
    tagLength,
    block: 1,
    encrypt(key, iv, plaintext, aad) {
      const options = { authTagLength: tagLength };
      const cipher = createCipheriv(name, key.slice(0, keyLength), nonceOf(key, iv), options);
      cipher.setAAD(aad, { plaintextLength: plaintext.length });
      return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
    },
    decrypt(key, iv, sealed, aad) {
      if (sealed.length < tagLength) return undefined;
      const ciphertext = sealed.slice(0, sealed.length - tagLength);
      const options = { authTagLength: tagLength };
      const decipher = createDecipheriv(name, key.slice(0, keyLength), nonceOf(key, iv), options);
      try {
        decipher.setAuthTag(sealed.slice(sealed.length - tagLength));
        decipher.setAAD(aad, { plaintextLength: ciphertext.length });
        return concat(decipher.update(ciphertext), decipher.final());
      } catch {
        return undefined;
      }
    },
  };
}

function cbc(keyBits: number): Cipher {
  const name = `aes-${keyBits}-cbc`;
  return {
    id: AES_CBC,
    keyBits,
    keyLength: keyBits / 8,
    saltLength: 0,
    ivLength: 16,
    tagLength: 0,
    block: 16,
    encrypt(key, iv, plaintext) {
      const cipher = createCipheriv(name, key, iv).setAutoPadding(false);
      return concat(cipher.update(plaintext), cipher.final());
    },
    decrypt(key, iv, sealed) {
      if (sealed.length === 0 || sealed.length % 16 !== 0) return undefined;
      const decipher = createDecipheriv(name, key, iv).setAutoPadding(false);
      return concat(decipher.update(sealed), decipher.final());
    },
  };
}

/** ENCR_NULL, for ESP with an integrity algorithm only. */
function nullCipher(): Cipher {
  return {
    id: NULL,
    keyLength: 0,
    saltLength: 0,
    ivLength: 0,
    tagLength: 0,
    block: 1,
    encrypt: (_key, _iv, plaintext) => plain(plaintext),
    decrypt: (_key, _iv, sealed) => plain(sealed),
  };
}
