/** Who and where the device is. In a product, all but the algorithms is written to flash when it is made. */

import { ascii, fqdn, host, net, type Profile } from "ikelet";
import { prfHmac } from "ikelet/crypto/prf-hmac.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import { type Nat, nat } from "ikelet/nat.js";
import { type ModdableCrypt, moddableDigest, moddableGcm } from "ikelet/providers/moddable.js";
import { resumption } from "ikelet/resumption.js";

export const GATEWAY = "192.168.1.1";
export const ECHO_TARGET = [10, 99, 0, 1];
export const SLEEP_SECONDS = 600;

/** ESP from a program goes inside of UDP: the gateway has to believe in a NAT, and all goes to port 4500. */
export function makeTraversal({ Digest }: ModdableCrypt, gateway: string): Nat {
  const address = new Uint8Array(gateway.split(".").map(Number));
  return nat({ sha1: moddableDigest(Digest, "SHA1"), remote: { address, port: 4500 }, force: true });
}

/** AES, GHASH and SHA-2 are the SDK's own; only X25519, which it does not have, is noble's. */
export function makeProfile(crypt: ModdableCrypt, traversal: Nat): Profile {
  const cipher = moddableGcm(crypt, 128);
  return {
    suite: { cipher, prf: prfHmac(moddableDigest(crypt.Digest, "SHA256"), 256), keyExchange: x25519 },
    local: fqdn("sensor-7.example"),
    remote: fqdn("gw.example"),
    psk: ascii("correct horse battery staple"),
    child: {
      cipher,
      mode: "tunnel",
      local: host([10, 1, 0, 7]),
      remote: net([10, 99, 0, 0], 16),
    },
    extensions: [traversal, resumption()],
  };
}
