// ESP (RFC 4303) with the keys of a Child SA: seal, open, replay window.

import { type Bytes, concat, EMPTY, equal, readU32, u32, u64 } from "./bytes.ts";
import type { DirectionKeys } from "./keys.ts";
import type { Child } from "./state.ts";
import { type ChildSuite, protectorOf } from "./suites.ts";

/** One direction of a Child SA. */
export interface EspDirection {
  spi: Bytes;
  suite: ChildSuite;
  keys: DirectionKeys;
}

export function towardsDevice(child: Child): EspDirection {
  return { spi: child.spiI, suite: child.suite, keys: child.keyR2I };
}

export function towardsGateway(child: Child): EspDirection {
  return { spi: child.spiR, suite: child.suite, keys: child.keyI2R };
}

export interface EspChoices {
  /** Explicit IV; the sequence number if left out, which will do for an AEAD, not for CBC. */
  iv?: Bytes;
  /** Octets of padding in place of the fewest. */
  padLength?: number;
  /** Content of the padding; 1, 2, 3 … if left out (section 2.4). */
  padOctet?: (index: number) => number;
  /** In place of the true Pad Length octet. */
  padLengthOctet?: number;
}

/** `sequence` is the whole number, of 64 bits with ESN. */
export function sealEsp(
  direction: EspDirection,
  sequence: number,
  payload: Bytes,
  nextHeader: number,
  choices: EspChoices = {},
): Bytes {
  const { cipher, integ } = protectorOf(direction.suite);
  const align = Math.max(4, cipher.block);
  const fewest = (align - ((payload.length + 2) % align)) % align;
  const padLength = choices.padLength ?? fewest;
  const padding = Uint8Array.from({ length: padLength }, (_, i) => choices.padOctet?.(i) ?? i + 1);
  const trailer = concat(padding, Uint8Array.of(choices.padLengthOctet ?? padLength, nextHeader));
  const iv = cipher.ivLength > 0 ? (choices.iv ?? ivOf(sequence, cipher.ivLength)) : EMPTY;
  const nonceIv = cipher.ivLength > 0 ? iv : u64(sequence); // RFC 8750 section 4
  const plaintext = concat(payload, trailer);
  const aad = aadOf(direction, sequence);
  const ciphertext = cipher.encrypt(direction.keys.encryption, nonceIv, plaintext, aad);
  const packet = concat(direction.spi, u32(sequence % 2 ** 32), iv, ciphertext);
  return integ
    ? concat(packet, integ.compute(direction.keys.integrity, packet, highOf(direction, sequence)))
    : packet;
}

export interface OpenedEsp {
  sequence: number;
  iv: Bytes;
  payload: Bytes;
  padding: Bytes;
  nextHeader: number;
}

/** `high` are the upper 32 bits of the sequence number with ESN, which are not sent. */
export function openEsp(direction: EspDirection, packet: Bytes, high = 0): OpenedEsp | undefined {
  const { cipher, integ } = protectorOf(direction.suite);
  const icvLength = integ?.icvLength ?? 0;
  if (packet.length < 8 + cipher.ivLength + cipher.tagLength + icvLength + 2) return undefined;
  if (!equal(packet.slice(0, 4), direction.spi)) return undefined;
  const sequence = high * 2 ** 32 + readU32(packet, 4);
  const end = packet.length - icvLength;
  if (integ) {
    const icv = integ.compute(direction.keys.integrity, packet.slice(0, end), highOf(direction, sequence));
    if (!equal(icv, packet.slice(end))) return undefined;
  }
  const iv = packet.slice(8, 8 + cipher.ivLength);
  const nonceIv = cipher.ivLength > 0 ? iv : u64(sequence);
  const sealed = packet.slice(8 + cipher.ivLength, end);
  const plaintext = cipher.decrypt(direction.keys.encryption, nonceIv, sealed, aadOf(direction, sequence));
  if (!plaintext || plaintext.length < 2) return undefined;
  const padLength = plaintext[plaintext.length - 2] as number;
  const length = plaintext.length - 2 - padLength;
  if (length < 0) return undefined;
  return {
    sequence,
    iv,
    payload: plaintext.slice(0, length),
    padding: plaintext.slice(length, length + padLength),
    nextHeader: plaintext[plaintext.length - 1] as number,
  };
}

/** SPI ‖ SN, or SPI ‖ 64 bits with ESN (RFC 4106 section 5). */
function aadOf(direction: EspDirection, sequence: number): Bytes {
  return concat(direction.spi, direction.suite.esn ? u64(sequence) : u32(sequence));
}

/** The upper half belongs to the ICV of a separate algorithm, but is not sent (RFC 4303 section 3.3.2.1). */
function highOf(direction: EspDirection, sequence: number): Bytes {
  return direction.suite.esn ? u64(sequence).slice(0, 4) : EMPTY;
}

function ivOf(sequence: number, length: number): Bytes {
  return concat(new Uint8Array(length - 8), u64(sequence));
}

/** RFC 4303 section 3.4.3, as a list of what was seen: slow, and plain to see that it is right. */
export class ReplayWindow {
  size: number;
  highest = 0;
  seen = new Set<number>();

  constructor(size = 64) {
    this.size = size;
  }

  isFresh(sequence: number): boolean {
    return sequence > 0 && sequence > this.highest - this.size && !this.seen.has(sequence);
  }

  /** Only after the packet has verified. */
  accept(sequence: number): void {
    this.seen.add(sequence);
    this.highest = Math.max(this.highest, sequence);
  }
}
