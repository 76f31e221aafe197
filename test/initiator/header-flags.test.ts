/** Version and flags (RFC 7296 sections 2.5 and 3.1, RFC 7815 appendix A.1). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close, type IgnoredReason } from "ikelet";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import type { Cipher } from "ikelet/crypto/contracts.js";
import { concat, type Header, patch, type Responder } from "../responder/index.ts";
import { ask, assertIgnored, established, passesOver, wholeLife } from "./expect.ts";
import {
  type Device,
  deliver,
  exchange,
  makeDevice,
  makeGateway,
  makeProfile,
  octets,
  only,
  take,
} from "./harness.ts";

const header = (change: Partial<Header>) => ({
  header: (was: Header): Header => ({ ...was, ...change }),
});

/** Every state in which datagrams come, and a datagram of the gateway that the device would take. */
function states(
  edit: object = {},
): { state: string; device: Device; gateway: Responder; genuine: Uint8Array }[] {
  const initiating = makeDevice();
  const first = makeGateway({ edit });

  const authenticating = makeDevice();
  const second = makeGateway();
  exchangeFirst(authenticating, second);
  second.options = { ...second.options, edit };

  const up = established();
  up.gateway.options = { ...up.gateway.options, edit };

  const closing = established();
  take(closing.device, close(closing.device.profile, closing.device.session));
  closing.gateway.options = { ...closing.gateway.options, edit };

  return [
    { device: initiating, gateway: first, genuine: first.receive(initiating.step.send[0]!)[0]! },
    { device: authenticating, gateway: second, genuine: second.receive(authenticating.step.send[0]!)[0]! },
    { device: up.device, gateway: up.gateway, genuine: up.gateway.liveness() },
    { ...closing, genuine: closing.gateway.receive(closing.device.step.send[0]!)[0]! },
  ].map((row) => ({ ...row, state: row.device.session.state }));
}

function exchangeFirst(device: Device, gateway: Responder): void {
  deliver(device, gateway.receive(device.step.send[0]!)[0]!);
}

test("all states are there, and what is genuine is taken in each", () => {
  const names = states().map(({ state, device, genuine }) => {
    assert.notEqual(deliver(device, genuine).events[0]?.type, "ignored");
    return state;
  });
  assert.deepEqual(names, ["initiating", "authenticating", "established", "closing"]);
});

test("all that is sent has version 2.0, R in responses only, I always, no V and no X [7815-A.1-d, 7815-A.1-g, 7815-A.1-i, 7815-A.1-k, 7815-A.1-l]", () => {
  const { said, gateway } = wholeLife();
  const answered = gateway.answers.map(({ datagram }) => datagram);
  assert.equal(answered.length, 5);
  for (const { datagram } of said) {
    assert.equal(datagram[17], 0x20);
    assert.equal(datagram[19], answered.includes(datagram) ? 0x28 : 0x08);
  }
  // The gateway's own: 0x20 for an answer, nothing for a request.
  const flags = gateway.log.filter(({ direction }) => direction === "out").map((seen) => seen.datagram[19]);
  assert.deepEqual([...new Set(flags)], [0x20, 0x00]);
});

test("another major version is dropped, though the rest is genuine; then the right one is taken [7815-A.1-e, REC-hdr-a]", () => {
  for (const version of [0x30, 0x31, 0xf0, 0x10, 0x12, 0x00]) {
    passesOver(header({ version }), "malformed");
    for (const { device, genuine } of states(header({ version })))
      assertIgnored(device, genuine, "malformed");
  }
});

test("the minor version is ignored; AUTH and ICV cover it as it came [7815-A.1-f]", () => {
  for (const version of [0x21, 0x2f]) {
    const { device, gateway } = established({ edit: header({ version }) });
    assert.equal(gateway.sa.messageR[17], version);
    assert.deepEqual(ask(device, gateway, gateway.liveness()), []);
    exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
    only(device.events, "alive");
  }
});

test("X bits and V are ignored in all that comes [7815-A.1-h, 7815-A.1-k]", () => {
  for (const bits of [0xc7, 0x10, 0xd7, 0x80, 0x40, 0x04, 0x02, 0x01]) {
    const noise = { header: (was: Header): Header => ({ ...was, flags: was.flags | bits }) };
    const { gateway, said } = wholeLife({}, { edit: noise });
    assert.equal(gateway.sa.messageR[19], 0x20 | bits);
    for (const { datagram } of said) assert.equal(datagram[19]! & 0xd7, 0);
  }
});

test("a message without R is no answer, though its integrity is good [7815-A.1-i]", () => {
  passesOver(header({ flags: 0 }), "unexpected");
  for (const { state, device, genuine } of states(header({ flags: 0 })))
    if (state !== "established") assertIgnored(device, genuine, "unexpected");
  const { device, gateway } = established({});
  take(device, checkLiveness(device.profile, device.session));
  gateway.options = { ...gateway.options, edit: header({ flags: 0 }) };
  assertIgnored(device, gateway.receive(device.step.send[0]!)[0]!, "unexpected");
});

test("nothing with R is ever answered [7815-A.1-j]", () => {
  for (const { state, device, genuine } of states()) {
    const response = patch(genuine, 19, 0x20);
    const damaged = patch(response, genuine.length - 1, genuine[genuine.length - 1]! ^ 1);
    const junk: [Uint8Array, IgnoredReason?][] = [
      [patch(response, 0, response[0]! ^ 1), "foreign"],
      [concat(response.slice(0, 20), octets(response.length - 20, "junk")), "malformed"],
      [octets(200, "junk"), "malformed"],
      [patch(response, 17, 0x30), "malformed"],
      [patch(response, 18, 99), "unexpected"],
      [patch(response, 23, 77), "unexpected"],
    ];
    for (const [datagram, reason] of junk) assertIgnored(device, datagram, reason);
    // Of IKE_SA_INIT nothing but AUTH tells whether it is damaged.
    if (state !== "initiating") assertIgnored(device, damaged);
  }
});

test("what has I set is dropped before any cryptography, our own messages among it [REC-hdr-b]", () => {
  let opened = 0;
  const { open } = chacha20Poly1305;
  const counting: Cipher = {
    ...chacha20Poly1305,
    open: (...args) => {
      opened++;
      return open(...args);
    },
  };
  const suite = { ...makeProfile().suite, cipher: counting };

  const device = makeDevice({ suite });
  const gateway = makeGateway();
  const reflect = () => assertIgnored(device, device.step.send[0]!, "foreign");
  const own = device.step.send[0]!;
  reflect();
  deliver(device, gateway.receive(own)[0]!);
  const auth = device.step.send[0]!;
  assertIgnored(device, auth, "foreign");
  deliver(device, gateway.receive(auth)[0]!);
  only(device.events, "established");
  assert.equal(opened, 1);

  const answer = deliver(device, gateway.liveness()).send[0]!;
  const liveness = take(device, checkLiveness(device.profile, device.session)).send[0]!;
  assert.equal(opened, 2);
  for (const datagram of [own, auth, answer, liveness]) assertIgnored(device, datagram, "foreign");
  // Under the gateway's own keys.
  for (const flags of [0x08, 0x28]) assertIgnored(device, gateway.liveness({ header: { flags } }), "foreign");
  assert.equal(opened, 2);
});
