/**
 * A minimal IKEv2 initiator (RFC 7815): pure functions from bytes to bytes.
 *
 * Every function is `(profile, session, input) → step`. Each time: send `step.send` in order, look at
 * `step.events`, set the one timer to `step.wait`, keep `step.session`.
 */
export type * from "./crypto/contracts.ts";
export type { IkeletError, IkeletErrorCode } from "./error.ts";
export type * from "./event.ts";
export {
  type Agreement,
  type Extension,
  type Heard,
  type Idle,
  type InitialExchange,
  keep,
  kept,
  type Place,
} from "./extension.ts";
export { entropyLength, initiate } from "./initiator/initiate.ts";
export { receive } from "./initiator/receive.ts";
export { checkLiveness, close } from "./initiator/request.ts";
export { timeout } from "./initiator/timeout.ts";
export { wipe } from "./initiator/wipe.ts";
export type * from "./profile.ts";
export type * from "./session.ts";
export { ascii } from "./wire/ascii.ts";
export { addressId, fqdn, type Identification, keyId, rfc822 } from "./wire/identification.ts";
export { host, net, type TrafficSelector } from "./wire/selectors.ts";
