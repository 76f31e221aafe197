/** The device of engines with BigInt: full handshake, resumption, crash detection, storage and ESP, all by noble. */

import { ascii, initiate, type Profile } from "ikelet";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import { type InboundSa, inboundSa, type OutboundSa, open, outboundSa, seal } from "ikelet/esp.js";
import { concat } from "ikelet/wire.js";
import { FORGET, INITIATE, OPEN, RESULT, SEAL } from "../commands.ts";
import { PSK } from "../parties.ts";
import { type Memory, makeProfile, obey, part, take } from "./device.ts";

const cipher = chacha20Poly1305;
const profile: Profile = {
  ...makeProfile({ cipher, prf: hmacSha256, keyExchange: x25519 }),
  psk: ascii(PSK),
};
let esp: { outbound: OutboundSa; inbound: InboundSa } | undefined;
const memory: Memory = {
  established: (child) => {
    esp = { outbound: outboundSa(child), inbound: inboundSa(child) };
  },
};

export function command(octets: Uint8Array): Uint8Array {
  const argument = octets.subarray(1);
  switch (octets[0]) {
    case INITIATE:
      return take(memory, initiate(profile, argument));
    case SEAL: {
      const sealed = seal(cipher, esp!.outbound, argument);
      esp!.outbound = sealed.sa;
      if (sealed.reason) throw new Error(`not sealed: ${sealed.reason}`);
      return part(RESULT, sealed.packet);
    }
    case OPEN: {
      const opened = open(cipher, esp!.inbound, argument);
      esp!.inbound = opened.sa;
      if (opened.reason) throw new Error(`not opened: ${opened.reason}`);
      return part(RESULT, concat(opened.payload));
    }
    case FORGET:
      esp = undefined;
      return obey(profile, memory, octets);
    default:
      return obey(profile, memory, octets);
  }
}
