/** No device: a host that makes the full handshake in the place of one that can only resume. */

import { ascii, initiate, type Profile } from "ikelet";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import { INITIATE } from "../commands.ts";
import { PSK } from "../parties.ts";
import { type Memory, makeProfile, obey, take } from "./device.ts";

const profile: Profile = {
  ...makeProfile({ cipher: aesGcm(128), prf: hmacSha256, keyExchange: x25519 }),
  psk: ascii(PSK),
};
const memory: Memory = {};

export function command(octets: Uint8Array): Uint8Array {
  return octets[0] === INITIATE
    ? take(memory, initiate(profile, octets.subarray(1)))
    : obey(profile, memory, octets);
}
