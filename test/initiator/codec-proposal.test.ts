/** The SA payload and its one proposal (RFC 7296 section 3.3, RFC 7815 appendix A.3). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { modp2048 } from "ikelet/crypto/modp2048.js";
import {
  concat,
  editBody,
  editSa,
  find,
  fromHex,
  hex,
  type Payload,
  patch,
  Type,
} from "../responder/index.ts";
import { established, passesOver } from "./expect.ts";
import { connect, only } from "./harness.ts";
import { body, CBC, type Change, GCM, offers, refuses, transforms } from "./proposals.ts";

test("SA payloads octet by octet [7815-A.3.1-a, 7815-A.3.2-a, 7815-A.3.4-a]", () => {
  const [ike, esp] = offers(GCM);
  const example = (text: string) => hex(fromHex(text));
  assert.equal(
    ike,
    example("22000028 00000024 01010003 0300000c 01000014 800e0080 03000008 02000005 00000008 0400001f"),
  );
  const spi = hex(established({}, GCM).gateway.sa.child!.spiI);
  assert.equal(
    esp,
    example(`2c000024 00000020 01030402 ${spi} 0300000c 01000014 800e0080 00000008 05000000`),
  );
  const suite = { ...CBC.suite, keyExchange: modp2048 };
  assert.equal(
    offers({ ...CBC, suite })[0],
    example(
      "22000030 0000002c 01010004 0300000c 0100000c 800e0080 03000008 02000005 03000008 0300000c 00000008 0400000e",
    ),
  );
});

test("SPI Size is 0 for the IKE SA and 4 for ESP, in the answer too [7815-A.3.1-c]", () => {
  const sizes = offers(GCM).map((offer) => offer.slice(20, 22));
  assert.deepEqual(sizes, ["00", "04"]);
  const spi = (length: number) => (payloads: Payload[]) =>
    editSa(payloads, (proposals) => proposals.map((p) => ({ ...p, spi: new Uint8Array(length).fill(7) })));
  for (const length of [1, 4, 8]) refuses(spi(length), GCM, ["saInit"]);
  for (const length of [0, 3, 5, 8]) refuses(spi(length), GCM, ["auth"]);
  // SPI Size without an SPI.
  refuses(
    body((octets) => patch(octets, 6, 4)),
    GCM,
    ["saInit"],
  );
  refuses(
    body((octets) => patch(octets, 6, 0)),
    GCM,
    ["auth"],
  );
});

test("the one proposal is number 1, and so is the accepted one [7815-A.3.1-b]", () => {
  for (const offer of offers(GCM)) assert.equal(offer.slice(16, 18), "01");
  for (const number of [0, 2, 255])
    refuses((payloads) => editSa(payloads, (proposals) => proposals.map((p) => ({ ...p, number }))));
  refuses((payloads) => editSa(payloads, ([only]) => [only!, only!]));
  refuses((payloads) => editSa(payloads, ([only]) => [only!, { ...only!, number: 2 }]));
  refuses((payloads) => editSa(payloads, () => []));
  for (const protocol of [0, 2])
    refuses((payloads) => editSa(payloads, (proposals) => proposals.map((p) => ({ ...p, protocol }))));
});

test("lengths, counts and marks of the last one have to agree [7815-A.3-a]", () => {
  // Offsets: in SAr1 the transforms begin behind 8 octets, in SAr2 there is an SPI of 4 before them.
  const first = (payloads: Payload[]) => 8 + find(payloads, Type.SA)!.body[6]!;
  const last = (payloads: Payload[]) => find(payloads, Type.SA)!.body.length - 8;
  const set =
    (at: (payloads: Payload[]) => number, to: (was: number) => number): Change =>
    (payloads) =>
      editBody(payloads, Type.SA, (octets) => patch(octets, at(payloads), to(octets[at(payloads)]!)));
  const steps = [(was: number) => was - 1, (was: number) => was + 1];
  for (const step of steps) {
    refuses(set(() => 3, step)); // Proposal Length
    refuses(set(() => 2, step));
    refuses(set(() => 7, step)); // Num Transforms
    refuses(set((p) => first(p) + 3, step)); // Transform Length
    refuses(set((p) => first(p) + 2, step));
    refuses(set((p) => last(p) + 3, step));
    refuses(
      set(
        (p) => last(p),
        (was) => step(was) & 0xff,
      ),
    ); // Last Substruc
    refuses(set(first, step));
  }
  for (const mark of [1, 2, 3])
    refuses(
      set(
        () => 0,
        () => mark,
      ),
    );
  for (const length of [0, 1, 4, 7])
    refuses(
      set(
        (p) => first(p) + 3,
        () => length,
      ),
    );
  // Octets behind it, octets missing, nothing at all.
  refuses(body((octets) => concat(octets, new Uint8Array(1))));
  for (const length of [0, 1, 4, 7, 8, 9, 16]) refuses(body((octets) => octets.slice(0, length)));
  refuses(body((octets) => octets.slice(0, -1)));
  // Payload Length.
  for (const off of [-1, 1]) {
    const edit = (payloads: Payload[]) =>
      payloads.map((p) => (p.type === Type.SA ? { ...p, length: p.body.length + 4 + off } : p));
    passesOver({ saInit: edit }, "malformed", GCM);
    const { device } = connect(GCM, { edit: { auth: edit } });
    assert.equal(only(device.events, "closed").reason, "malformed");
  }
});

test("the transforms of the answer may come in any order [7815-A.3.3-a]", () => {
  for (const changes of [GCM, CBC]) {
    const edit = transforms((list) => [...list].reverse());
    established({ edit: { saInit: edit, auth: edit } }, changes);
  }
});
