// Key exchange methods (RFC 7296 section 3.4, RFC 5903, RFC 8031), on node:crypto.

import {
  createDiffieHellman,
  createDiffieHellmanGroup,
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from "node:crypto";
import { type Bytes, concat, fromHex, isZero, leftPad, plain } from "./bytes.ts";
import type { Random } from "./random.ts";

export interface KeyPair {
  secret: Bytes;
  publicValue: Bytes;
}

export interface Group {
  id: number;
  /** Octets of the public value in the KE payload. */
  length: number;
  generate(random: Random): KeyPair;
  publicValue(secret: Bytes): Bytes;
  /** g^ir as the key derivation takes it; undefined for a public value that is not one. */
  sharedSecret(secret: Bytes, peer: Bytes): Bytes | undefined;
}

export function groupOf(id: number): Group | undefined {
  if (id === 31) return x25519;
  if (id === 19) return ecp(19, "prime256v1", 32);
  if (id === 20) return ecp(20, "secp384r1", 48);
  if (id === 14) return modp(14, "modp14", 256);
  return undefined;
}

// DER prefixes of PKCS #8 and SubjectPublicKeyInfo, before the 32 raw octets (RFC 8410).
const PKCS8 = fromHex("302e020100300506032b656e04220420");
const SPKI = fromHex("302a300506032b656e032100");

function x25519PrivateKey(secret: Bytes) {
  return createPrivateKey({ key: Buffer.from(concat(PKCS8, secret)), format: "der", type: "pkcs8" });
}

const x25519: Group = {
  id: 31,
  length: 32,
  generate(random) {
    const secret = random(32);
    return { secret, publicValue: this.publicValue(secret) };
  },
  publicValue(secret) {
    const spki = createPublicKey(x25519PrivateKey(secret)).export({ format: "der", type: "spki" });
    return plain(spki.subarray(SPKI.length));
  },
  sharedSecret(secret, peer) {
    if (peer.length !== 32) return undefined;
    const publicKey = createPublicKey({ key: Buffer.from(concat(SPKI, peer)), format: "der", type: "spki" });
    try {
      const shared = plain(diffieHellman({ privateKey: x25519PrivateKey(secret), publicKey }));
      return isZero(shared) ? undefined : shared;
    } catch {
      return undefined; // OpenSSL refuses points of small order
    }
  },
};

/** The public value is x ‖ y, the shared secret x alone (RFC 5903 section 7). */
function ecp(id: number, curve: string, size: number): Group {
  const withSecret = (secret: Bytes) => {
    const ecdh = createECDH(curve);
    ecdh.setPrivateKey(secret);
    return ecdh;
  };
  return {
    id,
    length: 2 * size,
    generate(random) {
      for (;;) {
        const secret = random(size);
        try {
          return { secret, publicValue: this.publicValue(secret) };
        } catch {
          // Not below the order of the group: draw again.
        }
      }
    },
    publicValue: (secret) => plain(withSecret(secret).getPublicKey().subarray(1)),
    sharedSecret(secret, peer) {
      if (peer.length !== 2 * size) return undefined;
      try {
        return leftPad(withSecret(secret).computeSecret(concat(Uint8Array.of(4), peer)), size);
      } catch {
        return undefined;
      }
    },
  };
}

/** Both values are left-padded to the length of the prime (RFC 7296 section 2.14). */
function modp(id: number, name: string, size: number): Group {
  const withSecret = (secret: Bytes) => {
    const dh = createDiffieHellman(createDiffieHellmanGroup(name).getPrime(), 2);
    dh.setPrivateKey(Buffer.from(secret));
    dh.generateKeys();
    return dh;
  };
  return {
    id,
    length: size,
    generate(random) {
      const secret = random(32);
      return { secret, publicValue: this.publicValue(secret) };
    },
    publicValue: (secret) => leftPad(withSecret(secret).getPublicKey(), size),
    sharedSecret(secret, peer) {
      if (peer.length !== size) return undefined;
      try {
        return leftPad(withSecret(secret).computeSecret(peer), size);
      } catch {
        return undefined; // 0, 1, p - 1 and beyond (RFC 6989 section 2.1)
      }
    },
  };
}
