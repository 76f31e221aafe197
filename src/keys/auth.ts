import type { Prf } from "../crypto/contracts.ts";
import { ascii } from "../wire/ascii.ts";

const KEY_PAD = "Key Pad for IKEv2";

/**
 * prf(PSK, "Key Pad for IKEv2"), the inner value of AUTH. A device may store it in place of the pre-shared key:
 * it is good for this PRF alone (RFC 7296 section 2.15).
 *
 * @example
 * ```ts
 * import { keyPad } from "ikelet/keys.js";
 * import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
 * import assert from "node:assert/strict";
 *
 * assert.equal(keyPad(hmacSha256, new Uint8Array(32)).length, 32);
 * ```
 */
export function keyPad(prf: Prf, psk: Uint8Array): Uint8Array {
  return prf.keyed(psk)(ascii(KEY_PAD));
}

/**
 * The content of the AUTH payload of one side (RFC 7296 section 2.15).
 *
 * @param key what the outer prf is keyed with: the inner value of `keyPad`, or for a resumed SA SK_pi or SK_pr
 * @param message the first message of that side, from the header on, as it was on the wire
 * @param peerNonce the nonce of the other side
 * @param skP SK_pi or SK_pr, of that side
 * @param identification the body of that side's ID payload, its RESERVED octets as they were on the wire
 */
export function authentication(
  prf: Prf,
  key: Uint8Array,
  message: Uint8Array,
  peerNonce: Uint8Array,
  skP: Uint8Array,
  identification: Uint8Array,
): Uint8Array {
  const inner = prf.keyed(skP);
  // Of a resumed SA both keys are the same, and keyed once.
  const outer = key === skP ? inner : prf.keyed(key);
  return outer(message, peerNonce, inner(identification));
}
