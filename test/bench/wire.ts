/** The octets of each message, as they go over the wire, beside the least that the formats allow. */

import assert from "node:assert/strict";
import {
  checkLiveness,
  close,
  entropyLength,
  host,
  initiate,
  keyId,
  net,
  type Profile,
  receive,
  type Step,
  timeout,
} from "ikelet";
import { configuration } from "ikelet/configuration.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { Cipher, Suite } from "ikelet/crypto/contracts.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { implicitIv } from "ikelet/crypto/implicit-iv.js";
import { sha1 } from "ikelet/crypto/sha1.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import { outboundSa, seal } from "ikelet/esp.js";
import { nat } from "ikelet/nat.js";
import { qcd } from "ikelet/qcd.js";
import { resume, resumeEntropyLength, resumption } from "ikelet/resumption.js";
import { connect, makeGateway, makeProfile, octets, PSK } from "../initiator/harness.ts";
import { CIPHERS, GROUPS, PRFS } from "../initiator/suites.ts";
import type { Options } from "../responder/index.ts";
import * as formats from "./formats.ts";

export interface WireRow {
  readonly name: string;
  readonly message: string;
  readonly octets: number;
  readonly minimum: number;
  /** The gateway's messages are those of the test responder: shown, not judged. */
  readonly ours: boolean;
}

const IDENTITY = 4;
const ID = { type: 11, data: octets(IDENTITY) };
const DEVICE = { address: new Uint8Array([10, 0, 0, 2]), port: 500 };
const GATEWAY = { address: new Uint8Array([192, 0, 2, 1]), port: 500 };
const REFERENCE_TICKET = 16;

const MODERN: Suite = { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519 };

/** The suite of the examples first; then one algorithm after the other is exchanged. */
const SUITES: readonly (readonly [string, Suite])[] = [
  ...CIPHERS.map(({ name, cipher }): [string, Suite] => [name, { ...MODERN, cipher }]),
  ...PRFS.slice(1).map(({ name, prf }): [string, Suite] => [name, { ...MODERN, prf }]),
  ...GROUPS.slice(1).map(({ name, keyExchange }): [string, Suite] => [name, { ...MODERN, keyExchange }]),
];

/** What an extension adds to our requests, and to the answers, beyond what `formats` says of the rest. */
interface Variant {
  readonly name: string;
  readonly extensions: Profile["extensions"];
  readonly options?: Partial<Options>;
  readonly changes?: Partial<Profile>;
  /** To messages in the clear. */
  readonly added?: { readonly [message: string]: number };
  /** To IKE_AUTH. */
  readonly inside?: { readonly request?: number; readonly response?: number };
}

const traversal = nat({ sha1, local: DEVICE, remote: GATEWAY });
const maker = { prf: hmacSha256, secrets: [octets(32, "maker")] };
const detection = 2 * formats.notify(20);
const ticket = formats.notify(4 + REFERENCE_TICKET);
const token = formats.notify(hmacSha256.outputLength);

const VARIANTS: readonly Variant[] = [
  {
    name: "remote identity",
    extensions: [],
    changes: { remote: keyId(ID.data) },
    inside: { request: formats.identification(IDENTITY) },
  },
  {
    name: "NAT traversal",
    extensions: [traversal],
    options: { nat: { local: GATEWAY, remote: DEVICE } },
    added: { "IKE_SA_INIT request": detection, "IKE_SA_INIT response": detection },
  },
  {
    name: "configuration, IPv4 and DNS",
    extensions: [configuration({ dns: true })],
    inside: { request: formats.configurationRequest(2) },
  },
  {
    name: `resumption, ticket of ${REFERENCE_TICKET}`,
    extensions: [resumption()],
    options: { tickets: { form: "reference" } },
    inside: { request: formats.notify(0), response: ticket },
  },
  {
    name: "crash detection, taker",
    extensions: [qcd()],
    options: { qcd: { secrets: [octets(32, "secret")] } },
    inside: { response: token },
  },
  {
    name: "crash detection, maker too",
    extensions: [qcd(maker)],
    options: { qcd: { secrets: [octets(32, "secret")] } },
    inside: { request: token, response: token },
  },
];

/** One life: both exchanges, a liveness check, a Delete; with a ticket, the resumption in between. */
function live(name: string, suite: Suite, variant?: Variant): WireRow[] {
  const { cipher, prf, keyExchange } = suite;
  const profile: Profile = {
    suite,
    local: ID,
    psk: PSK,
    child: { cipher, mode: "tunnel", local: host([10, 1, 0, 7]), remote: net([10, 99, 0, 0], 16) },
    extensions: variant?.extensions ?? [],
    ...variant?.changes,
  };
  const nonce = Math.max(16, prf.keyLength / 2);
  const gateway = makeGateway({ local: ID, remote: ID, nonce, ...variant?.options });
  const found: WireRow[] = [];
  const exchange = (step: Step, message: string, request: number, response: number): Step => {
    const [datagram] = step.send;
    const [answer] = gateway.receive(datagram!);
    for (const [direction, { length }, minimum] of [
      ["request", datagram!, request],
      ["response", answer!, response],
    ] as const) {
      const title = `${message} ${direction}`;
      const least = minimum + (variant?.added?.[title] ?? 0);
      found.push({ name, message: title, octets: length, minimum: least, ours: direction === "request" });
    }
    return receive(profile, step.session, answer!);
  };

  const child = formats.espProposal(cipher) + 2 * formats.SELECTORS;
  const auth = formats.encrypted(
    cipher,
    formats.identification(IDENTITY) + formats.authentication(prf) + child + addedInside(variant, "request"),
  );
  const authAnswer = formats.encrypted(
    cipher,
    formats.identification(IDENTITY) + formats.authentication(prf) + child + addedInside(variant, "response"),
  );
  const initial =
    formats.HEADER + formats.ikeProposal(cipher) + formats.keyExchange(keyExchange!) + formats.nonce(prf);
  const empty = formats.encrypted(cipher, 0);

  let step = initiate(profile, octets(entropyLength(profile)));
  step = exchange(step, "IKE_SA_INIT", initial, initial);
  step = exchange(step, "IKE_AUTH", auth, authAnswer);
  assert.equal(step.session.state, "established", name);
  const granted = step.events.find((event) => event.type === "ticket");
  if (granted?.type === "ticket") {
    const entropy = octets(resumeEntropyLength(profile), "resumption");
    const resumed = formats.HEADER + formats.nonce(prf);
    const { ticket } = granted.ticket;
    step = resume(profile, granted.ticket, 1, entropy);
    step = exchange(step, "IKE_SESSION_RESUME", resumed + formats.notify(ticket.length), resumed);
    step = exchange(step, "IKE_AUTH after it", auth, authAnswer);
    assert.equal(step.session.state, "established", name);
  }
  step = exchange(checkLiveness(profile, step.session), "liveness", empty, empty);
  step = exchange(close(profile, step.session), "Delete", formats.encrypted(cipher, formats.DELETE), empty);
  assert.equal(step.session.state, "closed", name);
  assert.deepEqual(gateway.violations, [], name);
  return found;
}

/** What stands inside of the Encrypted payload counts before the padding. */
function addedInside(variant: Variant | undefined, direction: "request" | "response"): number {
  return variant?.inside?.[direction] ?? 0;
}

/** The least request with a cookie, and the single octet that keeps a mapping open. */
function others(): WireRow[] {
  const gateway = makeGateway({ cookie: { rounds: 1, data: 8 } });
  const profile = makeProfile({ extensions: [traversal] });
  const first = initiate(profile, octets(entropyLength(profile)));
  const [demand] = gateway.receive(first.send[0]!);
  const [again] = receive(profile, first.session, demand!).send;
  const { device } = connect(
    { extensions: [nat({ sha1, remote: { ...GATEWAY, port: 4500 }, force: true })] },
    { nat: { local: GATEWAY, remote: DEVICE } },
  );
  const [keepalive] = timeout(device.profile, device.session).send;
  const row = { name: "any suite", ours: true };
  return [
    {
      ...row,
      message: "what a cookie of 8 adds",
      octets: again!.length - first.send[0]!.length,
      minimum: formats.notify(8),
    },
    { ...row, message: "NAT keepalive", octets: keepalive!.length, minimum: formats.KEEPALIVE },
  ];
}

const PACKETS = [64, 512, 1280];

/** What ESP adds to an inner packet. */
function espRows(): WireRow[] {
  const ciphers: [string, Cipher][] = CIPHERS.map(({ name, cipher }) => [name, cipher]);
  ciphers.push(["ChaCha20-Poly1305, implicit IV", implicitIv(chacha20Poly1305)]);
  ciphers.push(["AES-GCM-128, implicit IV", implicitIv(aesGcm(128))]);
  return ciphers.flatMap(([name, cipher]) =>
    PACKETS.map((length) => ({
      name,
      message: `ESP, ${length} octets`,
      octets: sealed(cipher, length).length - length,
      minimum: formats.espOverhead(cipher, length),
      ours: true,
    })),
  );
}

/** An ESP packet around a UDP datagram; for its length, what is in there does not matter. */
function sealed(cipher: Cipher, length: number): Uint8Array {
  const direction = { spi: 0x1000, key: octets(cipher.keyLength + cipher.integrityKeyLength) };
  const result = seal(
    cipher,
    outboundSa({
      mode: "transport",
      esn: false,
      encryptionId: cipher.encryptionId,
      keyBits: cipher.keyBits,
      integrityId: cipher.integrityId,
      outbound: direction,
      inbound: direction,
      local: [host([10, 1, 0, 7])],
      remote: [host([10, 99, 0, 1])],
    }),
    octets(length),
    17,
  );
  if (result.reason) throw new Error(result.reason);
  return result.packet;
}

export function wireRows(): WireRow[] {
  return [
    ...SUITES.flatMap(([name, suite]) => live(name, suite)),
    ...VARIANTS.flatMap((variant) => live(variant.name, MODERN, variant)),
    ...others(),
    ...espRows(),
  ];
}

function printMatrix(rows: readonly WireRow[]): void {
  const names = [...new Set(rows.map(({ name }) => name))];
  const messages = [...new Set(rows.map(({ message }) => message))];
  const width = Math.max(...names.map(({ length }) => length)) + 1;
  for (const half of [
    messages.filter((m) => !m.startsWith("ESP")),
    messages.filter((m) => m.startsWith("ESP")),
  ]) {
    const shown = names.filter((name) => rows.some((row) => row.name === name && half.includes(row.message)));
    console.log(`\n${"".padEnd(width)}${half.map((_, i) => `(${i + 1})`.padStart(9)).join("")}`);
    for (const name of shown) {
      const cells = half.map((message) => {
        const row = rows.find((row) => row.name === name && row.message === message);
        if (!row) return "";
        return row.octets === row.minimum ? `${row.octets}` : `${row.octets}/${row.minimum}`;
      });
      console.log((name.padEnd(width) + cells.map((cell) => cell.padStart(9)).join("")).trimEnd());
    }
    half.forEach((message, i) => {
      console.log(`${`(${i + 1})`.padStart(6)} ${message}`);
    });
  }
}

export function reportWire(json: boolean): void {
  const rows = wireRows();
  for (const { name, message, octets, minimum, ours } of rows) {
    const misses = ours && octets > minimum;
    if (misses) process.exitCode = 1;
    if (json) {
      const result = misses ? "fail" : "pass";
      const figure = { name: `${message}, ${name}`, result, value: octets, unit: "octets" };
      console.log(JSON.stringify(ours ? { ...figure, budget: minimum } : { ...figure, minimum }));
    }
  }
  if (json) return;
  console.log("octets; behind a stroke the least that the formats allow, where that is less.");
  console.log(
    "Identities of 4 octets, IPv4, nonces as short as allowed. Responses are those of the test responder.",
  );
  printMatrix(rows);
}
