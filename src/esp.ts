/** ESP without a kernel (RFC 4303, in the manner of RFC 9333): `ikelet/esp.js`. */
export { type Opened, type OpenRefusal, open } from "./esp/open.ts";
export {
  type EspParameters,
  type EspSa,
  type InboundSa,
  inboundSa,
  type OutboundSa,
  outboundSa,
  packetLength,
} from "./esp/sa.ts";
export { type Sealed, type SealRefusal, seal } from "./esp/seal.ts";
