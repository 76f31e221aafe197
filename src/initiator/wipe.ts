import type { Session } from "../session.ts";

function overwrite(value: unknown): void {
  const inside = value as { readonly [name: string]: unknown };
  if (value instanceof Uint8Array) value.fill(0);
  else if (typeof value === "object") for (const name in inside) overwrite(inside[name]);
}

/**
 * Overwrites the keys of a session that the caller lets go of: the one before a step whose session is closed, or one
 * that has been given up, or stored. What extensions keep goes as well, and what the handshake needs. Sessions share
 * memory with their successors, so none of them may be in use any more, but for a closed one, which needs nothing but its
 * last response. Events and tickets are not touched.
 *
 * The engine may have made copies, which no program can reach.
 *
 * @example
 * ```ts
 * import { close, entropyLength, fqdn, host, initiate, net, wipe } from "ikelet";
 * import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
 * import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
 * import { x25519 } from "ikelet/crypto/x25519.js";
 * import assert from "node:assert/strict";
 * import { randomBytes } from "node:crypto";
 *
 * const profile = {
 *   suite: { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519 },
 *   local: fqdn("sensor-7.example"),
 *   psk: randomBytes(32),
 *   child: {
 *     cipher: chacha20Poly1305,
 *     mode: "tunnel" as const,
 *     local: host([10, 1, 0, 7]),
 *     remote: net([10, 99, 0, 0], 16),
 *   },
 * };
 * const { session } = initiate(profile, randomBytes(entropyLength(profile)));
 * const step = close(profile, session);
 * if (step.session.state === "closed") wipe(session);
 * assert.deepEqual(session.handshake?.secret, new Uint8Array(32));
 * ```
 */
export function wipe({ keys, handshake, extensions }: Session): void {
  overwrite([keys, handshake, extensions]);
}
