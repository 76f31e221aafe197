import type { Session } from "../session.ts";

function octetsIn(value: unknown): Uint8Array[] {
  const inside = value as { readonly [name: string]: unknown };
  if (value instanceof Uint8Array) return [value];
  const found: Uint8Array[] = [];
  if (typeof value === "object") for (const name in inside) found.push(...octetsIn(inside[name]));
  return found;
}

/**
 * Overwrites the secrets of a session that the caller lets go of: its keys, what the handshake needs, such as the
 * private value, and what extensions keep. Events, tickets and datagrams are not touched.
 *
 * @param session that must not be used any more
 * @param next the session that takes its place, if there is one: what both have in common stays. So after each step
 *   `wipe(before, step.session)` is right
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
 * wipe(session, step.session);
 * assert.deepEqual(session.handshake?.secret, new Uint8Array(32));
 * ```
 */
export function wipe({ keys, handshake, extensions }: Session, next?: Session): void {
  const needed = octetsIn(next);
  for (const octets of octetsIn([keys, handshake, extensions]))
    if (needed.indexOf(octets) < 0) octets.fill(0);
}
