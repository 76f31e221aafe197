// Pseudorandom functions and integrity algorithms (RFC 4868, RFC 4615 on RFC 4493, RFC 4494), on node:crypto.

import { createCipheriv, createHmac } from "node:crypto";
import { type Bytes, concat, plain } from "./bytes.ts";

export interface Prf {
  id: number;
  /** Octets of output, and of the preferred key: the same for all of these. */
  length: number;
  /** RFC 7296 section 2.14: a PRF with keys of fixed size takes eight octets of each nonce. */
  fixedKey: boolean;
  compute(key: Bytes, ...data: readonly Bytes[]): Bytes;
}

export interface Integ {
  id: number;
  keyLength: number;
  icvLength: number;
  compute(key: Bytes, ...data: readonly Bytes[]): Bytes;
}

function hmac(hash: string, key: Bytes, data: readonly Bytes[]): Bytes {
  const mac = createHmac(hash, key);
  for (const part of data) mac.update(part);
  return plain(mac.digest());
}

const HMAC_PRFS: Record<number, [hash: string, length: number]> = {
  2: ["sha1", 20],
  5: ["sha256", 32],
  6: ["sha384", 48],
  7: ["sha512", 64],
};

const PRF_AES128_CMAC = 8;

export function prfOf(id: number): Prf | undefined {
  const shape = HMAC_PRFS[id];
  if (shape) {
    const [hash, length] = shape;
    return { id, length, fixedKey: false, compute: (key, ...data) => hmac(hash, key, data) };
  }
  if (id === PRF_AES128_CMAC) {
    return { id, length: 16, fixedKey: true, compute: (key, ...data) => aesCmacPrf(key, concat(...data)) };
  }
  return undefined;
}

const HMAC_INTEGS: Record<number, [hash: string, keyLength: number, icvLength: number]> = {
  2: ["sha1", 20, 12],
  12: ["sha256", 32, 16],
  13: ["sha384", 48, 24],
  14: ["sha512", 64, 32],
};

const AES_CMAC_96 = 8;

export function integOf(id: number): Integ | undefined {
  const shape = HMAC_INTEGS[id];
  if (shape) {
    const [hash, keyLength, icvLength] = shape;
    const compute = (key: Bytes, ...data: readonly Bytes[]) => hmac(hash, key, data).slice(0, icvLength);
    return { id, keyLength, icvLength, compute };
  }
  if (id === AES_CMAC_96) {
    const compute = (key: Bytes, ...data: readonly Bytes[]) => aesCmac(key, concat(...data)).slice(0, 12);
    return { id, keyLength: 16, icvLength: 12, compute };
  }
  return undefined;
}

/** RFC 4615 section 3. */
export function aesCmacPrf(key: Bytes, message: Bytes): Bytes {
  const fixed = key.length === 16 ? key : aesCmac(new Uint8Array(16), key);
  return aesCmac(fixed, message);
}

/** RFC 4493 section 2.4. */
export function aesCmac(key: Bytes, message: Bytes): Bytes {
  const encrypt = (block: Bytes) => plain(createCipheriv("aes-128-ecb", key, null).update(block));
  const k1 = doubled(encrypt(new Uint8Array(16)));
  const k2 = doubled(k1);
  const whole = message.length > 0 && message.length % 16 === 0;
  const blocks = Math.max(1, Math.ceil(message.length / 16));
  const padded = new Uint8Array(blocks * 16);
  padded.set(message);
  if (!whole) padded[message.length] = 0x80;
  let state: Bytes = new Uint8Array(16);
  for (let i = 0; i < blocks; i++) {
    let block = padded.slice(i * 16, i * 16 + 16);
    if (i === blocks - 1) block = xor(block, whole ? k1 : k2);
    state = encrypt(xor(state, block));
  }
  return state;
}

/** Multiplication by x in GF(2^128), for the subkeys. */
function doubled(block: Bytes): Bytes {
  const result = block.map((octet, i) => (octet << 1) | ((block[i + 1] ?? 0) >>> 7));
  if ((block[0] as number) & 0x80) result[15] = (result[15] as number) ^ 0x87;
  return result;
}

function xor(a: Bytes, b: Bytes): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(a, (octet, i) => octet ^ (b[i] as number));
}
