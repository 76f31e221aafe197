/**
 * A stand-in for the module `crypto` of Espruino 2v29, on node:crypto, as its C source has it: errors are printed, and
 * the function answers nothing; AES is in CBC mode unless told otherwise, its CTR has no IV, and its ECB leaves out
 * what is no whole block.
 */

import { createCipheriv, createDecipheriv, createHash } from "node:crypto";

/** What Espruino takes for octets: arrays, views and buffers, and strings with a character an octet. */
type Message = string | ArrayLike<number> | ArrayBuffer;

export interface EspruinoStandIn {
  /** What it would have printed. */
  readonly printed: string[];
  /** From now on there is no memory for results. */
  fail: boolean;
  SHA1(message: Message): ArrayBuffer | undefined;
  SHA256(message: Message): ArrayBuffer | undefined;
  SHA384(message: Message): ArrayBuffer | undefined;
  SHA512(message: Message): ArrayBuffer | undefined;
  readonly AES: {
    encrypt(message: Message, key: Message, options?: AesOptions): ArrayBuffer | undefined;
    decrypt(message: Message, key: Message, options?: AesOptions): ArrayBuffer | undefined;
  };
}

interface AesOptions {
  readonly iv?: Message;
  readonly mode?: string;
}

type MakeCipher = (
  name: string,
  key: Buffer,
  iv: Buffer | null,
) => { setAutoPadding(on: boolean): { update(data: Buffer): Buffer } };

function octets(message: Message): Buffer {
  if (typeof message === "string") return Buffer.from(message, "latin1");
  return message instanceof ArrayBuffer ? Buffer.from(message) : Buffer.from(Array.from(message));
}

export function makeEspruinoCrypto(): EspruinoStandIn {
  const printed: string[] = [];
  const result = (make: () => Uint8Array): ArrayBuffer | undefined => {
    try {
      if (standIn.fail) throw new Error("Not enough memory for result");
      return new Uint8Array(make()).buffer;
    } catch (error) {
      printed.push((error as Error).message);
      return undefined;
    }
  };
  const hash = (name: string) => (message: Message) =>
    result(() => createHash(name).update(octets(message)).digest());

  const aes =
    (make: MakeCipher) =>
    (message: Message, key: Message, options: AesOptions = {}): ArrayBuffer | undefined =>
      result(() => {
        const { mode = "CBC", iv } = options;
        const name = `aes-${octets(key).length * 8}-${mode.toLowerCase()}`;
        if (!["CBC", "CTR", "ECB"].includes(mode)) throw new Error("Feature unavailable");
        const input = octets(message);
        if (mode === "CBC" && input.length % 16) throw new Error("Invalid input length");
        const start = Buffer.alloc(16);
        if (mode === "CBC" && iv) octets(iv).copy(start);
        const cipher = make(name, octets(key), mode === "ECB" ? null : start).setAutoPadding(false);
        const output = Buffer.alloc(input.length);
        cipher.update(input).copy(output);
        return output;
      });
  const standIn: EspruinoStandIn = {
    printed,
    fail: false,
    SHA1: hash("sha1"),
    SHA256: hash("sha256"),
    SHA384: hash("sha384"),
    SHA512: hash("sha512"),
    AES: { encrypt: aes(createCipheriv), decrypt: aes(createDecipheriv) },
  };
  return standIn;
}
