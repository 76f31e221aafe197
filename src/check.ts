/** Checks for the time of development: `ikelet/check.js`. A finished firmware need not carry them. */

import type { Cipher } from "./crypto/contracts.ts";
import { misuse } from "./error.ts";
import type { Profile } from "./profile.ts";
import { ID_IPV4_ADDR, ID_IPV6_ADDR, type Identification } from "./wire/identification.ts";
import { equalOctets } from "./wire/octets.ts";
import { type TrafficSelector, within } from "./wire/selectors.ts";

/** Shorter keys than this can be guessed (RFC 7296 section 2.15 leaves the number to us). */
const SHORTEST_PSK = 16;
/** The encryption algorithms that bring their integrity with them. */
const AEADS = [14, 15, 16, 18, 19, 20, 28, 29, 30, 31];
const MOST_SENDS = 20;
/** Octets that a PRF has to return (RFC 7296 section 5). */
const SHORTEST_PRF = 16;
/** DES; RFC 8247 section 2.1, and RFC 8221 section 5 for ESP. */
const FORBIDDEN_ENCRYPTION = [2];
/** HMAC-MD5; RFC 8247 section 2.2. */
const FORBIDDEN_PRF = [1];
/** HMAC-MD5-96, DES-MAC, KPDK-MD5; RFC 8247 section 2.3. */
const FORBIDDEN_INTEGRITY = [1, 3, 4];
/** 768-bit MODP, and 1024-bit MODP with a small subgroup; RFC 8247 section 2.4. */
const FORBIDDEN_KEY_EXCHANGE = [1, 22];

function expect(truth: boolean, field: string, expected: string, got: unknown): void {
  if (!truth) throw misuse("profile", `${field}: expected ${expected}, got ${got}`);
}

function checkIdentification(field: string, { type, data }: Identification): void {
  const length = type === ID_IPV4_ADDR ? 4 : type === ID_IPV6_ADDR ? 16 : 0;
  if (length) expect(data.length === length, field, `an address of ${length} octets`, data.length);
  else expect(data.length > 0, field, "a name", "nothing");
}

function expectAllowed(field: string, forbidden: readonly number[], id: number): void {
  expect(forbidden.indexOf(id) < 0, field, "no algorithm that RFC 8247 forbids", id);
}

function checkCipher(field: string, { encryptionId, integrityId }: Cipher): void {
  expectAllowed(field, FORBIDDEN_ENCRYPTION, encryptionId);
  expectAllowed(field, FORBIDDEN_INTEGRITY, integrityId);
  if (AEADS.indexOf(encryptionId) >= 0)
    expect(!integrityId, field, "an AEAD without an integrity algorithm", integrityId);
  else expect(!!integrityId, field, "an integrity algorithm beside a cipher that has none", integrityId);
}

function checkSelector(field: string, selector: TrafficSelector): void {
  const { start, end, startPort, endPort, protocol } = selector;
  expect(start.length === 4 || start.length === 16, field, "addresses of 4 or 16 octets", start.length);
  expect(end.length === start.length, field, "two addresses of one length", end.length);
  // RFC 7296 section 3.13.1.
  if (!protocol)
    expect(!startPort && endPort === 0xffff, field, "ports 0 to 65535", `${startPort} to ${endPort}`);
  // 65535 to 0 stands for ports that cannot be seen, OPAQUE.
  const opaque = startPort === 0xffff && !endPort;
  expect(startPort <= endPort || opaque, field, "a first port before the last", `${startPort} to ${endPort}`);
  expect(within(selector, selector), field, "a first address before the last", `${start} to ${end}`);
}

/**
 * Finds out whether a profile can work, so that mistakes show up at the desk and not in the field.
 *
 * @throws IkeletError `profile`; the message names the field, what was expected and what came
 * @example
 * ```ts
 * import { fqdn, net } from "ikelet";
 * import { checkProfile } from "ikelet/check.js";
 * import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
 * import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
 * import { x25519 } from "ikelet/crypto/x25519.js";
 * import assert from "node:assert/strict";
 *
 * const profile = {
 *   suite: { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519 },
 *   local: fqdn("sensor-7.example"),
 *   psk: new Uint8Array(4),
 *   child: {
 *     cipher: chacha20Poly1305,
 *     mode: "tunnel" as const,
 *     local: net([10, 1, 0, 7], 32),
 *     remote: net([10, 99, 0, 0], 16),
 *   },
 * };
 * assert.throws(() => checkProfile(profile), /psk: expected 16 octets or more, got 4/);
 * ```
 */
export function checkProfile(profile: Profile): void {
  const { suite, local, remote, psk, pskPad, child, retransmission, extensions = [] } = profile;
  const { cipher, prf, keyExchange } = suite;
  checkCipher("suite.cipher", cipher);
  // RFC 8750 section 7.
  expect(cipher.ivLength > 0, "suite.cipher", "an explicit IV", "an implicit one, which is for ESP only");
  expectAllowed("suite.prf", FORBIDDEN_PRF, prf.transformId);
  expect(prf.outputLength >= SHORTEST_PRF, "suite.prf", `${SHORTEST_PRF} octets or more`, prf.outputLength);
  if (keyExchange) expectAllowed("suite.keyExchange", FORBIDDEN_KEY_EXCHANGE, keyExchange.transformId);
  else {
    const resumes = extensions.some(({ initial }) => initial);
    expect(resumes, "suite.keyExchange", "a method, or resumption among the extensions", "none");
  }
  if (pskPad)
    expect(pskPad.length === prf.outputLength, "pskPad", `${prf.outputLength} octets`, pskPad.length);
  // A device that only resumes needs none.
  else if (keyExchange || psk)
    expect(
      (psk?.length ?? 0) >= SHORTEST_PSK,
      "psk",
      `${SHORTEST_PSK} octets or more`,
      psk?.length ?? "none",
    );
  checkIdentification("local", local);
  if (remote) checkIdentification("remote", remote);
  checkCipher("child.cipher", child.cipher);
  checkSelector("child.local", child.local);
  checkSelector("child.remote", child.remote);
  expect(
    child.local.start.length === child.remote.start.length,
    "child",
    "local and remote of one IP version",
    "two",
  );
  // RFC 7296 section 2.23.1.
  if (child.mode === "transport")
    for (const { start, end } of [child.local, child.remote])
      expect(equalOctets(start, end), "child", "one address at each end in transport mode", "a range");
  if (retransmission) {
    const { wait, sends } = retransmission;
    expect(wait > 0, "retransmission.wait", "milliseconds above 0", wait);
    expect(sends >= 1 && sends <= MOST_SENDS, "retransmission.sends", `1 to ${MOST_SENDS}`, sends);
  }
}
