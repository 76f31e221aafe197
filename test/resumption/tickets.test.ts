/** How a device comes by a ticket, and how it loses it (RFC 5723 sections 4.1, 4.2 and 6.2). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close, type Event, fqdn, type Profile, timeout, wipe } from "ikelet";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { hmacSha384 } from "ikelet/crypto/hmac-sha384.js";
import { qcd } from "ikelet/qcd.js";
import { requestTicket, resume, resumption, type Ticket, ticketSurvives } from "ikelet/resumption.js";
import {
  connect,
  type Device,
  deliver,
  exchange,
  makeProfile,
  octets,
  only,
  take,
} from "../initiator/harness.ts";
import { ask, halfWay, one } from "../initiator/scenes.ts";
import {
  concat,
  Exchange,
  findNotify,
  flip,
  hex,
  libreswanTickets,
  Notify,
  notify,
  type Options,
  type Payload,
  type TicketOptions,
  Type,
  ticketLifetime,
  u32,
} from "../responder/index.ts";
import { frugal, granted, notified, present, read, reconnect, resumable, resumed, types } from "./scenes.ts";

/** A gateway that gives this ticket, if that is one. */
function giving(data: Uint8Array): Partial<Options> {
  return {
    tickets: { answer: "none" },
    edit: { auth: (payloads: Payload[]) => [...payloads, notify(Notify.TICKET_LT_OPAQUE, data)] },
  };
}

test("a ticket is asked for in IKE_AUTH behind TSr: 16410 without data, Protocol ID 0, SPI Size 0 [5723-4.1-a, 5723-7-a]", () => {
  const { gateway } = granted();
  const { payloads } = one(read(gateway, Exchange.IKE_AUTH));
  const last = payloads[payloads.length - 1]!;
  assert.equal(payloads[payloads.length - 2]!.type, Type.TSr);
  assert.equal(last.type, Type.NOTIFY);
  assert.equal(hex(last.body), "0000401a");
  const without = connect();
  const [plain] = read(without.gateway, Exchange.IKE_AUTH);
  assert.equal(notified(plain!, Notify.TICKET_REQUEST), undefined);
  assert.deepEqual(types(without.device.events), ["established"]);
});

test("whatever the answer, the IKE SA and the Child SA come up [5723-4.1-c]", () => {
  const answers: [TicketOptions["answer"], string][] = [
    ["grant", "ticket"],
    ["nack", "refused"],
    ["ack", "later"],
    ["none", "refused"],
  ];
  for (const [answer, result] of answers) {
    const { device, gateway } = connect(resumable(), { tickets: { answer: answer! } });
    const [event, established] = device.events;
    assert.equal(event!.type === "no-ticket" ? event.reason : event!.type, result);
    assert.equal(established!.type, "established");
    assert.equal(device.events.length, 2);
    assert.deepEqual(gateway.violations, []);
  }
});

test("after TICKET_ACK a ticket is asked for in INFORMATIONAL, which we start [5723-4.1-a, 5723-4.1-b]", () => {
  const { device, gateway } = connect(resumable(), { tickets: { answer: "ack" } });
  assert.equal(only(device.events, "no-ticket").reason, "later");
  gateway.options = { ...gateway.options, tickets: {} };
  take(device, requestTicket(device.profile, device.session));
  exchange(device, gateway);
  const seen = one(read(gateway, Exchange.INFORMATIONAL));
  assert.equal(seen.messageId, 2);
  assert.equal(hex(one(seen.payloads).body), "0000401a");
  assert.deepEqual(types(device.events), ["no-ticket", "established", "alive", "ticket"]);
  const { ticket } = only(device.events, "ticket");
  assert.equal(hex(ticket.skD), hex(gateway.sa.keys.skD));
  assert.deepEqual(ticket.remote, device.profile.remote);
  resumed(gateway, ticket, frugal());
});

test("a ticket can be had later of a resumed SA, too, and is signed for in the form that works", () => {
  for (const tickets of [{}, libreswanTickets]) {
    const { gateway, ticket } = granted(tickets);
    gateway.options = { ...gateway.options, tickets: { ...tickets, answer: "ack" } };
    const signed = tickets.signed ? "first-message" : "rfc";
    const device = present({ ...ticket, signed });
    exchange(device, gateway);
    gateway.options = { ...gateway.options, tickets };
    take(device, requestTicket(device.profile, device.session));
    exchange(device, gateway);
    const { ticket: next } = only(device.events, "ticket");
    assert.equal(next.signed, signed);
    assert.deepEqual(next.remote, ticket.remote);
    resumed(gateway, next);
  }
});

test("a session that began without the extension, as under an older firmware, can ask for a ticket", () => {
  const { device, gateway } = connect({}, { tickets: {} });
  const { remote: _, ...open } = makeProfile(resumable());
  for (const profile of [makeProfile(resumable()), open as Profile]) {
    const updated: Device = { ...device, profile, events: [] };
    exchange(updated, gateway.fork(), take(updated, requestTicket(profile, device.session)).send);
    // A ticket is of no use if nobody knows whose it is.
    const found = updated.events.find(({ type }) => type !== "alive");
    assert.equal(found?.type, profile.remote ? "ticket" : "no-ticket");
    if (found?.type === "ticket") assert.deepEqual(found.ticket.remote, profile.remote);
    // What a session keeps is its own.
    wipe(updated.session, device.session);
    assert.deepEqual(profile.remote, profile === open ? undefined : fqdn("gw.example"));
  }
});

test("requestTicket is for a session that is established and at rest", () => {
  const { device, gateway } = granted();
  const asking = checkLiveness(device.profile, device.session).session;
  const closing = close(device.profile, device.session).session;
  const begun = present(only(device.events, "ticket").ticket).session;
  const { session: closed } = close(device.profile, begun);
  for (const session of [asking, closing, begun, closed])
    assert.throws(() => requestTicket(device.profile, session), { name: "IkeletError", code: "state" });
  assert.deepEqual(gateway.violations, []);
});

test("nobody asked: a ticket in a request of the gateway, or in the answer to another one, is none [5723-4.1-b]", () => {
  const { device, gateway } = granted();
  const gift = notify(Notify.TICKET_LT_OPAQUE, ticketLifetime(3600, octets(40)));
  const { answer } = ask(device, gateway, gateway.informational([gift]));
  assert.deepEqual(answer, []);
  gateway.options = { ...gateway.options, edit: { informational: (payloads) => [...payloads, gift] } };
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  assert.deepEqual(types(device.events), ["ticket", "established", "alive"]);
  // While a ticket is asked for, the gateway's own request still is none that gives one.
  const { send } = take(device, requestTicket(device.profile, device.session));
  ask(device, gateway, gateway.informational([gift]));
  assert.equal(device.events.length, 3);
  // One question, one answer.
  gateway.options = { ...gateway.options, edit: {} };
  exchange(device, gateway, send);
  gateway.options = { ...gateway.options, edit: { informational: (payloads) => [...payloads, gift] } };
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  assert.deepEqual(types(device.events), ["ticket", "established", "alive", "alive", "ticket", "alive"]);
});

test("notifications that cannot be read are none: an answer with them is a sign of life, and brings no ticket", () => {
  const { device, gateway } = granted({}, {}, { extensions: [resumption(), qcd()] });
  device.events.length = 0;
  const broken: Payload = { type: Type.NOTIFY, body: Uint8Array.of(0, 9, 0x40, 0x19, 1) };
  gateway.options = { ...gateway.options, edit: { informational: () => [broken] } };
  exchange(device, gateway, take(device, requestTicket(device.profile, device.session)).send);
  assert.deepEqual(types(device.events), ["alive", "no-ticket"]);
});

test("a ticket in the clear is none", () => {
  const gift = notify(Notify.TICKET_LT_OPAQUE, ticketLifetime(3600, octets(40)));
  const { device } = connect(resumable(), {
    tickets: { answer: "none" },
    edit: { saInit: (payloads) => [...payloads, gift] },
  });
  assert.deepEqual(types(device.events), ["no-ticket", "established"]);
  const { gateway, ticket } = granted();
  gateway.options = {
    ...gateway.options,
    tickets: { answer: "none" },
    edit: { resume: (payloads) => [...payloads, gift] },
  };
  assert.deepEqual(types(resumed(gateway, ticket).events), ["no-ticket", "established"]);
});

test("a ticket from an exchange that failed is none [5723-4.2-a]", () => {
  const failures: Partial<Options>[] = [
    { edit: { authData: (data) => flip(data, 3) } },
    { edit: { auth: (payloads) => payloads.filter(({ type }) => type !== Type.AUTH) } },
    { local: { type: 2, data: octets(9) } },
  ];
  for (const failure of failures) {
    const { device, gateway, request } = halfWay(resumable(), { tickets: {} });
    deliver(device, one(gateway.fork(failure).receive(request)));
    assert.deepEqual(types(device.events), ["closed"]);
  }
});

test("lifetime, then the ticket; without either there is none [5723-7.1-a, 5723-6.2-d]", () => {
  const T = octets(77, "ticket");
  const good: [Uint8Array, number, Uint8Array][] = [
    [concat(Uint8Array.of(0, 0, 0x0e, 0x10), T), 3600, T],
    [concat(u32(1), T.slice(0, 1)), 1, T.slice(0, 1)],
    [concat(u32(0xffffffff), T), 0xffffffff, T],
    [concat(u32(0x80000000), T), 0x80000000, T],
  ];
  for (const [data, lifetime, octetsOfIt] of good) {
    const { device } = connect(resumable(), giving(data));
    const { ticket } = only(device.events, "ticket");
    assert.equal(ticket.lifetime, lifetime);
    assert.equal(hex(ticket.ticket), hex(octetsOfIt));
    const { session } = present(ticket, frugal(), lifetime - 1);
    assert.equal(session.state, "initiating");
  }
  for (const data of [new Uint8Array(0), u32(0), u32(3600), u32(3600).slice(0, 3), concat(u32(0), T)]) {
    const { device } = connect(resumable(), giving(data));
    assert.deepEqual(types(device.events), ["no-ticket", "established"]);
  }
});

test("what is stored with the ticket: all that RFC 5723 section 5 takes from there [5723-4.2-c, 5723-9.7-a]", () => {
  const { device, ticket } = granted({ lifetime: 1800 });
  const { skD } = device.session.keys!;
  assert.deepEqual(ticket, {
    ticket: ticket.ticket,
    lifetime: 1800,
    skD,
    encryptionId: 28,
    keyBits: 0,
    integrityId: 0,
    prfId: 5,
    local: device.profile.local,
    remote: device.profile.remote,
    signed: "rfc",
    attempts: 0,
  });
  // Its memory is its own: it can be overwritten.
  assert.notEqual(ticket.skD, skD);
  assert.notEqual(ticket.ticket.buffer, device.session.keys!.skR.buffer);
  // A closed session holds nothing of it.
  const closed = deliver(device, device.session.spiI);
  assert.equal(closed.session.state, "established");
});

test("an expired ticket is refused before anything is sent [5723-4.3.1-a, 5723-6.2-d]", () => {
  const { gateway, ticket } = granted({ lifetime: 600 });
  const count = gateway.log.length;
  for (const elapsed of [600, 601, 1e12, Number.POSITIVE_INFINITY, Number.NaN, -1])
    assert.throws(() => present(ticket, frugal(), elapsed), { name: "IkeletError", code: "ticket" });
  assert.throws(() => present({ ...ticket, lifetime: 0 }, frugal(), 0), { code: "ticket" });
  gateway.now = 599;
  resumed(gateway, ticket, frugal(), 599);
  assert.equal(gateway.log.length > count, true);
  // So the full handshake it is.
  reconnect(gateway, "another day");
});

/** The error names what differs. */
function refusal(field: string): object {
  return { name: "IkeletError", code: "ticket", message: new RegExp(`^${field}: `) };
}

test("a ticket of another suite, another identity or another gateway is refused before anything is sent [5723-4.3.2-f]", () => {
  const { ticket } = granted();
  const { suite } = makeProfile();
  const others = [
    frugal({ suite: { ...suite, cipher: aesGcm(128) } }),
    frugal({ suite: { ...suite, prf: hmacSha384 } }),
    frugal({ local: fqdn("other.example") }),
    frugal({ remote: fqdn("gw2.example") }),
    frugal({ remote: { type: 11, data: ticket.remote.data } }),
  ];
  const named = ["encryptionId", "prfId", "local, remote", "local, remote", "local, remote"];
  for (const [i, profile] of others.entries())
    assert.throws(() => resume(profile, ticket, 0, octets(40)), refusal(named[i]!));
  const foreign: Partial<Ticket>[] = [
    { keyBits: 256 },
    { integrityId: 12 },
    { prfId: 2 },
    { encryptionId: 20 },
  ];
  for (const change of foreign)
    assert.throws(
      () => resume(frugal(), { ...ticket, ...change }, 0, octets(40)),
      refusal(Object.keys(change)[0]!),
    );
});

test("a full handshake is always possible, ticket or not [5723-4.3.1-c]", () => {
  const { gateway, ticket } = granted();
  reconnect(gateway, "anew");
  assert.deepEqual(gateway.violations, []);
  // And the first ticket is as good as before.
  resumed(gateway, ticket);
});

for (const [name, tickets] of Object.entries<TicketOptions>({
  "by value": { form: "value" },
  "by reference": { form: "reference" },
  "of libreswan": { ...libreswanTickets },
}))
  test(`tickets ${name}: ten resumptions in a chain, each with the SK_d of the SA before [5723-4.3.3-e, 5723-4.3.1-b]`, () => {
    const { gateway, ticket: first } = granted(tickets);
    let ticket: Ticket = { ...first, signed: tickets.signed ? "first-message" : "rfc" };
    const seen = new Set<string>();
    for (let i = 0; i < 10; i++) {
      assert.equal(hex(ticket.skD), hex(gateway.sa.keys.skD));
      const device = resumed(gateway, ticket, frugal());
      assert.deepEqual(types(device.events), ["ticket", "established"]);
      ticket = only(device.events, "ticket").ticket;
      seen.add(hex(ticket.ticket)).add(hex(ticket.skD));
      assert.equal(ticket.attempts, 0);
    }
    assert.equal(seen.size, 20);
  });

test("used is a ticket with which an SA came up: the gateway refuses it then, and before that does not [5723-4.3.1-b]", () => {
  const { gateway, ticket } = granted();
  // No SA came up: presented again, with another SPI and nonce.
  gateway.receive(one(present(ticket).step.send));
  gateway.receive(one(present(ticket).step.send));
  resumed(gateway, ticket);
  const late = present(ticket);
  exchange(late, gateway);
  assert.equal(late.session.hint?.notify, Notify.TICKET_NACK);
});

test("one attempt at a time: a ticket is in one session, and goes on only when that is over [5723-9.10-a]", () => {
  const { gateway, ticket } = granted();
  const device = resumed(gateway, ticket);
  // The new one comes in the same step as `established`, in front of it, and takes the place of the old one.
  assert.deepEqual(types(device.step.events), ["ticket", "established"]);
  // Where none comes, the event says that the old one is used up.
  const { ticket: last } = only(device.events, "ticket");
  gateway.options = { ...gateway.options, tickets: { answer: "none" } };
  const { step } = resumed(gateway, last);
  assert.deepEqual(step.events.map(ticketSurvives), [false, true]);
});

test("the old SA, if it is alive, goes without a Delete of ours [5723-4.3.4-b]", () => {
  for (const tickets of [{}, libreswanTickets]) {
    const { device, gateway, ticket } = granted(tickets);
    const old = gateway.sa;
    const signed = tickets.signed ? "first-message" : "rfc";
    const again = present({ ...ticket, signed });
    // What libreswan sends on the old SA first is not for the new one.
    exchange(again, gateway);
    only(again.events, "established");
    assert.equal(old.end, "resumed");
    assert.deepEqual(read(gateway, Exchange.INFORMATIONAL), []);
    // The old session knows nothing of that, and is let go or found dead.
    take(device, checkLiveness(device.profile, device.session));
    exchange(device, gateway);
    assert.equal(device.session.state, "established");
    for (let i = 0; i < 8; i++) take(device, timeout(device.profile, device.session));
    assert.equal(only(device.events, "closed").reason, "timeout");
  }
});

test("a Delete of either side destroys the ticket [5723-6.2-a, 5723-6.2-b]", () => {
  const ours = granted();
  exchange(
    ours.device,
    ours.gateway,
    take(ours.device, close(ours.device.profile, ours.device.session)).send,
  );
  assert.deepEqual(ours.device.step.events.map(ticketSurvives), [false]);
  const late = present(ours.ticket);
  exchange(late, ours.gateway);
  assert.equal(late.session.hint?.notify, Notify.TICKET_NACK);

  const theirs = granted();
  deliver(theirs.device, theirs.gateway.deleteIke());
  assert.deepEqual(theirs.device.step.events.map(ticketSurvives), [false]);

  // We close, and nobody answers.
  const silent = granted();
  take(silent.device, close(silent.device.profile, silent.device.session));
  for (let i = 0; i < 8; i++) take(silent.device, timeout(silent.device.profile, silent.device.session));
  assert.deepEqual(silent.device.step.events.map(ticketSurvives), [false]);

  // There is no Child SA: the session closes itself.
  const { device } = connect(resumable(), { tickets: {}, child: { refuse: Notify.TS_UNACCEPTABLE } });
  const [ticket, failed, closed] = device.events;
  assert.deepEqual([ticket!.type, failed!.type, closed!.type], ["ticket", "child-failed", "closed"]);
  assert.deepEqual(device.events.map(ticketSurvives), [true, false, false]);
});

test("what is no Delete leaves the ticket: silence, sleep, a crash, a Child SA that goes [REC-res-d]", () => {
  const { device, gateway, ticket } = granted();
  gateway.crash();
  take(device, checkLiveness(device.profile, device.session));
  for (let i = 0; i < 8; i++) take(device, timeout(device.profile, device.session));
  assert.equal(only(device.events, "closed").reason, "timeout");
  assert.equal(device.events.every(ticketSurvives), true);
  resumed(gateway, ticket);

  const child = granted();
  ask(child.device, child.gateway, child.gateway.deleteChild());
  assert.equal(child.device.events.every(ticketSurvives), true);
  resumed(child.gateway, child.ticket);

  const others: Event[] = [
    { type: "closed", reason: "exhausted" },
    { type: "closed", reason: "malformed" },
    { type: "closed", reason: "refused", notify: 7 },
    { type: "ignored", reason: "hint", notify: 4 },
    { type: "alive" },
  ];
  assert.equal(others.every(ticketSurvives), true);
});

test("a rekey is refused and changes nothing for the ticket [5723-6.2-c]", () => {
  const { device, gateway, ticket } = granted();
  const { answer } = ask(device, gateway, gateway.rekeyIke());
  assert.equal(findNotify(answer, Notify.NO_ADDITIONAL_SAS) !== undefined, true);
  assert.equal(device.events.every(ticketSurvives), true);
  const later: Device = resumed(gateway, ticket);
  only(later.events, "established");
});

test("a gateway that crashed and says so by its token: the ticket is still good, and the resumed SA has a new token [6290-4.3-a, REC-res-d]", () => {
  const extensions = [resumption(), qcd()];
  const { device, gateway, ticket } = granted(
    {},
    { qcd: { secrets: [octets(32, "secret")] } },
    { extensions },
  );
  const profile = makeProfile({ extensions });
  let next = ticket;
  let current = device;
  for (let i = 0; i < 3; i++) {
    gateway.crash();
    exchange(current, gateway, take(current, checkLiveness(profile, current.session)).send);
    const end = only(current.events, "closed");
    assert.equal(end.reason, "crashed");
    assert.equal(ticketSurvives(end), true);
    current = resumed(gateway, next, profile);
    next = only(current.events, "ticket").ticket;
  }
});
