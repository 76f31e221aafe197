/** The IKE header: SPIs and lengths (RFC 7296 section 3.1, RFC 7815 appendix A.1). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, initiate, receive, timeout } from "ikelet";
import {
  concat,
  type Edit,
  Notify,
  notify,
  padTo,
  patch,
  readU32,
  u32,
  unprotectedResponse,
  vendorId,
  withReserved,
} from "../responder/index.ts";
import { ask, assertIgnored, established, heard, passesOver, wholeLife } from "./expect.ts";
import { deliver, exchange, makeDevice, makeGateway, makeProfile, octets, only, take } from "./harness.ts";

const SPI = new Uint8Array([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
const ZEROS = new Uint8Array(8);

test("28 octets: SPIs, Next Payload, version, exchange, flags, Message ID, Length [7815-A.1-a, 7815-A.1-c]", () => {
  const { device, gateway } = established();
  const [init, auth] = heard(gateway).map(({ datagram }) => datagram);
  const { spiI, spiR } = device.session;
  const fields = (...last: number[]) => Uint8Array.of(...last);
  assert.deepEqual(
    init!.slice(0, 28),
    concat(spiI, ZEROS, fields(33, 0x20, 34, 0x08, 0, 0, 0, 0), u32(init!.length)),
  );
  assert.deepEqual(
    auth!.slice(0, 28),
    concat(spiI, gateway.sa.spiR, fields(46, 0x20, 35, 0x08, 0, 0, 0, 1), u32(auth!.length)),
  );
  assert.deepEqual(spiR, gateway.sa.spiR);

  // Every octet of the Message ID is another.
  const far = { ...device.session, messageId: 0x81020304 };
  const [liveness] = checkLiveness(device.profile, far).send;
  assert.deepEqual(
    liveness!.slice(16, 28),
    concat(fields(46, 0x20, 37, 0x08, 0x81, 2, 3, 4), u32(liveness!.length)),
  );
});

test("entropy that begins with an SPI of zeros is refused, and nothing goes out [7815-A.1-b]", () => {
  const zeros = concat(ZEROS, octets(52));
  assert.throws(() => initiate(makeProfile(), zeros), { name: "IkeletError", code: "entropy" });
  for (let i = 0; i < 8; i++) {
    const [request] = initiate(makeProfile(), patch(zeros, i, 1)).send;
    assert.deepEqual(request!.slice(0, 8), patch(ZEROS, i, 1));
  }
});

test("SPIr stays zero in repeats and in retries with a cookie, whatever SPIr the gateway names [7296-3.1-a, 7296-2.6-c]", () => {
  const device = makeDevice();
  const gateway = makeGateway({ cookie: { rounds: 2, spiR: SPI } });
  for (let round = 0; round < 2; round++) {
    const [answer] = gateway.receive(device.step.send[0]!);
    assert.deepEqual(answer!.slice(8, 16), SPI);
    const [retry] = deliver(device, answer!).send;
    assert.deepEqual(retry!.slice(8, 16), ZEROS);
    const [repeat] = take(device, timeout(device.profile, device.session)).send;
    assert.deepEqual(repeat!.slice(8, 16), ZEROS);
  }
  exchange(device, gateway);
  only(device.events, "established");
  assert.deepEqual(gateway.violations, []);
});

test("an error in the clear may bear an SPIr and still is a hint [7296-2.6-c]", () => {
  for (const [type, data] of [
    [Notify.NO_PROPOSAL_CHOSEN, new Uint8Array(0)],
    [Notify.INVALID_KE_PAYLOAD, new Uint8Array([0, 19])],
  ] as const) {
    const device = makeDevice();
    const answer = unprotectedResponse(device.step.send[0]!, [notify(type, data)], { spiR: SPI });
    deliver(device, answer);
    assert.deepEqual(device.session.hint, { notify: type, data });
  }
});

test("a good first response without an SPIr is passed over; the request is repeated [7296-2.6-d]", () => {
  const noSpi: Edit = { header: (header) => ({ ...header, spiR: ZEROS }) };
  passesOver(noSpi, "malformed");
  const device = makeDevice();
  const request = device.step.send[0]!;
  const [response] = makeGateway({ edit: noSpi }).receive(request);
  assertIgnored(device, response!, "malformed");
  assert.deepEqual(timeout(device.profile, device.session).send, [request]);
});

test("a message belongs to the session of its SPIs; there is no address to look at [7296-2.6-a]", () => {
  // Two SAs in progress with one gateway, their messages mixed.
  const gateway = makeGateway();
  const [one, two] = [makeDevice(), makeDevice({}, "another")];
  const answers = [one, two].map((device) => gateway.receive(device.step.send[0]!)[0]!);
  assertIgnored(one, answers[1]!, "foreign");
  assertIgnored(two, answers[0]!, "foreign");
  const requests = [deliver(one, answers[0]!).send[0]!, deliver(two, answers[1]!).send[0]!];
  const last = requests.map((request) => gateway.receive(request)[0]!);
  assertIgnored(one, last[1]!, "foreign");
  assertIgnored(two, last[0]!, "foreign");
  deliver(one, last[0]!);
  deliver(two, last[1]!);
  only(one.events, "established");
  only(two.events, "established");
  assert.equal(receive.length, 3);

  // Both SPIs count, also where the rest is genuine.
  const { device, gateway: other } = established();
  for (const header of [{ spiI: SPI }, { spiR: SPI }, { spiR: ZEROS }])
    assertIgnored(device, other.liveness({ messageId: 0, header }), "foreign");
  assert.deepEqual(ask(device, other, other.liveness()), []);
});

test("Length is that of header and payloads, without any marker [7815-A.1-m, 7296-3.1-c]", () => {
  const { said } = wholeLife();
  for (const { datagram } of said) assert.equal(readU32(datagram, 24), datagram.length);

  const device = makeDevice();
  const gateway = makeGateway();
  const marked = concat(new Uint8Array(4), gateway.fork().receive(device.step.send[0]!)[0]!);
  assertIgnored(device, marked, "malformed");
});

test("truncated, lengthened, glued together: passed over in every state [REC-hdr-c, 7296-3.1-c]", () => {
  const check = (device: ReturnType<typeof makeDevice>, good: Uint8Array) => {
    for (let length = 0; length < good.length; length++)
      assertIgnored(device, good.slice(0, length), "malformed");
    // Also where Length fits to what is left of the header.
    for (let length = 0; length < 28; length++) {
      const cut = good.slice(0, length);
      if (length > 24) cut.set(u32(length).slice(0, length - 24), 24);
      assertIgnored(device, cut, "malformed");
    }
    for (const length of [
      0,
      1,
      27,
      28,
      good.length - 1,
      good.length + 1,
      0x80000000 + good.length,
      2 ** 32 - 1,
    ])
      assertIgnored(device, patch(good, 24, ...u32(length)), "malformed");
    assertIgnored(device, concat(good, new Uint8Array(1)), "malformed");
    assertIgnored(device, concat(good, good), "malformed");
    // Length of both together: there are no payloads behind the last one.
    assertIgnored(device, patch(concat(good, good), 24, ...u32(2 * good.length)), "malformed");
  };
  const device = makeDevice();
  const gateway = makeGateway();
  const [first] = gateway.receive(device.step.send[0]!);
  check(device, first!);
  const [second] = gateway.receive(deliver(device, first!).send[0]!);
  check(device, second!);
  deliver(device, second!);
  only(device.events, "established");
  const request = gateway.liveness();
  check(device, request);
  assert.deepEqual(ask(device, gateway, request), []);
});

test("RESERVED octets and bits are ignored, and sent as zero [7815-A-a]", () => {
  // The gateway complains about every RESERVED bit of the device, and covers its own ones with AUTH.
  const { device, gateway } = established({ edit: { saInit: withReserved, auth: withReserved } });
  const [response] = gateway.log.filter(({ direction }) => direction === "out");
  assert.equal(response!.datagram[29], 0x7f);
  assert.deepEqual(ask(device, gateway, gateway.informational(withReserved([vendorId(octets(3))]))), []);
  const { said } = wholeLife();
  for (const { payloads, datagram } of said) {
    assert.equal(datagram[29]! & 0x7f, 0);
    for (const { reserved } of payloads) assert.equal(reserved, 0);
  }
});

test("messages of 1280 and of 3000 octets, both ways [7296-2-a, 7296-2-b]", () => {
  for (const size of [1280, 3000]) {
    const { device, gateway } = established({ edit: { saInit: (payloads) => padTo(payloads, size) } });
    assert.equal(gateway.sa.messageR.length, size);
    // SK: 4 + 8 octets in front, Pad Length and tag behind; the Vendor ID has 4 octets of its own.
    const large = gateway.informational([vendorId(octets(size - 28 - 12 - 17 - 4))]);
    assert.equal(large.length, size);
    assert.deepEqual(ask(device, gateway, large), []);

    const local = { type: 11, data: octets(size) };
    const long = established({ remote: local }, { local });
    assert.equal(heard(long.gateway)[1]!.datagram.length > size, true);
    assert.deepEqual(long.gateway.sa.idI, local);
  }
});
