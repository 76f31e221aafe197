// The responder against a tiny initiator of its own primitives: every path runs, every complaint is heard.

import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import {
  ascii,
  type Bytes,
  concat,
  configuration,
  createResponder,
  deletePayload,
  Exchange,
  editBody,
  editTransforms,
  equal,
  find,
  findNotify,
  flip,
  fqdn,
  hex,
  insertBefore,
  libreswanTickets,
  Notify,
  notify,
  type Options,
  openEsp,
  type Payload,
  padTo,
  patch,
  ReplayWindow,
  type Responder,
  range,
  readAuth,
  readHeader,
  readTs,
  sealEsp,
  seededRandom,
  Type,
  tokenNotify,
  towardsDevice,
  tsBody,
  unknownPayload,
  unprotectedResponse,
  vendorId,
  without,
  withoutNotify,
  withReserved,
} from "./index.ts";
import { SmokeInitiator, type SmokeOptions } from "./smoke-initiator.ts";

const PSK = ascii("correct horse battery staple");
const CHACHA = { encr: 28, prf: 5, group: 31 };
const DEFAULTS: SmokeOptions = { psk: PSK, suite: CHACHA, child: { encr: 28, esn: 0 } };

function pair(options: Partial<Options> = {}, device: Partial<SmokeOptions> = {}) {
  return {
    gateway: createResponder({ psk: PSK, ...options }),
    device: new SmokeInitiator({ ...DEFAULTS, ...device }),
  };
}

/** Exactly one reply. */
function one(replies: Bytes[]): Bytes {
  assert.equal(replies.length, 1);
  return replies[0] as Bytes;
}

/** Runs both exchanges; answers the inner payloads of the IKE_AUTH response. */
function establish(gateway: Responder, device: SmokeInitiator): Payload[] {
  const authRequest = device.next(one(gateway.receive(device.request)));
  return device.open(gateway.receive(authRequest).at(-1) as Bytes).payloads;
}

function established(options: Partial<Options> = {}, device: Partial<SmokeOptions> = {}) {
  const both = pair(options, device);
  const response = establish(both.gateway, both.device);
  return { ...both, response };
}

const names = (payloads: Payload[]) => payloads.map((p) => p.type);

const ENCRYPTIONS: { encr: number; keyBits?: number; integ?: number }[] = [
  { encr: 28 },
  { encr: 20, keyBits: 128 },
  { encr: 20, keyBits: 256 },
  { encr: 14, keyBits: 128 },
  { encr: 16, keyBits: 256 },
  { encr: 12, keyBits: 128, integ: 12 },
  { encr: 12, keyBits: 256, integ: 13 },
  { encr: 12, keyBits: 256, integ: 14 },
];

for (const encryption of ENCRYPTIONS) {
  for (const prf of [5, 6, 7, 8]) {
    test(`ENCR ${JSON.stringify(encryption)}, PRF ${prf}`, () => {
      for (const group of [31, 19, 20, 14]) {
        const suite = { ...encryption, prf, group };
        const { gateway, response } = established({}, { suite, child: { ...encryption, esn: 0 } });
        assert.deepEqual(names(response), [Type.IDr, Type.AUTH, Type.SA, Type.TSi, Type.TSr]);
        assert.deepEqual(gateway.violations, []);
        assert.deepEqual(gateway.ignored, []);
        assert.equal(gateway.sa.stage, "up");
      }
    });
  }
}

test("keys, AUTH and KEYMAT from node:crypto alone", () => {
  const { gateway, device, response } = established();
  const { keys, nonceI, nonceR, spiI, spiR, sharedSecret, messageR, child } = gateway.sa;
  const prf = (key: Bytes, ...data: Bytes[]) =>
    new Uint8Array(
      createHmac("sha256", key)
        .update(concat(...data))
        .digest(),
    );
  const expand = (key: Bytes, seed: Bytes, blocks: number) => {
    let [t, all]: Bytes[] = [new Uint8Array(0), new Uint8Array(0)];
    for (let n = 1; n <= blocks; n++) {
      t = prf(key, t as Bytes, seed, Uint8Array.of(n));
      all = concat(all as Bytes, t);
    }
    return all as Bytes;
  };
  assert(sharedSecret && child);
  assert(equal(device.request, gateway.sa.messageI));
  const skeyseed = prf(concat(nonceI, nonceR), sharedSecret);
  const stream = expand(skeyseed, concat(nonceI, nonceR, spiI, spiR), 6);
  const { skD, skAi, skAr, skEi, skEr, skPi, skPr } = keys;
  assert.equal(
    hex(concat(skD, skAi, skAr, skEi, skEr, skPi, skPr)),
    hex(stream).slice(0, 2 * (32 * 3 + 36 * 2)),
  );
  const idBody = concat(Uint8Array.of(2, 0, 0, 0), ascii("gw.example"));
  const auth = prf(prf(PSK, ascii("Key Pad for IKEv2")), messageR, nonceI, prf(skPr, idBody));
  assert.equal(hex(readAuth(find(response, Type.AUTH)?.body as Bytes).data), hex(auth));
  assert.equal(hex(child.keymat), hex(expand(skD, concat(nonceI, nonceR), 3)).slice(0, 144));
  assert.equal(hex(concat(child.keyI2R.encryption, child.keyR2I.encryption)), hex(child.keymat));
});

test("the same random octets give the same run", () => {
  const run = () => {
    const { gateway } = established({ random: seededRandom("gateway") }, { random: seededRandom("device") });
    return gateway.log.map((m) => hex(m.datagram));
  };
  assert.deepEqual(run(), run());
});

test("transport mode, ESN, narrowing, refusals", () => {
  const transport = established({}, { transport: true, child: { encr: 20, keyBits: 128, esn: 1 } });
  assert.equal(transport.gateway.sa.child?.mode, "transport");
  assert.equal(transport.gateway.sa.child?.suite.esn, 1);
  const tunnel = established({ child: { tunnelOnly: true } }, { transport: true });
  assert.equal(tunnel.gateway.sa.child?.mode, "tunnel");
  assert.equal(findNotify(tunnel.response, Notify.USE_TRANSPORT_MODE), undefined);
  const narrowed = established({ child: { tsR: [range("10.9.1.0", "10.9.1.255")] } });
  assert.deepEqual(readTs(find(narrowed.response, Type.TSr)?.body as Bytes), [
    range("10.9.1.0", "10.9.1.255"),
  ]);
  const disjoint = established({ child: { tsR: [range("10.8.0.1")] } });
  assert.deepEqual(names(disjoint.response), [Type.IDr, Type.AUTH, Type.NOTIFY]);
  assert(findNotify(disjoint.response, Notify.TS_UNACCEPTABLE));
  const refused = established({ child: { refuse: 36 } });
  assert(findNotify(refused.response, 36));
  assert.equal(refused.gateway.sa.child, undefined);
  assert.equal(refused.gateway.sa.stage, "up");
});

test("what a real peer refuses", () => {
  const failed = (options: Partial<Options>) => findNotify(established(options).response, 24);
  assert(failed({ psk: ascii("another") }));
  assert(failed({ remote: fqdn("somebody else") }));
  assert.equal(failed({ remote: fqdn("sensor") }), undefined);
  const { gateway, device } = pair({ accept: (suite) => suite.encr === 20 });
  const refusal = one(gateway.receive(device.request));
  assert.equal(hex(refusal.slice(28)), "000000080000000e");
  assert.equal(gateway.sas.length, 0);
});

test("repeats get the same octets, other Message IDs nothing", () => {
  const { gateway, device } = pair();
  const response = one(gateway.receive(device.request));
  assert.deepEqual(gateway.receive(device.request), [response]);
  const authRequest = device.next(response);
  const authResponse = gateway.receive(authRequest);
  assert.deepEqual(gateway.receive(authRequest), authResponse);
  assert.equal(gateway.sas.length, 1);
  const liveness = device.seal(Exchange.INFORMATIONAL, 2, false, []);
  assert.deepEqual(device.open(one(gateway.receive(liveness))).payloads, []);
  assert.deepEqual(gateway.violations, []);
  assert.deepEqual(gateway.receive(device.request), []);
  assert.deepEqual(gateway.receive(device.seal(Exchange.INFORMATIONAL, 2, false, [])), []);
  assert.match(gateway.violations.join(), /7815-2\.1-t/);
});

test("cookies: rounds, sizes, and the version that AUTH covers", () => {
  for (const cookie of [
    { rounds: 1 },
    { rounds: 3 },
    { rounds: 2, data: 64 },
    { rounds: 1, data: Uint8Array.of(7) },
  ]) {
    const { gateway, device } = pair({ cookie });
    device.original = device.request;
    for (let round = 0; round < cookie.rounds; round++) device.next(one(gateway.receive(device.request)));
    establish(gateway, device);
    assert.equal(gateway.sa.stage, "up");
    assert.deepEqual(gateway.violations, []);
  }
});

test("cookies: a retry that is not the first request is noticed", () => {
  const { gateway, device } = pair({ cookie: { rounds: 1 } });
  device.next(one(gateway.receive(device.request)));
  gateway.receive(flip(device.request, device.request.length - 1));
  assert.match(gateway.violations.join(), /7296-2\.6-f/);
});

test("requests of the gateway, and the answers to them", () => {
  const { gateway, device } = established();
  const requests = [
    gateway.liveness(),
    gateway.rekeyIke(),
    gateway.rekeyChild(),
    gateway.createChild(),
    gateway.informational([unknownPayload(200, true)]),
  ];
  const inner = requests.map((datagram, id) => {
    const { flags, messageId, exchange } = readHeader(datagram);
    assert.deepEqual([flags, messageId], [0, id]);
    gateway.receive(device.seal(exchange, id, true, []));
    return names(device.open(datagram).payloads);
  });
  assert.deepEqual(inner, [[], [33, 40, 34], [41, 33, 40, 44, 45], [33, 40, 44, 45], [200]]);
  assert.equal(gateway.answers.length, 5);
  const deletion = gateway.deleteChild();
  const spiR = gateway.sa.child?.spiR as Bytes;
  assert.equal(hex(device.open(deletion).payloads[0]?.body as Bytes), `03040001${hex(spiR)}`);
  gateway.receive(device.seal(37, 5, true, []));
  assert.equal(gateway.sa.child, undefined);
  gateway.deleteIke();
  gateway.receive(device.seal(37, 6, true, []));
  assert.equal(gateway.sa.end, "Delete of the gateway");
  assert.deepEqual(gateway.violations, []);
  gateway.receive(device.seal(37, 6, true, []));
  assert.match(gateway.violations.join(), /two different responses/);
});

test("Deletes of the device", () => {
  const { gateway, device } = established();
  const spiI = gateway.sa.child?.spiI as Bytes;
  const spiR = gateway.sa.child?.spiR as Bytes;
  const child = one(gateway.receive(device.seal(37, 2, false, [deletePayload(3, [spiI])])));
  assert.deepEqual(
    device.open(child).payloads.map((p) => hex(p.body)),
    [`03040001${hex(spiR)}`],
  );
  const deletion = device.seal(37, 3, false, [deletePayload(1)]);
  const answer = gateway.receive(deletion);
  assert.deepEqual(device.open(one(answer)).payloads, []);
  assert.equal(gateway.sa.stage, "gone");
  assert.deepEqual(gateway.receive(deletion), answer);
  assert.deepEqual(gateway.violations, []);
});

test("AUTH covers what the hooks have made of the response", () => {
  // A vendor ID, an unknown payload and RESERVED bits in the first response; RESERVED octets and bits in IDr.
  const { device, gateway, response } = established({
    edit: {
      saInit: (payloads) =>
        insertBefore([...payloads, vendorId(new Uint8Array(1200))], Type.NONCE, unknownPayload(200)),
      auth: (payloads) => editBody(payloads, Type.IDr, (body) => patch(body, 1, 1, 2, 3)),
      header: (header, { exchange }) => (exchange === 34 ? { ...header, flags: 0xe7 } : header),
    },
  });
  const { messageR, keys, nonceI } = gateway.sa;
  assert.equal(messageR[19], 0xe7);
  assert(messageR.length > 1280);
  assert(device.spiR);
  const prf = (key: Bytes, ...data: Bytes[]) =>
    new Uint8Array(
      createHmac("sha256", key)
        .update(concat(...data))
        .digest(),
    );
  const idBody = concat(Uint8Array.of(2, 1, 2, 3), ascii("gw.example"));
  const data = prf(prf(PSK, ascii("Key Pad for IKEv2")), messageR, nonceI, prf(keys.skPr, idBody));
  assert.equal(hex(readAuth(find(response, Type.AUTH)?.body as Bytes).data), hex(data));
});

test("hooks of IKE_AUTH", () => {
  const response = (edit: Options["edit"]) => established({ edit: edit ?? {} }).response;
  const right = response({});
  assert.deepEqual(names(response({ auth: (p) => without(p, Type.AUTH) })), [36, 33, 44, 45]);
  assert.deepEqual(names(response({ auth: () => [notify(24)] })), [41]);
  assert.deepEqual(names(response({ auth: (p) => [...p].reverse() })), names(right).reverse());
  const method = response({ auth: (p) => editBody(p, Type.AUTH, () => Uint8Array.of(14, 0, 0, 0)) });
  assert.equal(find(method, Type.AUTH)?.body[0], 14);
  assert.equal(find(method, Type.AUTH)?.body.length, 36);
  const short = response({ authData: (data) => data.slice(1) });
  assert.equal(find(short, Type.AUTH)?.body.length, 35);
  const wider = response({
    auth: (p) => editBody(p, Type.TSr, () => tsBody([range("0.0.0.0", "255.255.255.255")])),
  });
  assert.equal(hex(find(wider, Type.TSr)?.body as Bytes), "01000000070000100000ffff00000000ffffffff");
  const esn = response({
    auth: (p) => editTransforms(p, (t) => t.map((x) => (x.type === 5 ? { ...x, id: 1 } : x))),
  });
  assert.match(hex(find(esn, Type.SA)?.body as Bytes), /0000000805000001$/);
});

test("padding, IV and company of SK", () => {
  for (const encryption of [{ encr: 28 }, { encr: 12, keyBits: 128, integ: 12 }]) {
    const suite = { ...encryption, prf: 5, group: 31 };
    const { gateway, device } = established({}, { suite });
    const padded = gateway.liveness({ sealing: { padLength: 255, padOctet: (i) => i * 7 } });
    assert.equal(device.open(padded).padLength, 255);
    const beyond = gateway.liveness({ sealing: { padLengthOctet: 200 } });
    assert.match(device.open(beyond).malformed ?? "", /Pad Length/);
    const before = gateway.liveness({ sealing: { before: [vendorId(ascii("clear"))] } });
    assert.deepEqual(names(device.open(before).before), [Type.VENDOR_ID]);
    assert.throws(() => device.open(gateway.liveness({ sealing: { after: [vendorId(ascii("clear"))] } })));
    const nested = gateway.informational([{ type: Type.SK, body: new Uint8Array(40) }]);
    assert.match(device.open(nested).malformed ?? "", /SK inside SK/);
    const long = gateway.informational([{ ...notify(16384), length: 200 }]);
    assert.match(device.open(long).malformed ?? "", /length of payload/);
  }
});

test("a fork makes the wrong reply, the gateway the right one", () => {
  const { gateway, device } = pair();
  const bad = one(gateway.fork({ edit: { saInit: (p) => without(p, Type.NONCE) } }).receive(device.request));
  assert.equal(gateway.sas.length, 0);
  const authRequest = device.next(one(gateway.receive(device.request)));
  assert(bad.length < 200);
  const forged = one(gateway.fork({ edit: { raw: (d) => flip(d, d.length - 1) } }).receive(authRequest));
  assert.throws(() => device.open(forged));
  assert.equal(gateway.sa.stage, "half-open");
  device.open(one(gateway.receive(authRequest)));
});

test("unprotected responses copy the request", () => {
  const { device } = pair();
  const error = unprotectedResponse(device.request, [notify(17, Uint8Array.of(0, 19))], {
    spiR: new Uint8Array(8).fill(1),
  });
  const header = readHeader(error);
  assert.deepEqual([header.exchange, header.flags, header.messageId], [34, 0x20, 0]);
  assert.equal(hex(error.slice(28)), "0000000a000000110013");
});

test("complaints about a device that goes wrong", () => {
  const complaint = (change: (request: Bytes) => Bytes) => {
    const { gateway, device } = pair();
    gateway.receive(change(device.request));
    return gateway.violations.join("; ");
  };
  assert.match(
    complaint((r) => patch(r, 17, 0x21)),
    /7815-A\.1-d/,
  );
  assert.match(
    complaint((r) => patch(r, 19, 0x18)),
    /7815-A\.1-g/,
  );
  assert.match(
    complaint((r) => patch(r, 23, 1)),
    /7296-2\.2-b/,
  );
  assert.match(
    complaint((r) => patch(r, 8, 1)),
    /7815-A\.1-c/,
  );
  assert.match(
    complaint((r) => patch(r, 29, 0x80)),
    /7815-A\.2-c/,
  );
  assert.match(
    complaint((r) => patch(r, 29, 0x01)),
    /7815-A-a/,
  );
  assert.match(
    complaint((r) => patch(r, 33, 0x01)),
    /7815-A-a/,
  ); // RESERVED of the proposal
  assert.match(
    complaint((r) => patch(r, 36, 2)),
    /7815-A\.3\.1-b/,
  );
  assert.match(
    complaint((r) => r.slice(0, -1)),
    /malformed: Length/,
  );
  const extra = (first: Payload) => {
    const { gateway, device } = pair({}, { first: [first] });
    gateway.receive(device.request);
    return gateway.violations.join("; ");
  };
  assert.match(extra(notify(16388, new Uint8Array(20), undefined, 1)), /7815-A\.10-b/);
  assert.match(extra(notify(16384)), /7296-2\.5-f/);
  assert.equal(extra(notify(16388, new Uint8Array(20))), "");
});

test("complaints about protected messages", () => {
  const { gateway, device } = established();
  device.ivCounter = 0;
  gateway.receive(device.seal(37, 2, false, []));
  assert.match(gateway.violations.join(), /5282-3\.1-a/);
  gateway.receive(device.seal(36, 3, false, []));
  assert.match(gateway.violations.join(), /exchange 36/);
  const auth = established({}, { last: [notify(16391)] });
  assert.match(auth.gateway.violations.join(), /7296-2\.5-f/);
});

for (const form of ["value", "reference"] as const) {
  test(`session tickets by ${form}`, () => {
    const { gateway, response } = established(
      { tickets: { form } },
      { last: [notify(Notify.TICKET_REQUEST)] },
    );
    const granted = findNotify(response, Notify.TICKET_LT_OPAQUE)?.data as Bytes;
    assert.equal(hex(granted.slice(0, 4)), "00000e10");
    assert.equal(response.at(-1)?.type, Type.NOTIFY);
    const ticket = { octets: granted.slice(4), skD: gateway.sa.keys.skD };
    const old = gateway.sa;
    const device = new SmokeInitiator({ ...DEFAULTS, ticket });
    establish(gateway, device);
    assert.equal(gateway.sa.stage, "up");
    assert.equal(gateway.sa.sharedSecret, undefined);
    assert.equal(old.end, "resumed");
    const nack = one(gateway.receive(new SmokeInitiator({ ...DEFAULTS, ticket }).request));
    assert.equal(hex(nack.slice(28)), "000000080000401c");
    assert.equal(hex(nack.slice(8, 16)), "0000000000000000");
    assert.deepEqual(gateway.violations, []);
  });
}

test("session tickets: answers, expiry, Delete, reboot", () => {
  const last = [notify(Notify.TICKET_REQUEST)];
  for (const [answer, type] of [
    ["nack", 16412],
    ["ack", 16411],
  ] as const) {
    assert(findNotify(established({ tickets: { answer } }, { last }).response, type));
  }
  const asked = (options: Options["tickets"] = {}) => {
    const { gateway, device, response } = established({ tickets: options }, { last });
    const octets = findNotify(response, Notify.TICKET_LT_OPAQUE)?.data.slice(4) as Bytes;
    const request = new SmokeInitiator({ ...DEFAULTS, ticket: { octets, skD: gateway.sa.keys.skD } }).request;
    return { gateway, device, request };
  };
  const isNack = (reply: Bytes) => hex(reply.slice(28)) === "000000080000401c";
  const expired = asked();
  expired.gateway.now = 3600;
  assert(isNack(one(expired.gateway.receive(expired.request))));
  const deleted = asked();
  deleted.gateway.receive(deleted.device.seal(37, 2, false, [deletePayload(1)]));
  assert(isNack(one(deleted.gateway.receive(deleted.request))));
  const byValue = asked();
  byValue.gateway.crash();
  assert(!isNack(one(byValue.gateway.receive(byValue.request))));
  const byReference = asked({ form: "reference" });
  byReference.gateway.crash();
  assert(isNack(one(byReference.gateway.receive(byReference.request))));
  const later = established({ tickets: {} });
  const reply = one(later.gateway.receive(later.device.seal(37, 2, false, last)));
  assert(findNotify(later.device.open(reply).payloads, Notify.TICKET_LT_OPAQUE));
});

test("session tickets: ways of libreswan", () => {
  const {
    gateway,
    device: oldDevice,
    response,
  } = established({ tickets: libreswanTickets }, { last: [notify(Notify.TICKET_REQUEST)] });
  assert.equal(response[0]?.type, Type.NOTIFY);
  const octets = findNotify(response, Notify.TICKET_LT_OPAQUE)?.data.slice(4) as Bytes;
  const ticket = { octets, skD: gateway.sa.keys.skD, libreswan: true };
  const device = new SmokeInitiator({ ...DEFAULTS, ticket });
  const first = one(gateway.receive(device.request));
  assert.deepEqual(gateway.receive(device.request), []);
  const [deletion, authResponse] = gateway.receive(device.next(first));
  assert.equal(hex(oldDevice.open(deletion as Bytes).payloads[0]?.body as Bytes), "01000000");
  assert.deepEqual(names(device.open(authResponse as Bytes).payloads).slice(0, 2), [Type.IDr, Type.AUTH]);
});

test("QCD: maker before and after a crash, taker", () => {
  const qcd = { secrets: [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] };
  const token = new Uint8Array(16).fill(9);
  const { gateway, device, response } = established({ qcd });
  const { spiI, spiR } = gateway.sa;
  const made = createHash("sha256")
    .update(qcd.secrets[0] as Bytes)
    .update(spiI)
    .update(spiR)
    .digest("hex");
  assert.equal(hex(findNotify(response, Notify.QCD_TOKEN)?.data as Bytes), made);
  gateway.receive(device.seal(37, 2, false, [tokenNotify(token)]));
  const twin = gateway.fork();
  const request = twin.liveness();
  twin.receive(unprotectedResponse(request, [notify(4), tokenNotify(token)], { flags: 0x28 }));
  assert.equal(twin.sa.end, "QCD_TOKEN of the device");
  gateway.crash();
  const answer = one(gateway.receive(device.seal(37, 3, false, [])));
  assert.equal(answer[19], 0x20);
  assert(hex(answer).includes(made));
  assert.deepEqual(gateway.violations, []);
});

test("childless IKE SA (RFC 6023)", () => {
  const { gateway, response } = established({ childless: true }, { childless: true });
  const sent = gateway.log.find((m) => m.direction === "out") as { datagram: Bytes };
  assert(hex(sent.datagram).endsWith("0000000801004022"));
  assert.deepEqual(names(response), [Type.IDr, Type.AUTH]);
  assert.deepEqual(gateway.violations, []);
  const off = established({}, { childless: true });
  assert(findNotify(off.response, Notify.INVALID_SYNTAX));
  assert.equal(off.gateway.sa.stage, "gone");
});

test("configuration payloads", () => {
  const reply = configuration(2, [
    [1, Uint8Array.of(10, 0, 0, 1)],
    [0x7ffe, new Uint8Array(3)],
  ]);
  const { gateway, response } = established(
    { configuration: reply },
    { middle: [configuration(1, [[1, new Uint8Array(0)]])] },
  );
  assert.deepEqual(names(response), [Type.IDr, Type.AUTH, Type.CP, Type.SA, Type.TSi, Type.TSr]);
  assert.equal(hex(find(response, Type.CP)?.body as Bytes), "02000000000100040a0000017ffe0003000000");
  assert.deepEqual(gateway.violations, []);
});

test("RESERVED everywhere, and messages of a given size", () => {
  const edit = {
    saInit: (payloads: Payload[]) => padTo(withReserved(payloads), 3000),
    auth: withReserved,
  };
  const { gateway, response } = established({ edit });
  assert.equal(gateway.sa.messageR.length, 3000);
  assert.equal(hex(gateway.sa.messageR.slice(28, 44)), "227f002400ff00200101000303ff0008");
  assert.equal(find(response, Type.AUTH)?.body.length, 36);
  assert(response.every((p) => p.reserved === 0x7f));
});

test("a forged cookie only costs a round", () => {
  for (const cookie of [undefined, { rounds: 1 }]) {
    const { gateway, device } = pair(cookie ? { cookie } : {});
    device.original = device.request;
    gateway.receive(device.request);
    device.next(unprotectedResponse(device.request, [notify(Notify.COOKIE, ascii("forged"))]));
    if (cookie) device.next(one(gateway.receive(device.request)));
    establish(gateway, device);
    assert.equal(gateway.sa.stage, "up");
    assert.deepEqual(gateway.violations, []);
  }
});

test("NAT detection", () => {
  const local = { address: Uint8Array.of(192, 0, 2, 1), port: 500 };
  const remote = { address: Uint8Array.of(198, 51, 100, 7), port: 500 };
  const nats = [notify(16388, new Uint8Array(20)), notify(16389, new Uint8Array(20))];
  const { gateway } = established({ nat: { local, remote } }, { first: nats });
  assert.deepEqual(gateway.sa.nat, { initiatorBehindNat: true, responderBehindNat: true });
  const sent = gateway.log.find((m) => m.direction === "out")?.payloads as Payload[];
  const { spiI, spiR } = gateway.sa;
  const hash = createHash("sha1")
    .update(spiI)
    .update(spiR)
    .update(local.address)
    .update(Uint8Array.of(1, 0xf4));
  assert.equal(hex(findNotify(sent, 16388)?.data as Bytes), hash.digest("hex"));
  assert.equal(withoutNotify(sent, 16388).length, sent.length - 1);
});

test("ESP of both ends, and the replay window", () => {
  for (const encryption of [...ENCRYPTIONS, { encr: 30, keyBits: 128 }, { encr: 11, integ: 12 }]) {
    for (const esn of [0, 1]) {
      const { gateway } = established({}, { child: { ...encryption, esn } });
      assert(gateway.sa.child);
      const direction = towardsDevice(gateway.sa.child);
      assert.equal(hex(direction.spi), "11223344");
      for (let length = 0; length < 20; length++) {
        const sequence = esn * 2 ** 32 + length + 1;
        const packet = sealEsp(direction, sequence, new Uint8Array(length).fill(5), 4);
        const opened = openEsp(direction, packet, esn);
        assert.deepEqual(
          [opened?.sequence, opened?.payload.length, opened?.nextHeader],
          [sequence, length, 4],
        );
        assert.equal(packet.length % 4, 0);
        assert.equal(openEsp(direction, flip(packet, packet.length - 1), esn), undefined);
        if (esn) assert.equal(openEsp(direction, packet, 0), undefined);
      }
    }
  }
  const window = new ReplayWindow();
  window.accept(100);
  assert.deepEqual(
    [0, 36, 37, 100, 101].map((n) => window.isFresh(n)),
    [false, false, true, false, true],
  );
});
