/** The device as token taker (RFC 6290 sections 3, 4 and 5). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close, type Event, timeout } from "ikelet";
import { qcd } from "ikelet/qcd.js";
import { resumption, ticketSurvives } from "ikelet/resumption.js";
import { loadSession, saveSession } from "ikelet/storage.js";
import { type Device, deliver, exchange, octets, only, take } from "../initiator/harness.ts";
import { ask, assertClosed, assertIgnored, halfWay, inTheClear, one } from "../initiator/scenes.ts";
import {
  type Bytes,
  concat,
  find,
  flip,
  insertBefore,
  Notify,
  notify,
  type Payload,
  qcdToken,
  Type,
  tokenNotify,
  unknownPayload,
  vendorId,
  withoutNotify,
} from "../responder/index.ts";
import {
  answer,
  assertCrashed,
  dump,
  GATEWAY_QCD,
  GATEWAY_SECRET,
  invalidIkeSpi,
  invalidSpi,
  MAKER,
  resumeWith,
  taking,
  ticketOf,
  tokenOf,
} from "./scenes.ts";

/** A wrong token, or a message without one, is passed over. */
function assertHint(device: Device, datagram: Bytes, type: number): void {
  const before = structuredClone(device.session);
  assertIgnored(deliver(device, datagram), before, "hint", type);
}

/** It was passed over, and is no reason for a liveness check. */
function assertNoHint(event: Event): void {
  assert.equal(event.type === "ignored" && event.reason !== "hint", true, JSON.stringify(event));
}

test("the token of IKE_AUTH, back in the clear, ends IKE SA and Child SA in silence [6290-3-a, 6290-3-b]", () => {
  for (const pending of [false, true]) {
    const { device, token } = taking();
    if (pending) take(device, checkLiveness(device.profile, device.session));
    assert.equal(device.session.child === undefined, false);
    assertCrashed(device, answer(device, [token]));
    // Nothing is left that a timer or the gateway could stir.
    assert.deepEqual(timeout(device.profile, device.session).send, []);
    assert.deepEqual(timeout(device.profile, device.session).events, []);
    assert.equal(deliver(device, answer(device, [token])).events[0]?.type, "ignored");
  }
});

test("so does that of a resumed IKE_AUTH, and the token before it is worth nothing any more [6290-3-a, 6290-3-b, 6290-4.3-a]", () => {
  const { device, gateway, token } = taking();
  const old: Device = { ...device, events: [...device.events] };
  assertCrashed(device, answer(device, [token]));
  resumeWith(device, gateway, ticketOf(old.events));
  assertHint(device, answer(device, [token]), 4);
  const { spiOut } = device.session.child!;
  assertHint(device, inTheClear(old, [invalidSpi(spiOut), tokenNotify(token)]), 11);
  assertCrashed(device, answer(device, [tokenOf(gateway, device.session)]));
});

test("the peers that are known: 64 octets, last in IKE_AUTH, back with Protocol ID 0 in a response [6290-4.2-b]", () => {
  const options = { secrets: [GATEWAY_SECRET], hash: "sha512", place: "last" } as const;
  const { device, gateway, token } = taking({ qcd: options });
  assert.equal(token.length, 64);
  const { payloads } = gateway.log[gateway.log.length - 1]!;
  assert.deepEqual(payloads[payloads.length - 1], tokenNotify(token));
  const request = one(take(device, checkLiveness(device.profile, device.session)).send);
  assertCrashed(device, gateway.unprotected(request, invalidIkeSpi, tokenNotify(token, 0)));
});

test("a token is taken from anywhere inside of SK, and with any Protocol ID [6290-4.2-b]", () => {
  const token = octets(16, "token");
  for (const protocol of [0, 1, 3])
    for (const place of [Type.IDr, Type.AUTH, Type.SA, Type.TSr]) {
      const { device } = taking({
        edit: {
          auth: (payloads) =>
            insertBefore(withoutNotify(payloads, Notify.QCD_TOKEN), place, tokenNotify(token, protocol)),
        },
      });
      assertCrashed(device, answer(device, [token]));
    }
});

test("without a token all is as ever, and one can still come later [6290-4.2-a]", () => {
  const { device, gateway } = taking({ qcd: undefined as never }, { extensions: [qcd(MAKER)] });
  assert.equal(gateway.sa.token?.length, 32);
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  only(device.events, "alive");
  assertHint(device, answer(device, [new Uint8Array(16)]), 4);
  const token = octets(32, "late");
  ask(device, gateway, gateway.informational([tokenNotify(token)]));
  assertCrashed(device, answer(device, [token]));
});

test("a token may come in a request of the gateway, and earlier ones stay good [6290-4.4-a, 6290-5-b]", () => {
  const later = [1, 2, 3].map((n) => octets(32, `token ${n}`));
  for (const chosen of [0, 1, 2, 3]) {
    const { device, gateway, token } = taking();
    for (const fresh of later) {
      const { answer: reply } = ask(device, gateway, gateway.informational([tokenNotify(fresh)]));
      assert.deepEqual(reply, []);
    }
    assert.deepEqual(gateway.violations, []);
    assertCrashed(device, answer(device, [[token, ...later][chosen]!]));
  }
});

test("of more tokens the newest four are kept [6290-5-b]", () => {
  const later = [1, 2, 3, 4, 5, 6].map((n) => octets(32, `token ${n}`));
  const { device, gateway, token } = taking();
  for (const fresh of later) ask(device, gateway, gateway.informational([tokenNotify(fresh)]));
  for (const forgotten of [token, ...later.slice(0, 2)]) assertHint(device, answer(device, [forgotten]), 4);
  assertCrashed(device, answer(device, [later[2]!]));
});

test("a token may come in the answer to a request of ours [6290-4.4-a]", () => {
  const fresh = octets(32, "fresh");
  const { device, gateway } = taking({ edit: { informational: () => [tokenNotify(fresh)] } });
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  only(device.events, "alive");
  assertCrashed(device, answer(device, [fresh]));
});

test("of a repeated request the token is taken once, of a refused one not at all [6290-4.4-a]", () => {
  const { device, gateway, token } = taking();
  const fresh = octets(32, "fresh");
  const request = gateway.informational([tokenNotify(fresh)]);
  ask(device, gateway, request);
  const { extensions } = device.session;
  deliver(device, request);
  assert.deepEqual(device.session.extensions, extensions);
  const refused = octets(32, "refused");
  ask(device, gateway, gateway.informational([unknownPayload(200, true), tokenNotify(refused)]));
  assert.deepEqual(device.session.extensions, extensions);
  assertHint(device, answer(device, [refused]), 4);
  assertCrashed(device, answer(device, [token]));
});

test("tokens of less than 16 or more than 128 octets are not kept [6290-5-a]", () => {
  for (const length of [0, 1, 15, 129, 1000]) {
    const token = octets(length, "token");
    const { device } = taking({
      edit: {
        auth: (payloads) =>
          insertBefore(withoutNotify(payloads, Notify.QCD_TOKEN), Type.SA, tokenNotify(token)),
      },
    });
    assertHint(device, answer(device, [token]), 4);
  }
  for (const length of [16, 17, 64, 128]) {
    const token = octets(length, "token");
    const { device, gateway } = taking();
    ask(device, gateway, gateway.informational([tokenNotify(octets(129)), tokenNotify(token)]));
    assertCrashed(device, answer(device, [token]));
  }
});

test("a token in the clear is never kept: not of IKE_SA_INIT, not of IKE_SESSION_RESUME [REC-qcd-a]", () => {
  const planted = octets(32, "planted");
  const plant = (payloads: Payload[]) => [...payloads, tokenNotify(planted)];
  for (const kept of [true, false]) {
    const edit = { saInit: plant, resume: plant };
    const { device, gateway, token } = taking({ edit, qcd: (kept ? GATEWAY_QCD : undefined) as never });
    const { ticket } = only(device.events, "ticket");
    assertHint(device, answer(device, [planted]), 4);
    if (kept) assertCrashed(device, answer(device, [token]));
    resumeWith(device, gateway, ticket);
    assertHint(device, answer(device, [planted]), 4);
    assertHint(device, inTheClear(device, [tokenNotify(planted)]), Notify.QCD_TOKEN);
    assert.equal("qcd" in (device.session.extensions ?? {}), kept);
  }
});

test("a token does not end a handshake: there is none yet that could be right [REC-qcd-a]", () => {
  const planted = octets(32, "planted");
  const edit = { saInit: (payloads: Payload[]) => [...payloads, tokenNotify(planted)] };
  const { device, gateway, request } = halfWay({ extensions: [qcd()] }, { qcd: GATEWAY_QCD, edit });
  for (const token of [planted, tokenOf(gateway, device.session)])
    for (const change of [{}, { exchange: 35, messageId: 1 }, { flags: 0, messageId: 0 }]) {
      const before = structuredClone(device.session);
      const step = deliver(device, answer(device, [token], change));
      assertNoHint(one(step.events));
      assert.deepEqual(step.session, before);
    }
  exchange(device, gateway, [request]);
  only(device.events, "established");
});

test("at least four tokens of a message are compared, and one that fits is enough [6290-4.5-b]", () => {
  const wrong = (n: number) => Array.from({ length: n }, (_, i) => octets(32, `wrong ${i}`));
  for (const before of [0, 1, 2, 3, 4, 7])
    for (const behind of [0, 3]) {
      const { device, token } = taking();
      assertCrashed(device, answer(device, [...wrong(before), token, ...wrong(behind)]));
    }
  const { device, token } = taking();
  assertHint(device, answer(device, [...wrong(8), token]), 4);
  assertHint(device, answer(device, wrong(1000)), 4);
  assertCrashed(device, answer(device, [token]));
});

test("after a roll-over on the gateway the token of its fourth secret is found [6290-4.5-b]", () => {
  const { device, gateway } = taking();
  const fresh = [1, 2, 3].map((n) => octets(32, `gateway ${n}`));
  gateway.options = { ...gateway.options, qcd: { secrets: [...fresh, GATEWAY_SECRET] } };
  gateway.crash();
  const [request] = take(device, checkLiveness(device.profile, device.session)).send;
  assertCrashed(device, one(gateway.receive(request!)));
});

test("Protocol ID, exchange type, Message ID and flags are what they want, alone or with others", () => {
  for (const protocol of [0, 1])
    for (const exchangeType of [34, 35, 36, 37, 38, 240])
      for (const messageId of [0, 1, 2, 3, 0xffffffff])
        for (const flags of [0x20, 0, 0x28, 0x08]) {
          const { device, token } = memo();
          const payloads = [invalidIkeSpi, tokenNotify(token, protocol)];
          assertCrashed(device, inTheClear(device, payloads, { exchange: exchangeType, messageId, flags }));
        }
  const { token } = memo();
  const forms: Payload[][] = [
    [tokenNotify(token)],
    [tokenNotify(token), invalidIkeSpi],
    [notify(Notify.INVALID_IKE_SPI, undefined, undefined, 1), tokenNotify(token)],
    [vendorId(octets(16)), invalidIkeSpi, unknownPayload(200), tokenNotify(token)],
    [invalidSpi(1), tokenNotify(token)],
  ];
  for (const payloads of forms) {
    const { device } = memo();
    assertCrashed(device, inTheClear(device, payloads));
  }
});

/** The same session again and again. */
const first = taking();
function memo(): { device: Device; token: Bytes } {
  return { device: { ...first.device, events: [] }, token: first.token };
}

test("with INVALID_SPI of our packets the IKE SPIs may be any [6290-8.2-a]", () => {
  const { device: any, token } = memo();
  const { spiOut, spiIn } = any.session.child!;
  const spis: [Bytes, Bytes][] = [
    [new Uint8Array(8), new Uint8Array(8)],
    [octets(8, "i"), octets(8, "r")],
    [any.session.spiI, new Uint8Array(8)],
    [any.session.spiI, any.session.spiR],
  ];
  for (const [spiI, spiR] of spis)
    for (const flags of [0x08, 0, 0x20]) {
      const { device } = memo();
      const payloads = [invalidSpi(spiOut), tokenNotify(octets(32)), tokenNotify(token)];
      assertCrashed(device, inTheClear(device, payloads, { spiI, spiR, flags }));
    }
  // Of other packets, or in another form, it says nothing about this session.
  const strange = [
    invalidSpi(spiIn),
    invalidSpi(spiOut ^ 1),
    notify(Notify.INVALID_SPI),
    notify(Notify.INVALID_SPI, octets(3)),
    notify(Notify.INVALID_SPI, concat(one([invalidSpi(spiOut)]).body.slice(4), octets(1))),
    invalidIkeSpi,
  ];
  for (const payload of strange)
    for (const [spiI, spiR] of spis.slice(0, 3)) {
      const { device } = memo();
      const before = structuredClone(device.session);
      const step = deliver(
        device,
        inTheClear(device, [payload, tokenNotify(token)], { spiI, spiR, flags: 0x20 }),
      );
      assertIgnored(step, before, "foreign");
    }
});

test("when the Child SA is gone its SPI means nothing, and the token of the IKE SA everything [6290-8.2-a]", () => {
  const { device, gateway, token } = taking();
  const { spiOut } = device.session.child!;
  ask(device, gateway, gateway.deleteChild());
  const payloads = [invalidSpi(spiOut), tokenNotify(token)];
  const zeros = { spiI: new Uint8Array(8), spiR: new Uint8Array(8), flags: 0x20 };
  assert.equal(deliver(device, inTheClear(device, payloads, zeros)).session.state, "established");
  assertCrashed(device, inTheClear(device, payloads));
});

test("a wrong token gets no answer and changes nothing, but it is told [6290-4.5-a, 6290-3-d]", () => {
  const { device, gateway, token } = taking();
  const wrong = [
    octets(32, "wrong"),
    flip(token, 0),
    flip(token, 31),
    token.slice(1),
    token.slice(0, 31),
    concat(token, new Uint8Array(1)),
    new Uint8Array(32),
    new Uint8Array(0),
    concat(token, token),
  ];
  for (const bad of wrong) {
    assertHint(device, answer(device, [bad]), 4);
    assertHint(device, inTheClear(device, [tokenNotify(bad)]), Notify.QCD_TOKEN);
  }
  // For SPIs of nobody.
  const before = structuredClone(device.session);
  for (const change of [{ spiI: octets(8, "i") }, { spiR: octets(8, "r") }, { spiR: new Uint8Array(8) }])
    assertIgnored(deliver(device, answer(device, [token], change)), before, "foreign");
  // While a request is unanswered its timer runs on.
  const [request] = take(device, checkLiveness(device.profile, device.session)).send;
  assertHint(device, answer(device, [wrong[0]!]), 4);
  exchange(device, gateway, [request!]);
  only(device.events, "alive");
});

test("a wrong token beside INVALID_SPI is a hint and no more [6290-8.2-b]", () => {
  const { device, gateway } = taking();
  const { spiOut } = device.session.child!;
  const zeros = { spiI: new Uint8Array(8), spiR: new Uint8Array(8), flags: 0x08 };
  for (const change of [{}, zeros])
    assertHint(device, inTheClear(device, [invalidSpi(spiOut), tokenNotify(octets(32))], change), 11);
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  only(device.events, "alive");
});

test("without a token INVALID_IKE_SPI and INVALID_SPI are hints [6290-2-a]", () => {
  const { device, gateway } = taking();
  const { spiOut } = device.session.child!;
  assertHint(device, inTheClear(device, [invalidIkeSpi]), 4);
  assertHint(device, inTheClear(device, [invalidIkeSpi], { flags: 0x20, messageId: 9 }), 4);
  assertHint(device, inTheClear(device, [invalidSpi(spiOut)]), 11);
  assertHint(device, inTheClear(device, [invalidSpi(spiOut)], { spiI: octets(8, "i"), flags: 0x08 }), 11);
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  only(device.events, "alive");
});

test("anything else in the clear is no hint: there is no reason for a liveness check [6290-2-a]", () => {
  const { device, gateway } = taking();
  const early = gateway.log.find(({ direction, exchange: type }) => direction === "out" && type === 34)!;
  const messages = [
    early.datagram,
    inTheClear(device, [notify(Notify.INVALID_SYNTAX)]),
    inTheClear(device, [notify(Notify.INVALID_SYNTAX)], { flags: 0x20, exchange: 35, messageId: 1 }),
    inTheClear(device, [vendorId(octets(16))]),
    inTheClear(device, []),
    inTheClear(device, [{ ...invalidIkeSpi, body: new Uint8Array([0, 9, 0, 4]) }]),
  ];
  for (const message of messages) {
    const before = structuredClone(device.session);
    const step = deliver(device, message);
    assertNoHint(one(step.events));
    assert.deepEqual(step.session, before);
  }
});

test("tokens die with the SA, however it ends [6290-5.3-a]", () => {
  const ends: ((scene: ReturnType<typeof taking>) => void)[] = [
    ({ device, token }) => assertCrashed(device, answer(device, [token])),
    ({ device, gateway }) =>
      exchange(device, gateway, take(device, close(device.profile, device.session)).send),
    ({ device, gateway }) => void deliver(device, gateway.deleteIke()),
    ({ device }) => {
      take(device, checkLiveness(device.profile, device.session));
      while (device.session.state !== "closed") take(device, timeout(device.profile, device.session));
    },
  ];
  for (const finish of ends) {
    const scene = taking();
    const { device, token } = scene;
    assert.equal(dump(device.session).includes(dump(token)), true, "the token is not kept");
    const { spiOut } = device.session.child!;
    finish(scene);
    only(device.events, "closed");
    assert.equal(dump(device.session).includes(dump(token)), false, "the token has outlived the SA");
    for (const payload of [invalidIkeSpi, invalidSpi(spiOut)]) {
      const step = deliver(device, inTheClear(device, [payload, tokenNotify(token)], { flags: 0x20 }));
      assertNoHint(one(step.events));
      assert.deepEqual(step.send, []);
    }
  }
});

test("what other extensions keep for the last answer stays when the tokens go [6290-5.3-a]", () => {
  const keeper = {
    name: "keeper",
    read: (_: unknown, heard: never) => ({
      ...(heard as object),
      session: {
        ...(heard as Device).session,
        extensions: { ...(heard as Device).session.extensions, keeper: 1 },
      },
    }),
  } as never;
  const { device, gateway } = taking({}, { extensions: [keeper, qcd()] });
  deliver(device, gateway.deleteIke());
  assert.deepEqual(device.session.extensions, { keeper: 1 });
});

test("a token is kept with the keys and is told to nobody [6290-9.1-a]", () => {
  const { device, gateway, token } = taking();
  const secret = dump(token);
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  ask(device, gateway, gateway.informational([tokenNotify(token)]));
  const { keys, extensions, ...rest } = device.session;
  assert.equal(dump(extensions).includes(secret), true);
  assert.equal(dump(rest).includes(secret), false);
  assert.equal(dump({ ...extensions, qcd: undefined }).includes(secret), false);
  assert.equal(dump(keys).includes(secret), false);
  assert.equal(dump(device.events).includes(secret), false);
  assert.equal(dump(gateway.log.map(({ datagram }) => datagram)).includes(secret), false);
  assert.equal(dump(take(device, close(device.profile, device.session)).send).includes(secret), false);
});

test("a token survives flash, the memory of the datagram need not", () => {
  const { device, gateway, token } = taking();
  const fresh = octets(32, "fresh");
  const request = gateway.informational([tokenNotify(fresh)]);
  deliver(device, request);
  request.fill(0);
  for (const good of [token, fresh]) {
    const woken = { ...device, session: loadSession(saveSession(device.session)) };
    assertCrashed(woken, answer(woken, [good]));
  }
});

test("the ticket survives the crash, and the next session begins with it [6290-3-e]", () => {
  const { device, gateway, token } = taking();
  const ticket = ticketOf(device.events);
  assertCrashed(device, answer(device, [token]));
  assert.equal(ticketSurvives(only(device.events, "closed")), true);
  const before = gateway.log.length;
  resumeWith(device, gateway, ticket);
  assert.equal(gateway.log[before]!.exchange, 38);
});

test("who is closing anyway has closed: the ticket goes, as it was told to", () => {
  const one = taking();
  take(one.device, close(one.device.profile, one.device.session));
  assertClosed(deliver(one.device, answer(one.device, [one.token])), "requested");
  assert.equal(ticketSurvives(only(one.device.events, "closed")), false);

  const two = taking();
  take(two.device, checkLiveness(two.device.profile, two.device.session));
  take(two.device, close(two.device.profile, two.device.session));
  assert.equal(two.device.session.state, "established");
  assertClosed(deliver(two.device, answer(two.device, [two.token])), "requested");
});

test("without the extension no token is given and none is taken [6290-8.1-c]", () => {
  const { device, gateway, token } = taking({}, { extensions: [resumption()] });
  assert.equal(gateway.sa.token, undefined);
  assert.equal(dump(device.session).includes(dump(token)), false);
  const before = structuredClone(device.session);
  assertIgnored(deliver(device, answer(device, [token], { flags: 0, messageId: 0 })), before, "unprotected");
  // The taker alone gives none either.
  assert.equal(taking().gateway.sa.token, undefined);
  const auth = gateway.log.find(({ direction, exchange: type }) => direction === "in" && type === 35)!;
  assert.equal(find(auth.payloads, Type.NOTIFY)?.body[3], Notify.TICKET_REQUEST & 0xff);
});

test("SPIs in another order make another token", () => {
  const { device } = taking();
  const { spiI, spiR } = device.session;
  assertHint(device, answer(device, [qcdToken(GATEWAY_QCD, GATEWAY_SECRET, spiR, spiI)]), 4);
});
