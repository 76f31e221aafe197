import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkLiveness, close, net, receive, timeout } from "ikelet";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import { inboundSa, open, outboundSa, seal } from "ikelet/esp.js";
import { unframe } from "ikelet/nat.js";
import { makeGateway, octets, only } from "../initiator/harness.ts";
import { one } from "../initiator/scenes.ts";
import {
  concat,
  Exchange,
  hex,
  openEsp,
  sealEsp,
  towardsDevice,
  towardsGateway,
} from "../responder/index.ts";
import {
  type Behind,
  carry,
  DEVICE,
  Driver,
  drive,
  ends,
  GATEWAY,
  MAPPED,
  type Packet,
  serve,
  traversing,
} from "./path.ts";

const MARKER = new Uint8Array(4);
const BEHIND: Behind[] = [{ device: true }, { gateway: true }, { device: true, gateway: true }];

/** Where the packets went: our port, that of the gateway, and whether the marker stands in front. */
function ways(packets: readonly Packet[]): string[] {
  return packets.map(({ port, peer, payload }) => {
    const marked = hex(payload.slice(0, 4)) === "00000000";
    return `${port} ${peer.port}${marked ? " marked" : ""}`;
  });
}

test("with a NAT all that follows the first exchange goes from 4500 to 4500 [7296-2.23-e, 7296-2-c]", () => {
  for (const behind of BEHIND) {
    const { driver, gateway } = drive(behind);
    driver.perform(checkLiveness(driver.profile, driver.session));
    carry(driver, gateway);
    driver.arrived({
      port: 4500,
      peer: { ...GATEWAY, port: 4500 },
      payload: concat(MARKER, gateway.liveness()),
    });
    carry(driver, gateway);
    driver.perform(close(driver.profile, driver.session));
    carry(driver, gateway);
    assert.equal(gateway.sa.stage, "gone");
    assert.deepEqual(ways(driver.sent), ["500 500", ...new Array(4).fill("4500 4500 marked")]);
    assert.equal(gateway.answers.length, 1);
    assert.deepEqual(gateway.violations, []);
  }
});

test("without a NAT all stays on 500, in the form of that port [7296-2-c, 7296-2.23-e]", () => {
  const { driver, gateway } = drive({});
  driver.perform(close(driver.profile, driver.session));
  carry(driver, gateway);
  assert.deepEqual(ways(driver.sent), new Array(3).fill("500 500"));
});

test("a request is repeated where it was sent first: IKE_SA_INIT to 500, IKE_AUTH to 4500 [7296-2.23-a, 7296-2.23-e]", () => {
  const traversal = traversing();
  const driver = new Driver(traversal);
  const gateway = makeGateway({ nat: ends({ device: true }), cookie: { rounds: 1 } });
  const repeat = () => driver.perform(timeout(driver.profile, driver.session));
  repeat();
  const [request] = driver.inFlight.splice(0);
  for (const reply of serve(gateway, request!)) driver.arrived(reply);
  repeat();
  const [retry] = driver.inFlight.splice(0);
  for (const reply of serve(gateway, retry!)) driver.arrived(reply);
  repeat();
  repeat();
  assert.deepEqual(ways(driver.sent), [
    ...new Array(4).fill("500 500"),
    ...new Array(3).fill("4500 4500 marked"),
  ]);
  assert.deepEqual(driver.sent[6], driver.sent[4]);
  carry(driver, gateway);
  assert.equal(driver.session.state, "established");
});

test("a device may start on 4500, and stays there without any NAT [7296-2.23-h]", () => {
  const remote = { ...GATEWAY, port: 4500 };
  const local = { ...DEVICE, port: 4500 };
  const answered = [{ nat: { local: remote, remote: local } }, { nat: undefined as never }];
  for (const options of answered) {
    const { driver, traversal, gateway } = drive({}, { remote, local }, {}, options);
    assert.deepEqual(ways(driver.sent), ["4500 4500 marked", "4500 4500 marked"]);
    for (const { payload } of driver.sent)
      assert.equal(Buffer.from(payload).readUInt32BE(28), payload.length - 4);
    // That AUTH is good on both sides says that the marker is in no signed octets.
    assert.deepEqual(gateway.sa.messageI, driver.sent[0]!.payload.slice(4));
    assert.equal(traversal.encapsulates(driver.session), false);
  }
  const { driver, traversal } = drive({ device: true }, { remote, local });
  assert.equal(traversal.encapsulates(driver.session), true);
});

test("a device that has to encapsulate can say so [7296-2.23-e]", () => {
  const { driver, traversal } = drive({}, { force: true });
  assert.deepEqual(ways(driver.sent), ["500 500", "4500 4500 marked"]);
  assert.equal(traversal.encapsulates(driver.session), true);
});

test("the marker is four zeros, and counts in no length, ICV, AAD or AUTH [3948-2.2-a, 7296-3.1-d, 7296-2-c]", () => {
  const [plain, nat] = [drive({}), drive({ device: true })];
  for (const [{ driver, gateway }, marker] of [
    [plain, 0],
    [nat, 4],
  ] as const) {
    const request = driver.sent[1]!.payload;
    assert.equal(hex(request.slice(0, marker)), "00".repeat(marker));
    assert.equal(Buffer.from(request).readUInt32BE(marker + 24), request.length - marker);
    // The gateway, which never sees a marker, has opened and verified exactly these octets.
    const opened = one(gateway.log.filter((m) => m.direction === "in" && m.exchange === Exchange.IKE_AUTH));
    assert.deepEqual(request.slice(marker), opened.datagram);
    assert.equal(gateway.sa.stage, "up");
  }
});

test("what comes on 500 with a marker, or on 4500 without one, is no IKE message [7296-2-c]", () => {
  const { driver, gateway } = drive({ device: true });
  const request = gateway.liveness();
  const before = structuredClone(driver.session);
  driver.arrived({ port: 4500, peer: GATEWAY, payload: request });
  assert.equal(unframe(request)?.type, "esp");
  assert.equal(driver.events.filter(({ type }) => type === "ignored").length, 0);
  driver.arrived({ port: 500, peer: GATEWAY, payload: concat(MARKER, request) });
  assert.deepEqual(driver.events.at(-1), { type: "ignored", reason: "malformed", notify: undefined });
  assert.deepEqual(driver.session, before);
  driver.arrived({ port: 4500, peer: GATEWAY, payload: concat(MARKER, request) });
  carry(driver, gateway);
  assert.equal(gateway.answers.length, 1);
});

test("IKE, ESP and keepalives are told apart, and the rest is dropped [REC-nat-b]", () => {
  const ike = concat(MARKER, octets(40));
  assert.deepEqual(unframe(ike), { type: "ike", datagram: octets(40) });
  assert.deepEqual(unframe(Uint8Array.of(0xff)), { type: "keepalive" });
  for (const spi of ["00000001", "00000100", "01000000", "ffffffff"]) {
    const packet = concat(Buffer.from(spi, "hex"), octets(36));
    assert.deepEqual(unframe(packet), { type: "esp", datagram: packet });
    assert.equal(unframe(packet.slice(0, 8))?.type, "esp");
    for (const length of [1, 2, 3, 4, 7])
      assert.equal(
        unframe(packet.slice(0, length))?.type,
        spi === "ffffffff" && length === 1 ? "keepalive" : undefined,
      );
  }
  for (const length of [0, 1, 3, 4, 7]) assert.equal(unframe(new Uint8Array(length)), undefined);
  for (const octet of [0, 1, 0xfe]) assert.equal(unframe(Uint8Array.of(octet)), undefined);
  assert.equal(unframe(Uint8Array.of(0xff, 0xff)), undefined);
});

test("any payload is told apart without fault, on every port [REC-nat-b]", () => {
  const { driver } = drive({ device: true });
  const start = fc.constantFrom("", "00000000", "000000", "ff", "00000001");
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 80 }), fc.constantFrom(500, 4500), (hexed, rest, port) => {
      const payload = concat(Buffer.from(hexed, "hex"), rest);
      const copy = payload.slice();
      const found = unframe(payload, port);
      assert.deepEqual(payload, copy);
      if (port === 500) return assert.deepEqual(found, { type: "ike", datagram: payload });
      if (found?.type === "ike") assert.deepEqual(concat(MARKER, found.datagram), payload);
      else if (found?.type === "esp") assert.deepEqual(found.datagram, payload);
      else assert.equal(payload.length < 8, true, hex(payload));
      if (found?.type === "ike")
        assert.equal(receive(driver.profile, driver.session, found.datagram).session, driver.session);
    }),
    { numRuns: 500 },
  );
});

test("the answer to a Delete, and its repetition, goes the same way as all before [7296-2-c, 7296-2.23-l]", () => {
  const { driver, gateway } = drive({ device: true });
  const peer = { ...GATEWAY, port: 4500 };
  const payload = concat(MARKER, gateway.deleteIke());
  driver.arrived({ port: 4500, peer, payload });
  assert.equal(driver.session.state, "closed");
  driver.arrived({ port: 4500, peer, payload });
  assert.deepEqual(ways(driver.sent).slice(2), ["4500 4500 marked", "4500 4500 marked"]);
  carry(driver, gateway);
  assert.equal(gateway.sa.end, "Delete of the gateway");
  assert.deepEqual(gateway.violations, []);
});

test("messages are taken from any port, and the answer goes back there [7296-2.23-l]", () => {
  for (const behind of [{}, ...BEHIND]) {
    const { driver, gateway, traversal } = drive(behind);
    const port = traversal.port(driver.session);
    const peer = { ...GATEWAY, port: 1024 };
    const request = gateway.liveness();
    driver.arrived({ port, peer, payload: traversal.frame(driver.session, request) });
    const answer = driver.sent.at(-1)!;
    assert.deepEqual([answer.port, answer.peer], [port, peer]);
    gateway.receive(port === 500 ? answer.payload : answer.payload.slice(4));
    assert.equal(gateway.answers.length, 1);
  }
  // Also the response of the first exchange.
  const driver = new Driver(traversing());
  const gateway = makeGateway({ nat: ends() });
  for (const reply of serve(gateway, driver.inFlight.splice(0)[0]!))
    driver.arrived({ ...reply, peer: { ...GATEWAY, port: 1024 } });
  assert.equal(driver.session.state, "authenticating");
  // That one is not authenticated: nobody is followed.
  assert.deepEqual(ways(driver.inFlight), ["500 500"]);
  assert.equal(driver.moved, undefined);
});

test("a gateway whose mapping moves is followed, unless we are behind a NAT ourselves [7296-2.23-k]", () => {
  const elsewhere = { address: MAPPED.address, port: 4711 };
  const back = { ...GATEWAY, port: 4500 };
  for (const device of [false, true])
    for (const behindGateway of [false, true]) {
      const { driver, gateway, traversal } = drive({ device, gateway: behindGateway });
      const port = traversal.port(driver.session);
      const frame = (datagram: Uint8Array) => traversal.frame(driver.session, datagram);
      const target = () => {
        driver.perform(checkLiveness(driver.profile, driver.session));
        const { peer } = driver.inFlight[0]!;
        carry(driver, gateway);
        return peer;
      };
      const home = { ...GATEWAY, port };
      assert.deepEqual(target(), home);

      // Forged, old, or somebody else's.
      const request = gateway.liveness();
      const forged = request.slice();
      forged[40]! ^= 1;
      driver.arrived({ port, peer: elsewhere, payload: frame(forged) });
      driver.arrived({ port, peer: elsewhere, payload: frame(octets(80)) });
      assert.deepEqual(target(), home);

      driver.arrived({ port, peer: elsewhere, payload: frame(request) });
      carry(driver, gateway);
      const expected = device ? home : elsewhere;
      assert.deepEqual(target(), device ? home : elsewhere);

      // The replayed old packet does not change it back, but is answered where it came from.
      driver.arrived({ port, peer: back, payload: frame(request) });
      assert.deepEqual(driver.inFlight.splice(0)[0]!.peer, back);
      driver.perform(checkLiveness(driver.profile, driver.session));
      assert.deepEqual(driver.inFlight[0]!.peer, expected);

      // A response that is awaited is as good as a request, and the repetition of ours goes there too.
      assert.equal(traversal.follows(driver.session, driver.session), false);
      assert.equal(traversal.follows(driver.session), !device);
    }
});

test("a gateway without NAT traversal is not followed: nobody knows where we are [7296-2.23-k]", () => {
  const { driver, traversal, gateway } = drive({}, {}, {}, { nat: undefined as never });
  driver.arrived({ port: 500, peer: MAPPED, payload: gateway.liveness() });
  assert.equal(driver.moved, undefined);
  assert.equal(traversal.follows(driver.session), false);
});

test("a keepalive of the gateway is nothing, not even a sign of life [3948-2.3-b]", () => {
  const { driver } = drive({ device: true });
  driver.perform(checkLiveness(driver.profile, driver.session));
  const before = structuredClone(driver.session);
  const count = driver.events.length;
  driver.arrived({ port: 4500, peer: GATEWAY, payload: Uint8Array.of(0xff) });
  assert.deepEqual(driver.session, before);
  assert.equal(driver.events.length, count);
  // Nor is it one where a careless driver hands it on.
  const step = receive(driver.profile, driver.session, Uint8Array.of(0xff));
  assert.deepEqual(step.events, [{ type: "ignored", reason: "malformed", notify: undefined }]);
  assert.equal(step.wait, undefined);
});

test("no SPI of ESP looks like the marker [3948-2.1-a]", () => {
  const zeros = new Uint8Array(64);
  for (const entropy of [zeros, octets(64), new Uint8Array(64).fill(255)]) {
    const { driver, gateway } = drive({ device: true }, {}, {}, {});
    const { child } = only(driver.events, "established");
    assert.equal(child.inbound.spi >= 256 && child.outbound.spi >= 256, true);
    const packet = sealEsp(towardsDevice(gateway.sa.child!), 1, entropy, 59);
    assert.equal(unframe(packet)?.type, "esp");
  }
});

function ipv4(source: readonly number[], destination: readonly number[], data: Uint8Array): Uint8Array {
  const header = [0x45, 0, 0, 20 + data.length, 0, 0, 0, 0, 64, 17, 0, 0, ...source, ...destination];
  return concat(Uint8Array.from(header), data);
}

const OUT = ipv4([10, 1, 0, 7], [10, 99, 0, 1], octets(16));
const IN = ipv4([10, 99, 0, 1], [10, 1, 0, 7], octets(16));

test("ESP inside of UDP is the packet itself, and both forms are taken at any time [3948-3.4-a, 7296-2.23-i]", () => {
  for (const behind of [{}, ...BEHIND]) {
    const { driver, gateway, traversal } = drive(behind);
    const { child } = only(driver.events, "established");
    const peer = gateway.sa.child!;
    let inbound = inboundSa(child);
    for (const [sequence, encapsulated] of [
      [1, true],
      [2, false],
      [3, true],
    ] as const) {
      const packet = sealEsp(towardsDevice(peer), sequence, IN, 4);
      const found = encapsulated ? unframe(packet) : { type: "esp", datagram: packet };
      if (found?.type !== "esp" || !("datagram" in found)) throw new Error("no ESP packet");
      assert.deepEqual(found.datagram, packet);
      const opened = open(chacha20Poly1305, inbound, found.datagram);
      assert.equal(opened.reason, undefined);
      inbound = opened.sa;
    }
    const sealed = seal(chacha20Poly1305, outboundSa(child), OUT);
    if (sealed.reason !== undefined) throw new Error(sealed.reason);
    assert.deepEqual(openEsp(towardsGateway(peer), sealed.packet)?.payload, OUT);
    assert.equal(traversal.encapsulates(driver.session), Object.keys(behind).length > 0);
    if (traversal.encapsulates(driver.session)) assert.equal(traversal.port(driver.session), 4500);
  }
});

test("there is no ESP on port 500 [7296-2.23-j]", () => {
  for (const behind of [{}, ...BEHIND]) {
    const { driver, gateway, traversal } = drive(behind);
    const before = driver.session;
    const packet = sealEsp(towardsDevice(gateway.sa.child!), 1, IN, 4);
    assert.equal(unframe(packet, 500)?.type, "ike");
    driver.arrived({ port: 500, peer: GATEWAY, payload: packet });
    assert.deepEqual(driver.events.at(-1), { type: "ignored", reason: "malformed", notify: undefined });
    assert.equal(driver.session, before);
    assert.equal(traversal.encapsulates(driver.session) && traversal.port(driver.session) === 500, false);
  }
});

test("an inner packet from an address that the gateway does not stand for is dropped [3948-3.1.1-a]", () => {
  const { driver, gateway } = drive({ gateway: true }, {}, {});
  const { child } = only(driver.events, "established");
  assert.deepEqual(child.remote, [net([10, 99, 0, 0], 16)]);
  const inbound = inboundSa(child);
  const from = (...source: number[]) =>
    open(
      chacha20Poly1305,
      inbound,
      sealEsp(towardsDevice(gateway.sa.child!), 1, ipv4(source, [10, 1, 0, 7], octets(16)), 4),
    ).reason;
  assert.equal(from(10, 99, 255, 1), undefined);
  assert.equal(from(10, 98, 255, 255), "selectors");
  assert.equal(from(192, 0, 2, 1), "selectors");
});
