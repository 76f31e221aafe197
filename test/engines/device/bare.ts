/**
 * The device of engines without BigInt: with a ticket from elsewhere it resumes, by the cryptography of its chip; and
 * it notices that its gateway has crashed.
 */

import "./es5.ts";
import type { Profile } from "ikelet";
import { gcm } from "ikelet/crypto/gcm.js";
import { prfHmac } from "ikelet/crypto/prf-hmac.js";
import { espruinoAes, espruinoDigest } from "ikelet/providers/espruino.js";
import { type Memory, makeProfile, obey } from "./device.ts";
import { AES, SHA256 } from "./native.ts";

const profile: Profile = makeProfile({
  cipher: gcm(espruinoAes(AES), 128),
  prf: prfHmac(espruinoDigest(SHA256), 256),
});
const memory: Memory = {};

export function command(octets: Uint8Array): Uint8Array {
  return obey(profile, memory, octets);
}
