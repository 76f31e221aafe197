/** The contract of an extension, with extensions that do as little as they may. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, type Extension, timeout } from "ikelet";
import { configuration } from "ikelet/configuration.js";
import { sha1 } from "ikelet/crypto/sha1.js";
import { nat } from "ikelet/nat.js";
import { qcd } from "ikelet/qcd.js";
import { resumption } from "ikelet/resumption.js";
import { Exchange, Notify, notify } from "../responder/index.ts";
import { granted, present } from "../resumption/scenes.ts";
import { connect, deliver, exchange, makeProfile, octets, only, take } from "./harness.ts";
import { ask, inTheClear, one } from "./scenes.ts";

test("an extension that is nothing but a name changes nothing", () => {
  const { device, gateway } = connect({ extensions: [{ name: "nothing" }] });
  only(device.events, "established");
  ask(device, gateway, gateway.liveness());
  deliver(device, inTheClear(device, [notify(Notify.INVALID_SYNTAX)]));
  assert.deepEqual(timeout(device.profile, device.session).send, []);
  assert.deepEqual(gateway.violations, []);
});

test("an extension is told which exchange it reads, and whether we have asked", () => {
  const told: [number, boolean][] = [];
  const listener: Extension = {
    name: "listener",
    read: (_, heard, type, isResponse) => {
      told.push([type, isResponse]);
      return heard;
    },
  };
  const { device, gateway } = connect({ extensions: [listener] });
  exchange(device, gateway, take(device, checkLiveness(device.profile, device.session)).send);
  ask(device, gateway, gateway.liveness());
  assert.deepEqual(told, [
    [Exchange.IKE_SA_INIT, true],
    [Exchange.IKE_AUTH, true],
    [Exchange.INFORMATIONAL, true],
    [Exchange.INFORMATIONAL, false],
  ]);
});

test("an initial exchange that does not look at refusals leaves them to the core: they are hints", () => {
  const { gateway, ticket } = granted();
  const { refused: _, ...initial } = resumption().initial!;
  const device = present(ticket, makeProfile({ extensions: [{ ...resumption(), initial }] }));
  const edit = { resume: () => [notify(Notify.NO_PROPOSAL_CHOSEN)] };
  deliver(device, one(gateway.fork({ edit }).receive(one(device.step.send))));
  assert.equal(device.session.hint?.notify, Notify.NO_PROPOSAL_CHOSEN);
  exchange(device, gateway, [device.session.request!]);
  only(device.events, "established");
});

test("what an extension wants to send while all is quiet is all that happens then", () => {
  const idle = { wait: 5000, send: octets(1) };
  const { device } = connect({ extensions: [{ name: "silent" }, { name: "talker", idle: () => idle }] });
  const { session } = device;
  assert.equal(device.step.wait, 5000);
  assert.deepEqual(timeout(device.profile, session), {
    session,
    send: [idle.send],
    events: [],
    wait: 5000,
  });
});

test("each extension keeps what it keeps under a name of its own", () => {
  const traversal = nat({ sha1, remote: { address: octets(4), port: 500 } });
  const names = [configuration(), traversal, qcd(), resumption()].map(({ name }) => name);
  assert.deepEqual(names, ["configuration", "nat", "qcd", "resumption"]);
});
