/** The two ends of a Child SA: ours from a made-up event, the gateway's by the responder's independent ESP. */

import assert from "node:assert/strict";
import { type ChildSa, host, net, type TrafficSelector } from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCcm } from "ikelet/crypto/aes-ccm.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { Cipher } from "ikelet/crypto/contracts.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { hmacSha384_192 } from "ikelet/crypto/hmac-sha384-192.js";
import { hmacSha512_256 } from "ikelet/crypto/hmac-sha512-256.js";
import { implicitIv } from "ikelet/crypto/implicit-iv.js";
import type { Opened, OpenRefusal, Sealed } from "ikelet/esp.js";
import { type EspDirection, u32 } from "../responder/index.ts";

export const CIPHERS: readonly (readonly [name: string, cipher: Cipher])[] = [
  ["ChaCha20-Poly1305", chacha20Poly1305],
  ["ChaCha20-Poly1305, implicit IV", implicitIv(chacha20Poly1305)],
  ["AES-GCM-128", aesGcm(128)],
  ["AES-GCM-256", aesGcm(256)],
  ["AES-GCM-128, implicit IV", implicitIv(aesGcm(128))],
  ["AES-CCM-8-128", aesCcm(128, 8)],
  ["AES-CCM-16-256", aesCcm(256, 16)],
  ["AES-CCM-8-128, implicit IV", implicitIv(aesCcm(128, 8))],
  ["AES-CBC-128, HMAC-SHA2-256-128", aesCbc(128, hmacSha256_128)],
  ["AES-CBC-256, HMAC-SHA2-384-192", aesCbc(256, hmacSha384_192)],
  ["AES-CBC-256, HMAC-SHA2-512-256", aesCbc(256, hmacSha512_256)],
];

export const SPI_OUT = 0x01020304;
export const SPI_IN = 0xf1f2f3f4;

const LOCAL6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
const REMOTE6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1];

/** Octets that differ from place to place. */
export const pattern = (length: number, seed: number = 1): Uint8Array =>
  new Uint8Array(length).map((_, i) => seed * 31 + i * 7);

export function makeChild(cipher: Cipher, changes: Partial<ChildSa> = {}): ChildSa {
  const length = cipher.keyLength + cipher.integrityKeyLength;
  return {
    mode: "tunnel",
    esn: false,
    encryptionId: cipher.encryptionId,
    keyBits: cipher.keyBits,
    integrityId: cipher.integrityId,
    outbound: { spi: SPI_OUT, key: pattern(length, 1) },
    inbound: { spi: SPI_IN, key: pattern(length, 2) },
    local: [host([10, 1, 0, 7]), host(LOCAL6)],
    remote: [net([10, 99, 0, 0], 16), net(REMOTE6, 64)],
    ...changes,
  };
}

/** The gateway's view of one direction. */
export function gatewayDirection(cipher: Cipher, child: ChildSa, way: "outbound" | "inbound"): EspDirection {
  const { spi, key } = child[way];
  return {
    spi: u32(spi),
    suite: {
      encr: cipher.encryptionId,
      ...(cipher.keyBits ? { keyBits: cipher.keyBits } : {}),
      ...(cipher.integrityId ? { integ: cipher.integrityId } : {}),
      esn: child.esn ? 1 : 0,
    },
    keys: {
      encryption: new Uint8Array(key.subarray(0, cipher.keyLength)),
      integrity: new Uint8Array(key.subarray(cipher.keyLength)),
    },
  };
}

export interface Inner {
  readonly version?: 4 | 6;
  readonly protocol?: number;
  readonly source?: readonly number[];
  readonly destination?: readonly number[];
  /** What follows the IP header. */
  readonly data?: Uint8Array;
  /** IPv4: flags and fragment offset. */
  readonly fragment?: number;
}

export const LOCAL4: readonly number[] = [10, 1, 0, 7];
export const REMOTE4: readonly number[] = [10, 99, 3, 4];

/** An inner packet, by default from us to the network behind the gateway; `back` turns it round. */
export function innerPacket(
  {
    version = 4,
    protocol = 17,
    source = version === 4 ? LOCAL4 : LOCAL6,
    destination = version === 4 ? REMOTE4 : REMOTE6,
    data = pattern(20),
    fragment = 0,
  }: Inner = {},
  back: boolean = false,
): Uint8Array {
  const [from, to] = back ? [destination, source] : [source, destination];
  const total = (version === 4 ? 20 : 0) + data.length;
  const header =
    version === 4
      ? [0x45, 0, total >> 8, total & 255, 0, 0, fragment >> 8, fragment & 255, 64, protocol, 0, 0]
      : [0x60, 0, 0, 0, total >> 8, total & 255, protocol, 64];
  return new Uint8Array([...header, ...from, ...to, ...data]);
}

/** Two ports, and something behind them. */
export const ports = (source: number, destination: number): Uint8Array =>
  new Uint8Array([source >> 8, source & 255, destination >> 8, destination & 255, 0, 9, 0, 0, 42]);

export const selector = (
  base: TrafficSelector,
  protocol: number,
  startPort: number = 0,
  endPort: number = 0xffff,
): TrafficSelector => ({ ...base, protocol, startPort, endPort });

export function mustSeal(sealed: Sealed): Extract<Sealed, { packet: Uint8Array }> {
  assert.equal(sealed.reason, undefined, "seal refused");
  return sealed as Extract<Sealed, { packet: Uint8Array }>;
}

export function mustOpen(opened: Opened): Extract<Opened, { payload: Uint8Array }> {
  assert.equal(opened.reason, undefined, "open refused");
  return opened as Extract<Opened, { payload: Uint8Array }>;
}

export const reasonOf = (opened: Opened): OpenRefusal | "accepted" => opened.reason ?? "accepted";

export const toHex = (octets: Uint8Array | undefined): string =>
  octets === undefined ? "none" : Buffer.from(octets).toString("hex");

/** A small generator with a seed (xorshift), so that a run can be repeated. */
export function seeded(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
