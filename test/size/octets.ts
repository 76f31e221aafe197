/** The smallest requests, measured on the wire: no extension, nonce of 16 octets, identity of 4 octets. */

import { type Cipher, entropyLength, initiate, keyId, receive } from "ikelet";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import { makeGateway, makeProfile, octets } from "../initiator/harness.ts";
import { KEY_ID, type OctetsOnTheWire } from "./report.ts";

function requests(cipher: Cipher): [number, number] {
  const { remote: _, ...profile } = makeProfile({ local: keyId(new Uint8Array([1, 2, 3, 4])) });
  const suite = { ...profile.suite, cipher };
  const small = { ...profile, suite, child: { ...profile.child, cipher } };
  const gateway = makeGateway({ remote: { type: KEY_ID, data: new Uint8Array([1, 2, 3, 4]) } });
  const first = initiate(small, octets(entropyLength(small)));
  const [response] = gateway.receive(first.send[0]!);
  const second = receive(small, first.session, response!);
  return [first.send[0]!.length, second.send[0]!.length];
}

export function smallestRequests(): OctetsOnTheWire[] {
  const [chachaInit, chachaAuth] = requests(chacha20Poly1305);
  const [gcmInit, gcmAuth] = requests(aesGcm(128));
  return [
    { name: "IKE_SA_INIT request, ChaCha20-Poly1305", value: chachaInit, budget: 124 },
    { name: "IKE_AUTH request, ChaCha20-Poly1305", value: chachaAuth, budget: 189 },
    { name: "IKE_SA_INIT request, AES-GCM", value: gcmInit, budget: 128 },
    { name: "IKE_AUTH request, AES-GCM", value: gcmAuth, budget: 193 },
  ];
}
