/** The proposal of the Child SA in IKE_AUTH, and which answers are taken (RFC 7815 section 2.1). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import {
  Exchange,
  editSa,
  editTransforms,
  notify,
  type Options,
  type Proposal,
  readSa,
  type Transform,
  Type,
  without,
} from "../responder/index.ts";
import { connect, makeProfile, octets, only } from "./harness.ts";
import { assertChildFails, bodyOf, edited, seen } from "./scenes.ts";

const CHILD = makeProfile().child;

// The proposal.

test("SAi2 is the profile's child: one transform of each type, no D-H [7296-1.2-e, 7815-2.1-h]", () => {
  for (const [cipher, esn, transforms] of [
    [aesGcm(256), false, [{ type: 1, id: 20, keyLength: 256 }]],
    [aesGcm(128), true, [{ type: 1, id: 20, keyLength: 128 }]],
    [
      aesCbc(128, hmacSha256_128),
      true,
      [
        { type: 1, id: 12, keyLength: 128 },
        { type: 3, id: 12 },
      ],
    ],
  ] as const) {
    const { device, gateway } = connect({ child: { ...CHILD, cipher, esn } });
    const [proposal, ...more] = readSa(bodyOf(seen(gateway, Exchange.IKE_AUTH).payloads, Type.SA));
    assert.deepEqual(more, []);
    assert.deepEqual(proposal?.transforms, [...transforms, { type: 5, id: Number(esn) }]);
    assert.equal(proposal?.spi.length, 4);
    const { child } = only(device.events, "established");
    // The SPIs of the two directions: ours from SAi2, the gateway's from SAr2.
    const spis = [child.inbound.spi, child.outbound.spi];
    assert.deepEqual(
      spis,
      [proposal!.spi, gateway.sa.child!.spiR].map((spi) => Buffer.from(spi).readUInt32BE()),
    );
    assert.deepEqual(device.session.child, { spiIn: spis[0], spiOut: spis[1] });
    assert.equal(child.esn, esn);
  }
});

const changeTransform = (type: number, change: Partial<Transform>) =>
  edited((p) => editTransforms(p, (list) => list.map((t) => (t.type === type ? { ...t, ...change } : t))));
const addTransform = (transform: Transform) =>
  edited((p) => editTransforms(p, (list) => [...list, transform]));
const changeProposal = (change: (proposal: Proposal) => Proposal[]) =>
  edited((p) => editSa(p, (list) => list.flatMap(change)));

/** RFC 7296 section 3.3.6, once more for SAr2. */
const NOT_OFFERED: Record<string, Partial<Options>> = {
  "extended sequence numbers": changeTransform(5, { id: 1 }),
  "another cipher": changeTransform(1, { id: 28, keyLength: undefined as never }),
  "another key length": changeTransform(1, { keyLength: 256 }),
  "no key length": changeTransform(1, { keyLength: undefined as never }),
  "an unknown attribute": changeTransform(1, { attributes: Uint8Array.of(0x80, 15, 0, 1) }),
  "an extra INTEG": addTransform({ type: 3, id: 12 }),
  "INTEG NONE": addTransform({ type: 3, id: 0 }),
  "a D-H group": addTransform({ type: 4, id: 31 }),
  "two ciphers": addTransform({ type: 1, id: 20, keyLength: 128 }),
  "no ESN transform": edited((p) => editTransforms(p, (list) => list.filter(({ type }) => type !== 5))),
  "number 2": changeProposal((x) => [{ ...x, number: 2 }]),
  "protocol AH": changeProposal((x) => [{ ...x, protocol: 2 }]),
  "protocol IKE": changeProposal((x) => [{ ...x, protocol: 1 }]),
  "no SPI": changeProposal((x) => [{ ...x, spi: new Uint8Array(0) }]),
  "an SPI of 8 octets": changeProposal((x) => [{ ...x, spi: octets(8) }]),
  "two proposals": changeProposal((x) => [x, x]),
};

for (const [name, options] of Object.entries(NOT_OFFERED)) {
  test(`SAr2 with ${name} is refused, and the IKE SA deleted [7296-3.3.6-b]`, () => {
    assertChildFails("proposal", options, { child: { ...CHILD, cipher: aesGcm(128) } });
  });
}

test("an SPI that is reserved is refused: packets must not go out with it [4303-2.1-a]", () => {
  for (const last of [0, 1, 0xff]) {
    const spi = Uint8Array.of(0, 0, 0, last);
    assertChildFails("proposal", { child: { spiR: spi } });
  }
  const { device } = connect({}, { child: { spiR: Uint8Array.of(0, 0, 1, 0) } });
  assert.equal(only(device.events, "established").child.outbound.spi, 256);
});

test("the transforms of SAr2 in another order are taken", () => {
  const { device } = connect(
    { child: { ...CHILD, cipher: aesCbc(128, hmacSha256_128) } },
    edited((p) => editTransforms(p, (list) => [...list].reverse())),
  );
  only(device.events, "established");
});

for (const type of ["SA", "TSi", "TSr"] as const) {
  test(`a response without ${type}, or with two, has no Child SA [7296-3.3.6-b, 7815-2.1-k]`, () => {
    assertChildFails(
      "missing",
      edited((p) => without(p, Type[type])),
    );
    assertChildFails(
      "missing",
      edited((p) => p.flatMap((payload) => (payload.type === Type[type] ? [payload, payload] : [payload]))),
    );
  });
}

// Errors of the Child SA.

/** D-17: authentication is good all the same. */
for (const [name, type] of [
  ["NO_PROPOSAL_CHOSEN", 14],
  ["SINGLE_PAIR_REQUIRED", 34],
  ["NO_ADDITIONAL_SAS", 35],
  ["INTERNAL_ADDRESS_FAILURE", 36],
  ["FAILED_CP_REQUIRED", 37],
  ["TS_UNACCEPTABLE", 38],
  ["an unknown error", 16383],
] as const) {
  test(`${name} beside a good AUTH: IKE SA without Child SA, then a Delete [7296-2.21.2-c, 7815-2.1-k]`, () => {
    assertChildFails("refused", { child: { refuse: type } }, {}, type);
  });
}

test("an error beside the payloads of a Child SA: there is none [7296-2.21.2-c]", () => {
  assertChildFails(
    "refused",
    edited((p) => [...p, notify(38)]),
    {},
    38,
  );
});

test("IDr and AUTH alone: no Child SA and no reason [7815-2.1-k]", () => {
  assertChildFails(
    "missing",
    edited((p) => p.slice(0, 2)),
  );
});
