/** The whole story: the gateway crashes, and the device is back in round trips, not minutes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, type Event, type Extension, timeout } from "ikelet";
import { qcd } from "ikelet/qcd.js";
import { afterResume, resume, resumeEntropyLength, resumption, ticketSurvives } from "ikelet/resumption.js";
import { connect, type Device, deliver, octets, only, take } from "../initiator/harness.ts";
import { one } from "../initiator/scenes.ts";
import { ends, traversing } from "../nat/path.ts";
import { libreswanTickets, type Options, type Responder } from "../responder/index.ts";
import { GATEWAY_QCD, ticketOf } from "./scenes.ts";

/** Carries one datagram to the gateway and its answers back: one round trip. */
function roundTrip(device: Device, gateway: Responder): void {
  const replies = gateway.receive(one(device.step.send));
  assert.equal(replies.length > 0, true, "no answer");
  deliver(device, ...replies);
}

function reasons(events: readonly Event[]): string[] {
  return events.map((event) => (event.type === "closed" ? `closed ${event.reason}` : event.type));
}

/** From the first liveness check after the crash to the new Child SA: how many round trips. */
function recover(device: Device, gateway: Responder): number {
  const ticket = ticketOf(device.events);
  device.events.length = 0;
  gateway.crash();
  let trips = 0;
  take(device, checkLiveness(device.profile, device.session));
  while (!device.events.some(({ type }) => type === "established")) {
    assert.equal(++trips <= 10, true, "no end");
    roundTrip(device, gateway);
    const closed = device.events.find((event) => event.type === "closed");
    if (!closed || device.session.state !== "closed") continue;
    assert.equal(ticketSurvives(closed), true);
    const entropy = octets(resumeEntropyLength(device.profile), "after the crash");
    take(device, resume(device.profile, ticket, 60, entropy));
  }
  return trips;
}

function story(
  extensions: readonly Extension[],
  options: Partial<Options>,
): { device: Device; gateway: Responder } {
  const { device, gateway } = connect({ extensions }, { qcd: GATEWAY_QCD, tickets: {}, ...options });
  assert.deepEqual(gateway.violations, []);
  return { device, gateway };
}

test("crash, liveness check, token, resumption: three round trips [6290-3-e]", () => {
  for (const tickets of [{}, { place: "first", nackSpiR: octets(8) } as const]) {
    const { device, gateway } = story([resumption(), qcd()], { tickets });
    assert.equal(recover(device, gateway), 3);
    assert.deepEqual(reasons(device.events), ["closed crashed", "ticket", "established"]);
    assert.equal(gateway.sa.resumed === undefined, false);
    assert.equal(gateway.sa.sharedSecret, undefined);
    assert.deepEqual(gateway.violations, []);
    // The new session has a token of its own, and can go through it all again.
    assert.equal(recover(device, gateway), 3);
  }
});

test("the same through NATs, and all goes to port 4500 again", () => {
  for (const behind of [{ device: true }, { gateway: true }, { device: true, gateway: true }, {}]) {
    const traversal = traversing();
    const { device, gateway } = story([traversal, resumption(), qcd()], { nat: ends(behind) });
    const before = [traversal.port(device.session), traversal.state(device.session)];
    assert.equal(recover(device, gateway), 3);
    assert.deepEqual([traversal.port(device.session), traversal.state(device.session)], before);
    assert.equal(device.step.wait, behind.device ? 20_000 : 0);
    assert.deepEqual(gateway.violations, []);
  }
});

test("a gateway that asks for a cookie after its reboot costs one round trip more", () => {
  const { device, gateway } = story([resumption(), qcd()], {});
  gateway.options = { ...gateway.options, cookie: { rounds: 1 } };
  assert.equal(recover(device, gateway), 4);
});

test("a gateway in the manner of libreswan", () => {
  const { device, gateway } = story([resumption(), qcd()], { tickets: libreswanTickets });
  const ticket = ticketOf(device.events);
  gateway.crash();
  take(device, checkLiveness(device.profile, device.session));
  roundTrip(device, gateway);
  assert.equal(only(device.events, "closed").reason, "crashed");
  take(device, resume(device.profile, ticket, 60, octets(resumeEntropyLength(device.profile), "1")));
  roundTrip(device, gateway);
  roundTrip(device, gateway);
  const [, refused] = device.events.filter((event) => event.type === "closed");
  const next = afterResume(ticket, refused as never)!;
  device.events.length = 0;
  take(device, resume(device.profile, next, 60, octets(resumeEntropyLength(device.profile), "2")));
  roundTrip(device, gateway);
  roundTrip(device, gateway);
  only(device.events, "established");
});

test("without the extension the same device waits through all its repetitions", () => {
  const { device, gateway } = story([resumption()], {});
  gateway.crash();
  let waited = take(device, checkLiveness(device.profile, device.session)).wait!;
  for (;;) {
    for (const datagram of device.step.send) deliver(device, ...gateway.receive(datagram));
    const { wait, session } = take(device, timeout(device.profile, device.session));
    if (session.state === "closed") break;
    waited += wait!;
  }
  assert.equal(only(device.events, "closed").reason, "timeout");
  assert.equal(waited, 255_000);
});

test("an answer to a repeated request, or to one that was on its way, ends the old session alone", () => {
  const { device, gateway } = story([resumption(), qcd()], {});
  const ticket = ticketOf(device.events);
  gateway.crash();
  const [request] = take(device, checkLiveness(device.profile, device.session)).send;
  const [again] = take(device, timeout(device.profile, device.session)).send;
  const [first] = gateway.receive(request!);
  const [second] = gateway.receive(again!);
  deliver(device, first!);
  assert.equal(only(device.events, "closed").reason, "crashed");
  device.events.length = 0;
  const entropy = octets(resumeEntropyLength(device.profile), "after the crash");
  take(device, resume(device.profile, ticket, 60, entropy));
  const { send } = device.step;
  deliver(device, second!);
  device.step = { ...device.step, send };
  roundTrip(device, gateway);
  deliver(device, second!);
  assert.equal(device.session.state, "authenticating");
  deliver(device, ...gateway.receive(device.session.request!));
  deliver(device, second!);
  only(device.events, "established");
  assert.equal(device.session.state, "established");
});
