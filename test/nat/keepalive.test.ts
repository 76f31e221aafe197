import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close, receive, timeout } from "ikelet";
import { unframe } from "ikelet/nat.js";
import { octets } from "../initiator/harness.ts";
import { concat } from "../responder/index.ts";
import { carry, Driver, drive, GATEWAY, traversing } from "./path.ts";

const MARKER = new Uint8Array(4);
const KEEPALIVE = Uint8Array.of(0xff);

test("after 20 seconds of silence a device behind a NAT sends one octet FF to port 4500 [3948-2.3-a, 3948-4-a]", () => {
  for (const gateway of [false, true]) {
    const { driver } = drive({ device: true, gateway });
    for (let i = 0; i < 3; i++) {
      assert.equal(driver.wait, 20_000);
      const before = structuredClone(driver.session);
      driver.perform(timeout(driver.profile, driver.session));
      assert.deepEqual(driver.inFlight.splice(0), [
        { port: 4500, peer: { ...GATEWAY, port: 4500 }, payload: KEEPALIVE },
      ]);
      assert.deepEqual(driver.session, before);
    }
    assert.deepEqual(unframe(driver.sent.at(-1)!.payload), { type: "keepalive" });
  }
});

test("the interval is the caller's to choose [3948-4-a]", () => {
  const { driver } = drive({ device: true }, { keepalive: 45_000 });
  assert.equal(driver.wait, 45_000);
  driver.perform(timeout(driver.profile, driver.session));
  assert.equal(driver.wait, 45_000);
});

test("only who is behind a NAT himself keeps it alive [3948-4-a]", () => {
  for (const behind of [{}, { gateway: true }]) {
    const { driver } = drive(behind);
    assert.equal(driver.wait, 0);
    const step = timeout(driver.profile, driver.session);
    assert.deepEqual([step.send, step.wait], [[], undefined]);
  }
});

test("a request takes the place of keepalives until it is answered, and then the 20 seconds begin anew [3948-4-a]", () => {
  const { driver, gateway } = drive({ device: true });
  driver.perform(checkLiveness(driver.profile, driver.session));
  assert.equal(driver.wait, 1000);
  const [request] = driver.inFlight.splice(0);
  driver.perform(timeout(driver.profile, driver.session));
  assert.deepEqual(driver.inFlight, [request]);
  assert.equal(driver.wait, 2000);
  carry(driver, gateway);
  assert.equal(driver.wait, 20_000);
  driver.perform(timeout(driver.profile, driver.session));
  assert.deepEqual(driver.inFlight[0]!.payload, KEEPALIVE);
});

test("nothing that comes from the network puts the keepalive off, be it genuine or forged [3948-4-a]", () => {
  const { driver, gateway } = drive({ device: true });
  const request = gateway.liveness();
  const forged = request.slice();
  forged[50]! ^= 1;
  // 4-octet marker taken off. The second delivery is a repetition, the others are ignored.
  for (const datagram of [octets(100), forged, request, request, forged, KEEPALIVE, new Uint8Array(0)]) {
    const step = receive(driver.profile, driver.session, datagram);
    assert.equal(step.wait, undefined);
    driver.perform(step, GATEWAY);
  }
  assert.equal(driver.wait, 20_000);
  driver.inFlight = [];
  driver.perform(timeout(driver.profile, driver.session));
  assert.deepEqual(driver.inFlight[0]!.payload, KEEPALIVE);
});

test("there are keepalives of an established session only, and none after its end [3948-4-b]", () => {
  const traversal = traversing({ force: true });
  const early = new Driver(traversal);
  assert.equal(traversal.idle?.(early.session), undefined);
  early.perform(timeout(early.profile, early.session));
  assert.equal(early.sent.length, 2);
  assert.deepEqual(early.sent[1], early.sent[0]);

  const mine = drive({ device: true });
  mine.driver.perform(close(mine.driver.profile, mine.driver.session));
  assert.equal(mine.driver.wait, 1000);
  carry(mine.driver, mine.gateway);

  const theirs = drive({ device: true });
  theirs.driver.arrived({
    port: 4500,
    peer: { ...GATEWAY, port: 4500 },
    payload: concat(MARKER, theirs.gateway.deleteIke()),
  });

  const lost = drive({ device: true });
  lost.driver.perform(checkLiveness(lost.driver.profile, lost.driver.session));
  for (let i = 0; i < 8; i++) lost.driver.perform(timeout(lost.driver.profile, lost.driver.session));

  for (const { driver } of [mine, theirs, lost]) {
    assert.equal(driver.session.state, "closed");
    assert.equal(driver.wait, 0);
    const { send, wait } = timeout(driver.profile, driver.session);
    assert.deepEqual([send, wait], [[], undefined]);
    const sent = driver.sent.filter(({ payload }) => payload.length === 1);
    assert.equal(sent.length, 0);
  }
});

test("while the gateway's Delete of the Child SA leaves the IKE SA, keepalives go on [3948-4-b]", () => {
  const { driver, gateway } = drive({ device: true });
  driver.arrived({
    port: 4500,
    peer: { ...GATEWAY, port: 4500 },
    payload: concat(MARKER, gateway.deleteChild()),
  });
  assert.equal(driver.session.child, undefined);
  driver.inFlight = [];
  driver.perform(timeout(driver.profile, driver.session));
  assert.deepEqual(driver.inFlight[0]!.payload, KEEPALIVE);
});

test("a session from flash goes on with its keepalives at once [3948-4-a]", () => {
  const { driver } = drive({ device: true });
  const step = timeout(driver.profile, structuredClone(driver.session));
  assert.deepEqual([step.send, step.wait], [[KEEPALIVE], 20_000]);
});
