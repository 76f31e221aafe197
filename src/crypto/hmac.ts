import { hmac } from "@noble/hashes/hmac.js";
import type { CHash } from "@noble/hashes/utils.js";
import type { KeyedPrf } from "./contracts.ts";

/**
 * HMAC (RFC 2104). The two compressions of the key are done here once; each call goes on from a copy of the state
 * behind them.
 */
export function keyedHmac(hash: CHash, key: Uint8Array): KeyedPrf {
  const keyed = hmac.create(hash, key);
  return (...chunks) => {
    const mac = keyed.clone();
    for (const chunk of chunks) mac.update(chunk);
    return mac.digest();
  };
}
