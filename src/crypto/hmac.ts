import { hmac } from "@noble/hashes/hmac.js";
import type { CHash } from "@noble/hashes/utils.js";
import type { KeyedPrf } from "./contracts.ts";

interface Mac {
  update(chunk: Uint8Array): unknown;
  digest(): Uint8Array;
}

function digest(mac: Mac, chunks: readonly Uint8Array[]): Uint8Array {
  for (const chunk of chunks) mac.update(chunk);
  return mac.digest();
}

/**
 * HMAC (RFC 2104). The two compressions of the key are done here once; each call goes on from a copy of the state
 * behind them, always in the same memory, which noble wipes at the end of each.
 */
export function keyedHmac(hash: CHash, key: Uint8Array): KeyedPrf {
  const keyed = hmac.create(hash, key);
  let copy: Parameters<typeof keyed._cloneInto>[0];
  return (...chunks) => {
    copy = keyed._cloneInto(copy);
    return digest(copy, chunks);
  };
}

/** The same for one call, as for the ICV of a packet: there is no state to copy. */
export function hmacOnce(hash: CHash, key: Uint8Array): KeyedPrf {
  return (...chunks) => digest(hmac.create(hash, key), chunks);
}
