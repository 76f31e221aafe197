import { authentication, keyPad } from "../keys/auth.ts";
import type { Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import { initialExchange } from "./extensions.ts";

/**
 * The content of AUTH of one side (RFC 7296 section 2.15), by the pre-shared key, or by what the initial exchange
 * of an extension has in its place.
 *
 * @param message the first message of that side: it tells which exchange it was
 */
export function sign(
  profile: Profile,
  session: Session,
  message: Uint8Array,
  peerNonce: Uint8Array,
  skP: Uint8Array,
  identification: Uint8Array,
): Uint8Array {
  const { prf } = profile.suite;
  const initial = initialExchange(profile, message[18]!);
  return initial
    ? initial.sign(profile, session, message, peerNonce, skP, identification)
    : authentication(
        prf,
        profile.pskPad ?? keyPad(prf, profile.psk!),
        message,
        peerNonce,
        skP,
        identification,
      );
}
