/** What host and device have in common: the profile less the key exchange and the pre-shared key. */

import { fqdn, host, net, type Profile } from "ikelet";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { sha1 } from "ikelet/crypto/sha1.js";
import { type Nat, nat } from "ikelet/nat.js";
import { resumption } from "ikelet/resumption.js";

/** ESP from a program goes inside of UDP: the gateway has to believe in a NAT, and all goes to port 4500. */
export function makeTraversal(gateway: string): Nat {
  const remote = { address: Uint8Array.from(gateway.split("."), Number), port: 4500 };
  return nat({ sha1, remote, force: true });
}

export function makeProfile(traversal: Nat): Profile {
  return {
    suite: { cipher: chacha20Poly1305, prf: hmacSha256 },
    local: fqdn("sensor-7.example"),
    remote: fqdn("gw.example"),
    child: {
      cipher: chacha20Poly1305,
      mode: "tunnel",
      local: host([10, 1, 0, 7]),
      remote: net([10, 99, 0, 0], 16),
    },
    extensions: [traversal, resumption()],
  };
}
