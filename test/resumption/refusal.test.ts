/** The gateway does not want the ticket, does not answer, or signs in another way. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { close, type Event, timeout } from "ikelet";
import { afterResume, resumption, type Ticket } from "ikelet/resumption.js";
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
} from "../initiator/harness.ts";
import { assertIgnored, one } from "../initiator/scenes.ts";
import {
  Exchange,
  flip,
  fromHex,
  hex,
  libreswanTickets,
  Notify,
  notify,
  type Responder,
  unprotectedResponse,
} from "../responder/index.ts";
import { frugal, granted, present, read, reconnect, resumable, types } from "./scenes.ts";

const nack = notify(Notify.TICKET_NACK);

function timeOut(device: Device): void {
  take(device, timeout(device.profile, device.session));
}

function lastEvent(device: Device): Extract<Event, { type: "closed" }> {
  return only(device.events, "closed");
}

/** What the documentation says: present the ticket as long as `afterResume` says so, then the full handshake. */
function comeBack(gateway: Responder, ticket: Ticket): { devices: Device[]; waited: number } {
  const devices: Device[] = [];
  let waited = 0;
  for (let next: Ticket | undefined = ticket; next; ) {
    const device = present(next, frugal());
    devices.push(device);
    exchange(device, gateway);
    let wait = device.step.wait ?? 1000;
    while (device.session.state === "initiating" || device.session.state === "authenticating") {
      waited += wait;
      timeOut(device);
      exchange(device, gateway);
      wait = device.step.wait ?? wait;
    }
    if (device.session.state === "established") return { devices, waited };
    next = afterResume(next, lastEvent(device));
    assert.equal(devices.length < 5, true);
  }
  devices.push(reconnect(gateway, `full ${devices.length}`));
  return { devices, waited };
}

test("a genuine TICKET_NACK: a second of grace, then the full handshake with another SPI and nonce [5723-4.3.2-h, REC-res-a]", () => {
  for (const nackSpiR of [new Uint8Array(8), fromHex("0102030405060708")]) {
    const { gateway, ticket } = granted({ nackSpiR });
    gateway.options = { ...gateway.options, tickets: { nackSpiR, key: octets(32, "another key") } };
    const device = present(ticket);
    const { session } = device;
    deliver(device, one(gateway.receive(one(device.step.send))));
    assert.deepEqual(device.step.events, [{ type: "ignored", reason: "hint", notify: 16412 }]);
    assert.equal(device.step.wait, 1000);
    assert.deepEqual(device.step.send, []);
    timeOut(device);
    const hint = { notify: 16412, data: new Uint8Array(0) };
    assert.deepEqual(device.events, [{ type: "closed", reason: "timeout", notify: undefined, hint }]);
    assert.equal(afterResume(ticket, lastEvent(device)), undefined);
    const full = reconnect(gateway, "full");
    assert.notEqual(hex(full.session.spiI), hex(session.spiI));
    const { messageId, datagram } = read(gateway, Exchange.IKE_SA_INIT)[1]!;
    assert.equal(messageId, 0);
    assert.notEqual(hex(datagram.slice(-16)), hex(session.handshake!.nonceI));
    only(full.events, "ticket");
  }
});

test("a forged TICKET_NACK, and the genuine answer within the grace: the session is resumed [REC-res-a]", () => {
  const { gateway, ticket } = granted();
  const device = present(ticket);
  const request = one(device.step.send);
  deliver(device, unprotectedResponse(request, [nack]));
  assert.equal(device.session.state, "initiating");
  exchange(device, gateway, [request]);
  assert.deepEqual(types(device.events), ["ticket", "established"]);
  assert.equal(device.session.hint, undefined);
  assert.deepEqual(gateway.violations, []);
});

test("a cookie within the grace is answered, and all is well", () => {
  const { gateway, ticket } = granted();
  gateway.options = { ...gateway.options, cookie: { rounds: 2 } };
  const device = present(ticket);
  const request = one(device.step.send);
  deliver(device, unprotectedResponse(request, [nack]));
  exchange(device, gateway, [request]);
  only(device.events, "established");
});

test("who repeats TICKET_NACK does not put off the end, whatever stands between [REC-res-a]", () => {
  const { ticket } = granted();
  const device = present(ticket);
  const request = one(device.step.send);
  const refusal = unprotectedResponse(request, [nack]);
  assert.equal(deliver(device, refusal).wait, 1000);
  const between = [
    refusal,
    unprotectedResponse(request, [notify(Notify.NO_PROPOSAL_CHOSEN)]),
    unprotectedResponse(request, [nack, nack]),
    unprotectedResponse(request, [notify(Notify.INVALID_SYNTAX), nack]),
    unprotectedResponse(request, [notify(Notify.AUTHENTICATION_FAILED)]),
    refusal,
  ];
  for (let i = 0; i < 50; i++) {
    const step = deliver(device, between[i % between.length]!);
    assert.equal(step.wait, undefined);
    assert.deepEqual(step.send, []);
  }
  timeOut(device);
  assert.equal(device.session.state, "closed");
});

test("a refusal that is not for our request is passed over", () => {
  const { ticket } = granted();
  const device = present(ticket);
  const request = one(device.step.send);
  const before = structuredClone(device.session);
  const wrong: [Uint8Array, string][] = [
    [unprotectedResponse(request, [nack], { spiI: octets(8, "other") }), "foreign"],
    [unprotectedResponse(request, [nack], { flags: 0x28 }), "foreign"],
    [unprotectedResponse(request, [nack], { flags: 0 }), "unexpected"],
    [unprotectedResponse(request, [nack], { messageId: 1 }), "unexpected"],
    [unprotectedResponse(request, [nack], { exchange: 34 }), "unexpected"],
    [unprotectedResponse(request, [nack], { exchange: 37 }), "unexpected"],
  ];
  for (const [datagram, reason] of wrong) assertIgnored(deliver(device, datagram), before, reason);
});

test("TICKET_NACK means nothing to another exchange: IKE_SA_INIT, IKE_AUTH, a session that is up", () => {
  const { gateway, ticket } = granted();
  const fresh = makeDevice(resumable());
  const answer = unprotectedResponse(one(fresh.step.send), [nack]);
  assertIgnored(deliver(fresh, answer), structuredClone(fresh.session), "malformed");
  const device = present(ticket);
  deliver(device, one(gateway.receive(one(device.step.send))));
  const auth = one(device.step.send);
  assertIgnored(
    deliver(device, unprotectedResponse(auth, [nack])),
    structuredClone(device.session),
    "unprotected",
  );
  exchange(device, gateway, [auth]);
  assertIgnored(
    deliver(device, unprotectedResponse(auth, [nack])),
    structuredClone(device.session),
    "unexpected",
  );
});

test("the grace is adjustable, and never longer than asked for", () => {
  const { ticket } = granted();
  const extensions = [resumption({ grace: 250 })];
  const device = present(ticket, makeProfile({ extensions }));
  assert.equal(deliver(device, unprotectedResponse(one(device.step.send), [nack])).wait, 250);
});

test("the last request is out when the refusal comes: grace, then the end", () => {
  const { ticket } = granted();
  const device = present(ticket, undefined, 0, { sends: 1 });
  assert.equal(device.step.wait, 1000);
  assert.equal(deliver(device, unprotectedResponse(one(device.step.send), [nack])).wait, 1000);
  timeOut(device);
  assert.equal(device.session.state, "closed");
});

test("silence: three sends in 7 s, a fresh attempt, then the full handshake [REC-res-b, 5723-4.3.2-i]", () => {
  const { ticket } = granted();
  const waits: (number | undefined)[] = [];
  const sent: string[] = [];
  let attempts = 0;
  for (let next: Ticket | undefined = ticket; next; attempts++) {
    const device: Device = present(next);
    while (device.session.state !== "closed") {
      waits.push(device.step.wait);
      sent.push(hex(one(device.step.send)));
      timeOut(device);
    }
    assert.equal(device.step.wait, 0);
    next = afterResume(next, lastEvent(device));
    assert.equal(attempts < 5, true);
  }
  assert.equal(attempts, 2);
  assert.deepEqual(waits, [1000, 2000, 4000, 1000, 2000, 4000]);
  // Repeated bit for bit, then with another SPI and nonce.
  assert.deepEqual(
    sent.map((datagram) => sent.indexOf(datagram)),
    [0, 0, 0, 3, 3, 3],
  );
});

test("the schedule is adjustable, within the profile's waits", () => {
  const { ticket } = granted();
  const retransmission = { wait: 300, sends: 2 };
  const device = present(ticket, makeProfile(resumable({ retransmission })), 0, { sends: 4 });
  const waits: (number | undefined)[] = [];
  while (device.session.state !== "closed") {
    waits.push(device.step.wait);
    timeOut(device);
  }
  assert.deepEqual(waits, [300, 600, 1200, 2400]);
  const silence = lastEvent(device);
  assert.equal(afterResume(ticket, silence, { attempts: 1 }), undefined);
  assert.equal(afterResume({ ...ticket, attempts: 2 }, silence, { attempts: 4 })?.attempts, 3);
  // IKE_AUTH behind it has the same patience: a damaged ticket must not cost minutes.
  const { gateway, ticket: other } = granted();
  const next = present(other, makeProfile(resumable({ retransmission })), 0, { sends: 4 });
  deliver(next, one(gateway.receive(one(next.step.send))));
  for (let sends = 1; sends < 4; sends++) {
    timeOut(next);
    assert.equal(next.session.state, "authenticating");
  }
  timeOut(next);
  assert.equal(next.session.state, "closed");
});

test("a gateway that never answers a repeated request, and whose answer was lost: the fresh attempt comes through [REC-res-b, 5723-4.3.1-b]", () => {
  const { gateway, ticket } = granted({ silentOnRepeat: true });
  const device = present(ticket);
  gateway.receive(one(device.step.send)); // The answer is lost.
  while (device.session.state !== "closed") {
    timeOut(device);
    exchange(device, gateway);
  }
  const next = afterResume(ticket, lastEvent(device))!;
  assert.equal(next.attempts, 1);
  const { devices } = comeBack(gateway, next);
  assert.equal(devices.length, 1);
  assert.deepEqual(types(devices[0]!.events), ["ticket", "established"]);
  assert.equal(only(devices[0]!.events, "ticket").ticket.attempts, 0);
});

test("errors in the clear are hints, the ticket is presented again, and the end is told [REC-res-b]", () => {
  for (const error of [Notify.INVALID_SYNTAX, Notify.NO_PROPOSAL_CHOSEN, Notify.AUTHENTICATION_FAILED]) {
    const { ticket } = granted();
    const device = present(ticket);
    const answer = unprotectedResponse(one(device.step.send), [notify(error)]);
    assert.deepEqual(deliver(device, answer).events, [{ type: "ignored", reason: "hint", notify: error }]);
    assert.equal(device.step.wait, undefined);
    while (device.session.state !== "closed") timeOut(device);
    assert.equal(lastEvent(device).hint?.notify, error);
    // The form of AUTH does not change by what anybody can say.
    assert.equal(afterResume(ticket, lastEvent(device))?.signed, "rfc");
  }
});

const gateways: Record<string, [Parameters<typeof granted>[0], (gateway: Responder) => void, number]> = {
  "restarted, tickets by reference": [{ form: "reference" }, (gateway) => gateway.crash(), 2],
  "restarted, with another key": [
    libreswanTickets,
    (gateway) => {
      gateway.crash();
      gateway.options = { ...gateway.options, tickets: { ...libreswanTickets, key: octets(32, "new") } };
    },
    2,
  ],
  "with resumption switched off": [{}, (gateway) => delete gateway.options.tickets, 2],
  "silent about malformed tickets": [
    {},
    (gateway) => {
      gateway.options = { ...gateway.options, tickets: { malformed: "silence", key: octets(32, "new") } };
    },
    3,
  ],
  "that lets the ticket expire before its time": [{ lifetime: 60 }, (gateway) => (gateway.now = 61), 2],
};

for (const [name, [tickets, change, sessions]] of Object.entries(gateways))
  test(`a gateway ${name}: back by a full handshake, within 14 s [5723-4.3.2-h, REC-res-b]`, () => {
    const { gateway, ticket } = granted(tickets);
    change(gateway);
    const { devices, waited } = comeBack(gateway, ticket);
    assert.equal(devices.length, sessions);
    assert.equal(waited <= 14_000, true, `${waited}`);
    only(devices[sessions - 1]!.events, "established");
    assert.deepEqual(gateway.violations, []);
  });

test("a ticket that was damaged in our hands, or is from another gateway: refused, full handshake", () => {
  const { gateway, ticket } = granted();
  const other = granted().gateway;
  other.options = { ...other.options, tickets: { key: octets(32, "other gateway") } };
  const damaged = { ...ticket, ticket: flip(ticket.ticket, 20) };
  for (const [at, record] of [
    [gateway, damaged],
    [other, ticket],
  ] as const)
    assert.equal(comeBack(at, record).devices.length, 2);
  // Our SK_d is damaged: the gateway takes the ticket, but neither side can read the other.
  const { devices } = comeBack(gateway, { ...ticket, skD: flip(ticket.skD, 0) });
  assert.equal(devices.length, 3);
  assert.equal(lastEvent(devices[0]!).reason, "timeout");
});

test("libreswan's form: AUTHENTICATION_FAILED under the keys of the ticket leads from one form to the other [REC-res-b]", () => {
  const { gateway, ticket } = granted(libreswanTickets);
  const { devices } = comeBack(gateway, ticket);
  assert.equal(devices.length, 2);
  const [first, second] = devices;
  assert.deepEqual(
    { ...lastEvent(first!) },
    { type: "closed", reason: "refused", notify: Notify.AUTHENTICATION_FAILED, hint: undefined },
  );
  // Remembered: from now on there is no detour.
  let next = only(second!.events, "ticket").ticket;
  assert.equal(next.signed, "first-message");
  for (let i = 0; i < 3; i++) {
    const { devices } = comeBack(gateway, next);
    assert.equal(devices.length, 1);
    next = only(devices[0]!.events, "ticket").ticket;
  }
  // The gateway has learnt RFC 5723: full handshake, and from there on in its form.
  gateway.options = { ...gateway.options, tickets: {} };
  const mended = comeBack(gateway, next).devices;
  assert.equal(mended.length, 2);
  const { ticket: fresh } = only(mended[1]!.events, "ticket");
  assert.equal(fresh.signed, "rfc");
  assert.equal(comeBack(gateway, fresh).devices.length, 1);
});

test("a gateway that spends the ticket at IKE_SESSION_RESUME: the second form gets a refusal, then the full handshake", () => {
  const { gateway, ticket } = granted({ spentAt: "resume", signed: "libreswan" });
  const { devices } = comeBack(gateway, ticket);
  assert.deepEqual(
    devices.map(({ session }) => session.state),
    ["closed", "closed", "established"],
  );
});

test("refused in both forms: no third attempt, no loop on one ticket [REC-res-b]", () => {
  const { gateway, ticket } = granted();
  gateway.options = { ...gateway.options, remote: { type: 2, data: octets(8, "nobody") } };
  const first = present(ticket);
  exchange(first, gateway);
  const second = afterResume(ticket, lastEvent(first))!;
  assert.equal(second.signed, "first-message");
  const device = present(second);
  exchange(device, gateway);
  assert.equal(lastEvent(device).reason, "refused");
  assert.equal(afterResume(second, lastEvent(device)), undefined);
});

test("the form changes by nothing else than a protected AUTHENTICATION_FAILED", () => {
  const { ticket } = granted();
  const events: Extract<Event, { type: "closed" }>[] = [
    { type: "closed", reason: "authentication" },
    { type: "closed", reason: "identity" },
    { type: "closed", reason: "malformed" },
    { type: "closed", reason: "requested" },
    { type: "closed", reason: "deleted" },
    { type: "closed", reason: "exhausted" },
    { type: "closed", reason: "refused", notify: Notify.INVALID_SYNTAX },
    { type: "closed", reason: "refused", notify: Notify.NO_PROPOSAL_CHOSEN },
    { type: "closed", reason: "timeout", hint: { notify: Notify.TICKET_NACK, data: new Uint8Array(0) } },
  ];
  for (const event of events) assert.equal(afterResume(ticket, event), undefined, JSON.stringify(event));
  const hint = { notify: Notify.AUTHENTICATION_FAILED, data: new Uint8Array(0) };
  const silence = afterResume(ticket, { type: "closed", reason: "timeout", hint });
  assert.deepEqual(silence, { ...ticket, attempts: 1 });
});

test("in libreswan's form the gateway's AUTH has to be in that form, too", () => {
  const { gateway, ticket } = granted(libreswanTickets);
  const device = present({ ...ticket, signed: "first-message" });
  deliver(device, one(gateway.receive(one(device.step.send))));
  const other = gateway.fork({ edit: { authData: (data) => flip(data, 0) } });
  const step = deliver(device, one(other.receive(one(device.step.send)).slice(-1)));
  assert.deepEqual(types(step.events), ["closed"]);
  assert.equal(lastEvent(device).reason, "authentication");
});

test("given up on the way: nothing to tell, and nothing is kept", () => {
  const { gateway, ticket } = granted();
  const device = present(ticket);
  const other = present(ticket);
  deliver(other, one(gateway.receive(one(other.step.send))));
  for (const { profile, session } of [device, other]) {
    const step = close(profile, session);
    assert.deepEqual(step.send, []);
    assert.deepEqual(Object.keys(step.session).sort(), [
      "ivCounter",
      "messageId",
      "peerMessageId",
      "sends",
      "spiI",
      "spiR",
      "state",
    ]);
  }
});

test("a gateway that has never heard of resumption: its errors are hints, then the full handshake", () => {
  const { ticket } = granted();
  const gateway = makeGateway();
  const { devices } = comeBack(gateway, ticket);
  only(devices[devices.length - 1]!.events, "established");
});
