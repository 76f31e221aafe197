/** IKE_SESSION_RESUME and the IKE_AUTH behind it (RFC 5723 sections 4.3.2 to 5.1). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fqdn, receive } from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCmac } from "ikelet/crypto/aes-cmac.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { hmacSha384 } from "ikelet/crypto/hmac-sha384.js";
import { modp2048 } from "ikelet/crypto/modp2048.js";
import { sha1 } from "ikelet/crypto/sha1.js";
import { nat } from "ikelet/nat.js";
import { resume, resumeEntropyLength, resumption } from "ikelet/resumption.js";
import { loadTicket, saveTicket } from "ikelet/storage.js";
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
import { assertClosed, assertIgnored, bodyOf, idOf, inTheClear, mac, one } from "../initiator/scenes.ts";
import {
  auth,
  concat,
  decodeChain,
  Exchange,
  find,
  findNotify,
  fqdn as gatewayFqdn,
  hex,
  idr,
  Notify,
  natHash,
  nonce,
  notify,
  type Payload,
  patch,
  prfOfSuite,
  prfPlus,
  readAuth,
  readHeader,
  Type,
  u16,
  unprotectedResponse,
} from "../responder/index.ts";
import {
  frugal,
  granted,
  halfResumed,
  notified,
  present,
  read,
  resumable,
  resumed,
  types,
} from "./scenes.ts";

const label = new Uint8Array(Buffer.from("526573756d7074696f6e", "hex"));

/** prf+ with HMAC-SHA2-256. */
function expand(key: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  let stream = new Uint8Array(0);
  let last = new Uint8Array(0);
  for (let n = 1; stream.length < length; n++) {
    last = mac(key, last, seed, Uint8Array.of(n)) as Uint8Array<ArrayBuffer>;
    stream = concat(stream, last) as Uint8Array<ArrayBuffer>;
  }
  return stream.slice(0, length);
}

test("the request: new SPIi, SPIr 0, exchange 38, initiator, Message ID 0; nonce, then the ticket [5723-4.3.2-d, 5723-7.2-a, 5723-7-a, 5723-4.3.2-e]", () => {
  const { gateway, ticket } = granted();
  const profile = makeProfile(resumable());
  const entropy = octets(28, "a resumption");
  const { send, wait } = resume(profile, ticket, 0, entropy);
  const T = ticket.ticket;
  const expected = concat(
    entropy.slice(0, 8),
    new Uint8Array(8),
    Uint8Array.of(40, 0x20, 38, 0x08, 0, 0, 0, 0, 0, 0),
    u16(28 + 20 + 8 + T.length),
    Uint8Array.of(41, 0, 0, 20),
    entropy.slice(8, 24),
    Uint8Array.of(0, 0),
    u16(8 + T.length),
    // Protocol ID 0, SPI Size 0, TICKET_OPAQUE 16413, the ticket without its lifetime.
    Uint8Array.of(0, 0, 0x40, 0x1d),
    T,
  );
  assert.equal(hex(one(send)), hex(expected));
  assert.equal(wait, 1000);
  // An IKE_AUTH exchange with Message ID 1 follows.
  const device: Device = {
    profile,
    session: resume(profile, ticket, 0, entropy).session,
    step: undefined!,
    events: [],
  };
  deliver(device, one(gateway.receive(one(send))));
  const next = readHeader(one(device.step.send));
  assert.equal(next.exchange, Exchange.IKE_AUTH);
  assert.equal(next.messageId, 1);
  exchange(device, gateway);
  only(device.events, "established");
  assert.deepEqual(gateway.violations, []);
});

test("the same arguments make the same octets, and none of them is changed", () => {
  const { ticket } = granted();
  const profile = frugal();
  const entropy = octets(28);
  const before = structuredClone([ticket, entropy]);
  assert.deepEqual(resume(profile, ticket, 5, entropy), resume(profile, ticket, 5, entropy));
  assert.deepEqual([ticket, entropy], before);
});

test("entropy: 8 + 16 + 4 octets, more for a longer PRF, fewer are refused", () => {
  const { ticket } = granted();
  const profile = frugal();
  assert.equal(resumeEntropyLength(profile), 28);
  assert.equal(resumeEntropyLength({ ...profile, suite: { ...profile.suite, prf: hmacSha384 } }), 36);
  for (const entropy of [octets(27), new Uint8Array(0), new Uint8Array(28)])
    assert.throws(() => resume(profile, ticket, 0, entropy), { name: "IkeletError", code: "entropy" });
});

test("neither the old SPIs nor the old nonces are used again [5723-5-b]", () => {
  const { device, gateway, ticket } = granted();
  const old = gateway.sa;
  const { session } = resumed(gateway, ticket);
  const { sa } = gateway;
  const spis = [session.spiI, session.spiR, device.session.spiI, device.session.spiR].map(hex);
  assert.equal(new Set(spis).size, 4);
  assert.equal(new Set([old.nonceI, old.nonceR, sa.nonceI, sa.nonceR].map(hex)).size, 4);
  assert.notEqual(hex(sa.child!.spiI), hex(old.child!.spiI));
});

test("Message IDs begin anew: 0, 1, then 2 of ours, and 0 of the gateway [5723-5-c]", () => {
  const { device, gateway, ticket } = granted();
  // The old SA has come further.
  for (let i = 0; i < 3; i++) gateway.receive(one(deliver(device, gateway.liveness()).send));
  const again = resumed(gateway, ticket);
  assert.equal(again.session.messageId, 2);
  const { send } = deliver(again, gateway.liveness());
  const answer = readHeader(one(send));
  assert.equal(answer.messageId, 0);
  assert.equal(answer.flags, 0x28);
  assert.deepEqual(gateway.receive(one(send)), []);
  assert.deepEqual(gateway.violations, []);
  assert.deepEqual(
    gateway.log.filter(({ exchange }) => exchange === 38).map(({ messageId }) => messageId),
    [0, 0],
  );
  assert.equal(read(gateway, Exchange.IKE_AUTH)[1]!.messageId, 1);
});

test("SKEYSEED from the old SK_d and the new nonces, then all keys with the new SPIs; no key exchange [5723-5.1-a, 5723-5.1-b]", () => {
  const { device, gateway, ticket } = granted();
  const skD = device.session.keys!.skD;
  assert.equal(hex(ticket.skD), hex(skD));
  assert.equal(hex(ticket.skD), hex(gateway.sa.keys.skD));
  const again = present(ticket, frugal());
  const [response] = gateway.receive(one(again.step.send));
  deliver(again, response!);
  const nonceI = bodyOf(read(gateway, 38)[0]!.payloads, Type.NONCE);
  const nonceR = bodyOf(decodeChain(Type.NONCE, response!.slice(28)), Type.NONCE);
  const { spiI, spiR, keys } = again.session;
  const seed = mac(skD, label, nonceI, nonceR);
  const stream = expand(seed, concat(nonceI, nonceR, spiI, spiR), 3 * 32 + 2 * 36);
  assert.equal(hex(keys!.skD), hex(stream.slice(0, 32)));
  assert.equal(hex(keys!.skI), hex(stream.slice(32, 68)));
  assert.equal(hex(keys!.skR), hex(stream.slice(68, 104)));
  assert.equal(hex(keys!.skPr!), hex(stream.slice(136)));
  assert.equal(gateway.sa.sharedSecret, undefined);
});

test("with every PRF and cipher of the ticket's SA [5723-5.1-b]", () => {
  const { suite } = makeProfile();
  const suites = [
    { ...suite, prf: hmacSha384 },
    { ...suite, prf: aesCmac },
    { ...suite, cipher: aesCbc(256, hmacSha256_128) },
  ];
  for (const other of suites) {
    const { gateway, ticket } = granted({}, {}, { suite: other });
    const old = gateway.sa;
    const device = resumed(gateway, ticket, makeProfile(resumable({ suite: other })));
    const { sa } = gateway;
    const prf = prfOfSuite(old.suite);
    const seed = prf.compute(old.keys.skD, label, sa.nonceI, sa.nonceR);
    const skD = prfPlus(prf, seed, concat(sa.nonceI, sa.nonceR, sa.spiI, sa.spiR), prf.length);
    assert.equal(hex(device.session.keys!.skD), hex(skD));
    assert.equal(ticket.prfId, other.prf.transformId);
  }
});

test("KEYMAT of the Child SA: the new SK_d and the nonces of IKE_SESSION_RESUME [5723-4.3.4-a]", () => {
  const { gateway, ticket } = granted();
  const device = resumed(gateway, ticket);
  const { nonceI, nonceR } = gateway.sa;
  const keymat = expand(device.session.keys!.skD, concat(nonceI, nonceR), 72);
  const { child } = only(device.events, "established");
  assert.equal(hex(child.outbound.key), hex(keymat.slice(0, 36)));
  assert.equal(hex(child.inbound.key), hex(keymat.slice(36)));
  assert.equal(hex(gateway.sa.child!.keymat), hex(keymat));
});

test("AUTH by SK_pi over the request, the nonce of the gateway and our identity; method 2 [5723-4.3.3-a, REC-res-c]", () => {
  const { gateway, ticket } = granted();
  const device = resumed(gateway, ticket, frugal());
  const { sa } = gateway;
  const body = bodyOf(read(gateway, Exchange.IKE_AUTH)[1]!.payloads, Type.AUTH);
  assert.deepEqual([...body.slice(0, 4)], [2, 0, 0, 0]);
  const { skPi, skPr } = sa.keys;
  const idI = mac(skPi, idOf(device.profile.local));
  assert.equal(hex(readAuth(body).data), hex(mac(skPi, sa.messageI, sa.nonceR, idI)));
  // And that of the gateway, which the device has taken.
  const answer = gateway.log.filter(({ direction, exchange }) => direction === "out" && exchange === 35)[1]!;
  const theirs = readAuth(bodyOf(answer.payloads, Type.AUTH));
  assert.equal(theirs.method, 2);
  const idR = mac(skPr, bodyOf(answer.payloads, Type.IDr));
  assert.equal(hex(theirs.data), hex(mac(skPr, sa.messageR, sa.nonceI, idR)));
});

test("an AUTH of the gateway that is wrong in any way ends the session [5723-4.3.3-a, REC-res-c]", () => {
  const wrong: Record<string, (data: Uint8Array) => Uint8Array> = {
    "a flipped bit": (data) => Uint8Array.from(data, (octet, i) => (i === 31 ? octet ^ 1 : octet)),
    "cut off": (data) => data.slice(0, 31),
    "one octet more": (data) => concat(data, Uint8Array.of(0)),
    "the form of the first message alone": () => new Uint8Array(0),
  };
  for (const [name, authData] of Object.entries(wrong)) {
    const { device, gateway, request } = halfResumed();
    const change = name.startsWith("the form")
      ? { tickets: { signed: "libreswan" as const } }
      : { edit: { authData } };
    const other = gateway.fork(change);
    // The twin of the other form would refuse ours: it only signs in its own way.
    if (change.tickets) {
      const { skPr } = gateway.sa.keys;
      other.options = { ...gateway.options, edit: { authData: () => mac(skPr, gateway.sa.messageR) } };
    }
    const step = deliver(device, one(other.receive(request)));
    assertClosed(step, "authentication");
  }
  for (const method of [0, 1, 3, 9, 14]) {
    const { device, gateway, request } = halfResumed();
    const edit = {
      auth: (payloads: Payload[]) =>
        payloads.map((p) => (p.type === Type.AUTH ? auth(p.body.slice(4), method) : p)),
    };
    assertClosed(deliver(device, one(gateway.fork({ edit }).receive(request))), "authentication");
  }
  const { device, gateway, request } = halfResumed();
  const edit = { auth: (payloads: Payload[]) => payloads.filter(({ type }) => type !== Type.AUTH) };
  assertClosed(deliver(device, one(gateway.fork({ edit }).receive(request))), "authentication");
});

test("the pre-shared key does not help: AUTH by it is wrong", () => {
  const { device, gateway, request } = halfResumed();
  const { skPr } = gateway.sa.keys;
  const { messageR, nonceI } = gateway.sa;
  const pad = mac(makeProfile().psk!, new Uint8Array(Buffer.from("Key Pad for IKEv2")));
  const edit = { authData: () => mac(pad, messageR, nonceI, mac(skPr, idOf(fqdn("gw.example")))) };
  assertClosed(deliver(device, one(gateway.fork({ edit }).receive(request))), "authentication");
});

/** An answer with another IDr, and whatever in AUTH. */
function impostor(
  method: (data: Uint8Array) => Uint8Array,
  profile: Partial<Parameters<typeof makeProfile>[0]> = {},
) {
  const { gateway, ticket } = granted({}, {}, profile);
  const device = present(ticket, makeProfile(resumable(profile)));
  deliver(device, one(gateway.receive(one(device.step.send))));
  const request = one(device.step.send);
  const other = gateway.fork({ local: gatewayFqdn("other.example"), edit: { authData: method } });
  return deliver(device, one(other.receive(request)));
}

test("IDr has to be that of the ticket, however good its AUTH [5723-4.3.3-b]", () => {
  assertClosed(
    impostor((data) => data),
    "authentication",
  );
  // Nor does it help to leave AUTH empty, or to guess what an impossible one would be.
  for (const length of [0, 1, 32])
    assertClosed(
      impostor(() => new Uint8Array(length)),
      "authentication",
    );
  // And if the profile names no gateway.
  const { remote: _, ...anybody } = makeProfile();
  const { gateway, ticket } = granted();
  for (const data of [(right: Uint8Array) => right, () => new Uint8Array(0)]) {
    const device = present(ticket, { ...anybody, ...resumable() });
    deliver(device, one(gateway.receive(one(device.step.send))));
    const other = gateway.fork({ local: gatewayFqdn("other.example"), edit: { authData: data } });
    assertClosed(deliver(device, one(other.receive(one(device.step.send)))), "authentication");
  }
});

test("IDi and IDr in the request are those of the ticket [5723-4.3.3-b]", () => {
  const { gateway, ticket } = granted();
  const device = resumed(gateway, ticket);
  const [first, second] = read(gateway, Exchange.IKE_AUTH);
  for (const type of [Type.IDi, Type.IDr])
    assert.equal(hex(bodyOf(second!.payloads, type)), hex(bodyOf(first!.payloads, type)));
  assert.deepEqual(device.profile.local, ticket.local);
  assert.deepEqual(only(device.events, "established").remote, ticket.remote);
  // Without `remote` in the profile none is sent, and that of the gateway still has to be the one of the ticket.
  const { remote: _, ...anybody } = makeProfile(resumable());
  const again = granted();
  const quiet = resumed(again.gateway, again.ticket, anybody);
  assert.equal(find(read(again.gateway, Exchange.IKE_AUTH)[1]!.payloads, Type.IDr), undefined);
  assert.deepEqual(only(quiet.events, "established").remote, ticket.remote);
});

test("RESERVED octets of IDr are covered as they are on the wire, and do not make another identity", () => {
  const { device, gateway, request } = halfResumed();
  const edit = {
    auth: (payloads: Payload[]) =>
      payloads.map((p) =>
        p.type === Type.IDr
          ? { ...p, body: concat(p.body.slice(0, 1), Uint8Array.of(1, 2, 3), p.body.slice(4)) }
          : p,
      ),
  };
  gateway.options = { ...gateway.options, edit };
  deliver(device, one(gateway.receive(request)));
  only(device.events, "established");
});

test("a CERT is not sent; one that comes is not used [5723-4.3.3-c]", () => {
  const { gateway, ticket } = granted();
  const edit = {
    auth: (payloads: Payload[]) => [
      payloads[0]!,
      { type: Type.CERT, body: concat(Uint8Array.of(4), octets(40)) },
      ...payloads.slice(1),
    ],
  };
  gateway.options = { ...gateway.options, edit };
  resumed(gateway, ticket);
  for (const { payloads } of read(gateway, Exchange.IKE_AUTH)) {
    assert.equal(find(payloads, Type.CERT), undefined);
    assert.equal(find(payloads, Type.CERTREQ), undefined);
  }
});

test("IKE_AUTH of a resumption: a Child SA of its own, and the wish for the next ticket [5723-4.3.3-d, 5723-4.1-a]", () => {
  const { gateway, ticket } = granted();
  resumed(gateway, ticket);
  const [first, second] = read(gateway, Exchange.IKE_AUTH);
  assert.deepEqual(
    second!.payloads.map(({ type }) => type),
    [Type.IDi, Type.IDr, Type.AUTH, Type.SA, Type.TSi, Type.TSr, Type.NOTIFY],
  );
  assert.notEqual(hex(bodyOf(second!.payloads, Type.SA)), hex(bodyOf(first!.payloads, Type.SA)));
  assert.equal(notified(second!, Notify.TICKET_REQUEST)!.data.length, 0);
});

test("an accepting response has a nonce, an SPIr and the exchange type 38: others are passed over [5723-4.3.2-g]", () => {
  const { gateway, ticket } = granted();
  const device = present(ticket);
  const before = structuredClone(device.session);
  const request = one(device.step.send);
  const [good] = gateway.fork().receive(request);
  const change = (at: number, ...values: number[]) => {
    const datagram = good!.slice();
    datagram.set(values, at);
    return datagram;
  };
  const clear = (payloads: Payload[], header = {}) =>
    unprotectedResponse(request, payloads, { spiR: octets(8, "SPIr"), ...header });
  const wrong: [string, Uint8Array, string][] = [
    ["SPIr 0", change(8, 0, 0, 0, 0, 0, 0, 0, 0), "malformed"],
    ["exchange 34", change(18, 34), "unexpected"],
    ["Message ID 1", change(23, 1), "unexpected"],
    ["no response", change(19, 0), "unexpected"],
    ["flag I", change(19, 0x28), "foreign"],
    ["another SPIi", change(0, good![0]! ^ 1), "foreign"],
    ["no nonce", clear([]), "malformed"],
    ["no nonce, but KE", clear([{ type: Type.KE, body: octets(36) }]), "nonce"],
    ["two nonces", clear([nonce(octets(32)), nonce(octets(32))]), "nonce"],
    ["a nonce of 15", clear([nonce(octets(15))]), "nonce"],
    ["a nonce of 257", clear([nonce(octets(257))]), "nonce"],
  ];
  for (const [name, datagram, reason] of wrong) {
    const step = deliver(device, datagram);
    assert.deepEqual(step.session, before, name);
    assertIgnored(step, before, reason);
  }
  exchange(device, gateway, [request]);
  only(device.events, "established");
  // Nonces of every length that is allowed.
  for (const length of [16, 64, 256]) {
    const next = granted({}, { nonce: length });
    resumed(next.gateway, next.ticket);
  }
});

test("a profile in which the extension was forgotten: no answer is taken, and none makes receive throw", () => {
  const { ticket } = granted();
  const modp = makeProfile({ suite: { ...makeProfile().suite, keyExchange: modp2048 } });
  for (const [profile, full] of [
    [frugal(), makeProfile()],
    [makeProfile(), makeProfile()],
    // There is no private value, and to the power of 0 everything is 1.
    [modp, modp],
  ] as const) {
    const { extensions: _, ...forgetful } = profile;
    const device = present(ticket, forgetful);
    const { session } = device;
    const answer = makeGateway().receive(makeDevice(full).step.send[0]!)[0]!;
    // The whole answer of an IKE_SA_INIT, as if it were that of our exchange.
    const forged = patch(patch(answer, 0, ...session.spiI), 18, 38);
    assertIgnored(deliver(device, forged), session, "proposal");
  }
});

test("cookies go in front, once, twice, five times [5723-4.3.2-a, 8019-4.5-a, 5723-4.3.2-i, 5723-4.3.2-d]", () => {
  for (const rounds of [1, 2, 5]) {
    const { gateway, ticket } = granted();
    gateway.options = { ...gateway.options, cookie: { rounds } };
    const device = present(ticket);
    const first = one(device.step.send);
    exchange(device, gateway);
    only(device.events, "established");
    assert.deepEqual(gateway.violations, []);
    const requests = read(gateway, 38);
    assert.equal(requests.length, rounds + 1);
    for (const { datagram, payloads, messageId } of requests.slice(1)) {
      assert.equal(datagram[16], Type.NOTIFY);
      assert.equal(messageId, 0);
      assert.equal(findNotify(payloads.slice(0, 1), Notify.COOKIE)!.data.length, 32);
      assert.equal(hex(datagram.slice(-(first.length - 28))), hex(first.slice(28)));
    }
    // AUTH covers the last one.
    assert.equal(hex(gateway.sa.messageI), hex(requests[rounds]!.datagram));
  }
});

test("NAT detection is made anew, with the SPIs of this exchange, and nothing of it is in the ticket [5723-4.3.2-i, 5723-5-a]", () => {
  const home = { address: Uint8Array.of(10, 0, 0, 2), port: 500 };
  const server = { address: Uint8Array.of(192, 0, 2, 1), port: 500 };
  const outside = { address: Uint8Array.of(198, 51, 100, 9), port: 4711 };
  const traversal = nat({ sha1, local: home, remote: server });
  const extensions = [traversal, resumption()];
  const { device, gateway, ticket } = granted(
    {},
    { nat: { local: server, remote: outside } },
    { extensions },
  );
  const stateOf = ({ session }: Device) => traversal.state(session);
  assert.deepEqual(stateOf(device), { local: true, remote: false });
  // SPIs, Message IDs, addresses, the Child SA and what other extensions found out do not go with the ticket.
  assert.deepEqual(Object.keys(ticket).sort(), [
    "attempts",
    "encryptionId",
    "integrityId",
    "keyBits",
    "lifetime",
    "local",
    "prfId",
    "remote",
    "signed",
    "skD",
    "ticket",
  ]);
  gateway.options = { ...gateway.options, nat: { local: server, remote: home } };
  const again = resumed(gateway, ticket, makeProfile({ extensions }));
  assert.deepEqual(stateOf(again), { local: false, remote: false });
  const [request] = read(gateway, 38);
  const { spiI } = again.session;
  assert.equal(
    hex(notified(request!, Notify.NAT_DETECTION_SOURCE_IP)!.data),
    hex(natHash(spiI, new Uint8Array(8), home)),
  );
  // A gateway that says nothing about NATs this time.
  const next = granted({}, { nat: { local: server, remote: outside } }, { extensions });
  const { nat: _, ...silent } = next.gateway.options;
  next.gateway.options = silent;
  assert.equal(stateOf(resumed(next.gateway, next.ticket, makeProfile({ extensions }))), undefined);
});

test("no PPK, no fragmentation, no SA, no KE in IKE_SESSION_RESUME [8784-3-e, 5723-4.3.2-d]", () => {
  const { gateway, ticket } = granted();
  resumed(gateway, ticket);
  const { payloads } = one(read(gateway, 38));
  assert.deepEqual(
    payloads.map(({ type }) => type),
    [Type.NONCE, Type.NOTIFY],
  );
  assert.equal(findNotify(payloads, Notify.TICKET_OPAQUE) !== undefined, true);
});

test("a large ticket makes one large datagram [7383-3-a]", () => {
  for (const padding of [0, 700, 1200, 8000, 60_000]) {
    const { gateway, ticket } = granted({ padding });
    const device = present(ticket);
    assert.equal(device.step.send.length, 1);
    assert.equal(one(device.step.send).length, 56 + ticket.ticket.length);
    assert.equal(ticket.ticket.length > padding, true);
    exchange(device, gateway);
    only(device.events, "established");
    assert.deepEqual(gateway.violations, []);
  }
});

test("a device without key exchange and pre-shared key, which has nothing but the stored ticket [5723-4.2-c]", () => {
  const { gateway, ticket } = granted();
  let stored = saveTicket(ticket);
  for (let i = 0; i < 10; i++) {
    const device = resumed(gateway, loadTicket(stored), frugal());
    stored = saveTicket(only(device.events, "ticket").ticket);
  }
  assert.equal(gateway.sas.filter(({ resumed: from }) => from).length, 10);
});

test("a ticket that is overwritten once it was presented takes nothing from the session", () => {
  const { gateway, ticket } = granted();
  const device = present(ticket);
  for (const field of [ticket.skD, ticket.ticket]) field.fill(0);
  exchange(device, gateway);
  only(device.events, "established");
  // Nor does that of the event.
  const { ticket: next } = only(device.events, "ticket");
  const skD = hex(next.skD);
  next.skD.fill(0);
  assert.equal(hex(device.session.keys!.skD), skD);
});

test("SK_d of the ticket is gone from the session as soon as the gateway has proved itself", () => {
  const { gateway, ticket } = granted();
  const device = present(ticket);
  const holds = () =>
    JSON.stringify(device.session, (_, v) => (v instanceof Uint8Array ? hex(v) : v)).includes(
      hex(ticket.skD),
    );
  assert.equal(holds(), true);
  exchange(device, gateway);
  assert.equal(holds(), false);
});

test("a forged INVALID_IKE_SPI makes nobody resume [5723-9.4-a]", () => {
  const { device } = granted();
  const before = structuredClone(device.session);
  const forged = inTheClear(device, [notify(Notify.INVALID_IKE_SPI)], { flags: 0x20 });
  for (let i = 0; i < 100; i++) {
    const step = receive(device.profile, device.session, forged);
    assertIgnored(step, before, "unexpected");
    take(device, step);
  }
  assert.deepEqual(types(device.events), ["ticket", "established"]);
});

test("an IDr of the ticket that is an address, or binary, is compared as such", () => {
  const ids = [
    [
      { type: 1, data: Uint8Array.of(192, 0, 2, 1) },
      { type: 11, data: Uint8Array.of(192, 0, 2, 1) },
    ],
    [
      { type: 11, data: octets(40) },
      { type: 2, data: octets(40) },
    ],
  ] as const;
  for (const [remote, other] of ids) {
    const { gateway, ticket } = granted({}, { local: remote }, { remote });
    const device = present(ticket, makeProfile(resumable({ remote })));
    deliver(device, one(gateway.receive(one(device.step.send))));
    const request = one(device.step.send);
    const edit = {
      auth: (payloads: Payload[]) => payloads.map((p) => (p.type === Type.IDr ? idr(other) : p)),
    };
    const twin: Device = { ...device, events: [] };
    assertClosed(deliver(twin, one(gateway.fork({ edit }).receive(request))), "authentication");
    deliver(device, one(gateway.receive(request)));
    only(device.events, "established");
  }
});
