/** Who and where the device is; with the first ticket, all that it needs to know. */

import { fqdn, host, net, type Profile } from "ikelet";
import { gcm } from "ikelet/crypto/gcm.js";
import { prfHmac } from "ikelet/crypto/prf-hmac.js";
import { type Nat, nat } from "ikelet/nat.js";
import { type EspruinoCrypto, espruinoAes, espruinoDigest } from "ikelet/providers/espruino.js";
import { resumption } from "ikelet/resumption.js";

export const GATEWAY = [192, 168, 1, 1];
export const ECHO_TARGET = [10, 99, 0, 1];
export const SLEEP_SECONDS = 600;

/** ESP from a program goes inside of UDP: the gateway has to believe in a NAT, and all goes to port 4500. */
export function makeTraversal(crypto: EspruinoCrypto): Nat {
  const remote = { address: new Uint8Array(GATEWAY), port: 4500 };
  return nat({ sha1: espruinoDigest(crypto.SHA1), remote, force: true });
}

/** No key exchange and no pre-shared key: the host that commissions the device has these. */
export function makeProfile(crypto: EspruinoCrypto, traversal: Nat): Profile {
  const cipher = gcm(espruinoAes(crypto.AES), 128);
  return {
    suite: { cipher, prf: prfHmac(espruinoDigest(crypto.SHA256), 256) },
    local: fqdn("badge-7.example"),
    remote: fqdn("gw.example"),
    child: {
      cipher,
      mode: "tunnel",
      local: host([10, 1, 0, 7]),
      remote: net([10, 99, 0, 0], 16),
    },
    extensions: [traversal, resumption()],
  };
}
