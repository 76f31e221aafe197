/**
 * A stand-in for the module `crypt` of the Moddable SDK 8.2, on node:crypto, as its C source has it. What the types
 * of the provider do not show, this does at run time: keys, blocks and counters must be whole ArrayBuffers, a
 * BlockCipher looks at the first block only, and a digest is spent once it is closed.
 */

import { createCipheriv, createDecipheriv, createHash } from "node:crypto";

const NAMES = ["MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"];

/** `xsmcToArrayBuffer`: takes no view. */
function wholeBuffer(value: unknown): Buffer {
  if (!(value instanceof ArrayBuffer)) throw new TypeError("expected ArrayBuffer");
  return Buffer.from(value);
}

/** `xsmcGetBufferReadable`: takes views as well. */
function readable(value: unknown): Buffer {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return wholeBuffer(value);
}

function arrayBuffer(octets: Uint8Array): ArrayBuffer {
  return new Uint8Array(octets).buffer;
}

export class Digest {
  readonly #type: string;
  #chunks: Buffer[] = [];
  #spent = false;

  constructor(type: string) {
    if (!NAMES.includes(type)) throw new Error("crypt: unsupported digest");
    this.#type = type;
  }

  write(data: unknown): void {
    if (this.#spent) throw new Error("the native code would go on from what is left of the state");
    this.#chunks.push(Buffer.from(typeof data === "string" ? Buffer.from(data) : readable(data)));
  }

  close(more?: boolean): ArrayBuffer {
    this.#spent = !more;
    return arrayBuffer(createHash(this.#type).update(Buffer.concat(this.#chunks)).digest());
  }

  reset(): void {
    this.#chunks = [];
    this.#spent = false;
  }
}

type MakeCipher = (
  name: string,
  key: Buffer,
  iv: null,
) => { setAutoPadding(on: boolean): { update(data: Buffer): Buffer } };

export class BlockCipher {
  readonly #key: Buffer;

  constructor(cipher: string, key: unknown) {
    if (cipher !== "AES") throw new Error("unsupported cipher");
    this.#key = Buffer.from(wholeBuffer(key));
    if (![16, 24, 32].includes(this.#key.length)) throw new Error("bad key size");
  }

  encrypt(data: unknown, result?: ArrayBuffer): ArrayBuffer {
    return this.#process(createCipheriv, data, result);
  }

  decrypt(data: unknown, result?: ArrayBuffer): ArrayBuffer {
    return this.#process(createDecipheriv, data, result);
  }

  #process(make: MakeCipher, data: unknown, result = new ArrayBuffer(16)): ArrayBuffer {
    const block = wholeBuffer(data).subarray(0, 16);
    if (wholeBuffer(result).length < 16) throw new Error("buffer too small");
    if (block.length < 16) throw new Error("bad size");
    const cipher = make(`aes-${this.#key.length * 8}-ecb`, this.#key, null).setAutoPadding(false);
    new Uint8Array(result).set(cipher.update(block));
    return result;
  }
}

export class Mode {
  readonly #cipher: Pick<BlockCipher, "encrypt">;
  /** Of 128 bits, as `ctr_setIV` has it: what is shorter stands at the end. */
  #counter: bigint;
  #pad = Buffer.alloc(0);

  constructor(mode: string, cipher: Pick<BlockCipher, "encrypt">, iv?: unknown) {
    if (mode !== "CTR") throw new Error("unsupported mode");
    this.#cipher = cipher;
    this.#counter = iv ? BigInt(`0x${wholeBuffer(iv).toString("hex")}`) : 0n;
  }

  encrypt(data: unknown): ArrayBuffer {
    const output = Buffer.from(readable(data));
    for (let i = 0; i < output.length; i++) {
      if (!this.#pad.length) {
        const counter = Buffer.from(this.#counter.toString(16).padStart(32, "0"), "hex");
        this.#pad = Buffer.from(this.#cipher.encrypt(arrayBuffer(counter)));
        this.#counter = BigInt.asUintN(128, this.#counter + 1n);
      }
      output[i]! ^= this.#pad[0]!;
      this.#pad = this.#pad.subarray(1);
    }
    return arrayBuffer(output);
  }
}

/** Bit 0 is the coefficient of x^127: the octets as one big number. */
function multiply(x: bigint, y: bigint): bigint {
  let z = 0n;
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) z ^= y;
    y = (y >> 1n) ^ (y & 1n ? 0xe1n << 120n : 0n);
  }
  return z;
}

export class GHASH {
  readonly #h: bigint;
  readonly #lengthA: number;
  #lengthC = 0;
  #y = 0n;

  constructor(h: unknown, aad?: unknown) {
    this.#h = BigInt(`0x${wholeBuffer(h).toString("hex")}`);
    this.#lengthA = aad ? wholeBuffer(aad).length : 0;
    if (aad) this.#absorb(wholeBuffer(aad));
  }

  /** Fills what it gets up to whole blocks, each time. */
  write(data: unknown): void {
    const octets = readable(data);
    this.#lengthC += octets.length;
    this.#absorb(octets);
  }

  close(): ArrayBuffer {
    this.#y ^= (BigInt(this.#lengthA * 8) << 64n) | BigInt(this.#lengthC * 8);
    this.#y = multiply(this.#y, this.#h);
    return arrayBuffer(Buffer.from(this.#y.toString(16).padStart(32, "0"), "hex"));
  }

  #absorb(octets: Buffer): void {
    for (let at = 0; at < octets.length; at += 16) {
      const block = octets
        .subarray(at, at + 16)
        .toString("hex")
        .padEnd(32, "0");
      this.#y = multiply(this.#y ^ BigInt(`0x${block}`), this.#h);
    }
  }
}
