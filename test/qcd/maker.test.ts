/** The device as token maker (RFC 6290 sections 4 and 5). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLiveness, close, entropyLength, initiate } from "ikelet";
import { configuration } from "ikelet/configuration.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { hmacSha384 } from "ikelet/crypto/hmac-sha384.js";
import { hmacSha512 } from "ikelet/crypto/hmac-sha512.js";
import { type Allowance, announceToken, crashAnswer, qcd, spend, type TokenMaker } from "ikelet/qcd.js";
import { resumption } from "ikelet/resumption.js";
import {
  connect,
  deliver,
  exchange,
  makeDevice,
  makeGateway,
  octets,
  only,
  take,
} from "../initiator/harness.ts";
import { ask, halfWay, inTheClear, mac, one, seen } from "../initiator/scenes.ts";
import {
  type Bytes,
  concat,
  decodeChain,
  encodeMessage,
  hex,
  notifications,
  notify,
  type Payload,
  qcdToken,
  readHeader,
  readNotify,
  Type,
  u32,
} from "../responder/index.ts";
import { dump, GATEWAY_QCD, MAKER, resumeWith, SECRETS, taking, ticketOf, tokensIn } from "./scenes.ts";

const makerOf = (...secrets: Bytes[]): TokenMaker => ({ prf: hmacSha256, secrets });

/** A device that gives tokens, and its gateway. */
function making(maker: TokenMaker = MAKER) {
  return taking({}, { extensions: [resumption(), qcd(maker)] });
}

/** What a maker answers, read. */
function payloadsOf(datagram: Bytes): Payload[] {
  return decodeChain(readHeader(datagram).nextPayload, datagram.slice(28));
}

/** A request that looks protected. */
function request(
  change: Partial<Parameters<typeof encodeMessage>[0]> = {},
  payloads: Payload[] = [{ type: Type.SK, body: octets(29), next: 0 }],
): Bytes {
  const header = {
    spiI: octets(8, "i"),
    spiR: octets(8, "r"),
    version: 0x20,
    exchange: 37,
    flags: 0,
    messageId: 7,
  };
  return encodeMessage({ ...header, ...change }, payloads);
}

test("our token in IKE_AUTH: Protocol ID 1, no SPI, type 16419 [6290-4.1-a]", () => {
  const { gateway } = making();
  const { payloads } = seen(gateway, 35);
  const found = payloads.filter(({ type, body }) => type === Type.NOTIFY && readNotify(body).type === 16419);
  const { spiI, spiR } = gateway.sa;
  const token = mac(SECRETS[0]!, spiI, spiR);
  assert.equal(hex(one(found).body), `01004023${hex(token)}`);
  assert.equal(hex(gateway.sa.token!), hex(token));
  // And on the wire, in the clear, in the answer after a reboot.
  const answer = crashAnswer(MAKER, gateway.liveness(), [])!;
  assert.equal(hex(answer.slice(28)), `2900000800000004${"0000002801004023"}${hex(token)}`);
});

test("it stands behind AUTH, before configuration and Child SA [6290-4.2-b]", () => {
  for (const extensions of [
    [qcd(MAKER), configuration(), resumption()],
    [resumption(), qcd(MAKER), configuration()],
  ]) {
    const { gateway } = taking({}, { extensions });
    const names = seen(gateway, 35).payloads.map(({ type, body }) =>
      type === 41 ? readNotify(body).type : type,
    );
    assert.deepEqual(names, [35, 36, 39, 16419, 47, 33, 44, 45, 16410]);
  }
});

test("a gateway that gives none and says nothing of it gets ours all the same [6290-4.2-a]", () => {
  const { device, gateway } = connect({ extensions: [qcd(MAKER)] });
  only(device.events, "established");
  assert.deepEqual(gateway.violations, []);
  assert.equal(gateway.sa.token?.length, 32);
});

test("a resumed IKE_AUTH brings the token of the new SPIs [6290-4.3-b]", () => {
  const { device, gateway } = making();
  const before = gateway.sa.token!;
  resumeWith(device, gateway, ticketOf(device.events));
  const { spiI, spiR, token, resumed } = gateway.sa;
  assert.equal(resumed === undefined, false);
  assert.equal(hex(token!), hex(mac(SECRETS[0]!, spiI, spiR)));
  assert.notEqual(hex(token!), hex(before));
  assert.deepEqual(gateway.violations, []);
  // Nothing more is said about it.
  assert.equal(device.session.messageId, 2);
});

test("tokens are of the length of the PRF, within the limits [6290-5-a]", () => {
  for (const [prf, length] of [
    [hmacSha256, 32],
    [hmacSha384, 48],
    [hmacSha512, 64],
  ] as const) {
    const answer = crashAnswer({ prf, secrets: SECRETS.slice(0, 4) }, request(), [])!;
    assert.deepEqual(
      tokensIn(payloadsOf(answer)).map((token) => token.length),
      [length, length, length, length],
    );
  }
});

test("after a reboot a request for an SA that is no more gets INVALID_IKE_SPI and its token [6290-3-f, 6290-4.5-c, 6290-5-c]", () => {
  const { device, gateway } = making();
  const given = gateway.sa.token!;
  for (const datagram of [
    gateway.liveness(),
    gateway.rekeyIke(),
    gateway.rekeyChild(),
    gateway.deleteIke(),
  ]) {
    const asked = readHeader(datagram);
    // Nothing is left of the device but its secret.
    const answer = crashAnswer({ prf: hmacSha256, secrets: [SECRETS[0]!.slice()] }, datagram, [])!;
    const { spiI, spiR, exchange: type, messageId, flags, version, length } = readHeader(answer);
    assert.deepEqual(
      [spiI, spiR, type, messageId],
      [asked.spiI, asked.spiR, asked.exchange, asked.messageId],
    );
    assert.deepEqual([flags, version, length], [0x28, 0x20, answer.length]);
    const payloads = payloadsOf(answer);
    assert.deepEqual(
      payloads.map(({ type: payload }) => payload),
      [41, 41],
    );
    const [first, second] = notifications(payloads);
    assert.deepEqual([first!.type, first!.protocol, first!.data.length], [4, 0, 0]);
    assert.deepEqual([second!.type, hex(second!.data)], [16419, hex(given)]);
  }
  const answer = crashAnswer(MAKER, gateway.liveness(), [])!;
  assert.deepEqual(gateway.receive(answer), []);
  assert.equal(gateway.sa.end, "QCD_TOKEN of the device");
  assert.equal(device.session.state, "established");
});

test("the answer lies in memory of its own", () => {
  const datagram = request();
  const answer = crashAnswer(MAKER, datagram, [])!;
  const before = hex(answer);
  datagram.fill(0);
  assert.equal(hex(answer), before);
});

test("secrets that are replaced stay good three times over: four tokens, the newest first [6290-5.1-a]", () => {
  const { spiI, spiR } = readHeader(request());
  for (const count of [1, 2, 3, 4, 5]) {
    const answer = crashAnswer(makerOf(...SECRETS.slice(0, count)), request(), [])!;
    assert.deepEqual(
      tokensIn(payloadsOf(answer)).map(hex),
      SECRETS.slice(0, Math.min(count, 4)).map((secret) => hex(mac(secret, spiI, spiR))),
    );
  }
  // The responder finds the token that it was given, wherever it stands.
  for (const rolled of [0, 1, 2, 3]) {
    const { gateway } = making(makerOf(SECRETS[0]!));
    const newer = [1, 2, 3].slice(0, rolled).map((n) => SECRETS[n]!);
    gateway.receive(crashAnswer(makerOf(...newer, SECRETS[0]!), gateway.liveness(), [])!);
    assert.equal(gateway.sa.stage, "gone");
  }
});

test("secrets that are none, or short, are refused before anything else happens [6290-5.1-a]", () => {
  const { device } = making();
  for (const secrets of [[], [new Uint8Array(0)], [octets(31)], [octets(32), octets(16)]]) {
    const maker = makerOf(...secrets);
    for (const attempt of [
      () => qcd(maker),
      () => announceToken(device.profile, device.session, maker),
      () => crashAnswer(maker, new Uint8Array(0), []),
    ])
      assert.throws(attempt, { name: "IkeletError", code: "argument" });
  }
});

test("up to three roll-overs nothing is sent; beyond, announceToken sends the new token [6290-4.4-b]", () => {
  const [oldest, ...newer] = SECRETS;
  for (const rolled of [0, 1, 2, 3, 4]) {
    const { device, gateway } = making(makerOf(oldest!));
    const maker = makerOf(...[...newer.slice(0, rolled), oldest!].slice(0, 4));
    // The session goes on with a profile that has the new secrets, and says nothing of it by itself.
    const renewed = { ...device, profile: { ...device.profile, extensions: [resumption(), qcd(maker)] } };
    exchange(renewed, gateway, take(renewed, checkLiveness(renewed.profile, renewed.session)).send);
    ask(renewed, gateway, gateway.liveness());
    const said = gateway.log.filter((message) => message.direction === "in" && message.exchange === 37);
    assert.deepEqual(
      said.map(({ payloads }) => payloads.length),
      [0, 0],
    );
    // The old token can be made again as long as its secret is among the four.
    const able = (): boolean => {
      const twin = gateway.fork();
      twin.receive(crashAnswer(maker, twin.liveness(), [])!);
      return twin.sa.stage === "gone";
    };
    assert.equal(able(), rolled < 4);
    const step = take(renewed, announceToken(renewed.profile, renewed.session, maker));
    exchange(renewed, gateway, step.send);
    const {
      payloads,
      exchange: type,
      messageId,
    } = gateway.log.filter(({ direction }) => direction === "in")[4]!;
    const { spiI, spiR } = gateway.sa;
    assert.deepEqual([type, messageId], [37, 3]);
    assert.equal(hex(one(payloads).body), `01004023${hex(mac(maker.secrets[0]!, spiI, spiR))}`);
    assert.deepEqual(gateway.violations, []);
    assert.equal(able(), true);
    gateway.receive(crashAnswer(maker, gateway.liveness(), [])!);
    assert.equal(gateway.sa.end, "QCD_TOKEN of the device");
  }
});

test("announceToken waits its turn", () => {
  const { device } = making();
  const { profile } = device;
  take(device, announceToken(profile, device.session, MAKER));
  assert.throws(() => announceToken(profile, device.session, MAKER), { code: "state" });
  const { session } = initiate(profile, octets(entropyLength(profile)));
  const { session: closed } = close(profile, session);
  for (const other of [session, closed])
    assert.throws(() => announceToken(profile, other, MAKER), { code: "state" });
});

test("a hundred thousand pairs of SPIs, and no two tokens are equal [6290-5-d]", () => {
  // The PRF of Node behind the same contract: it is the input of it that matters here.
  const maker = {
    prf: {
      ...hmacSha256,
      keyed:
        (key: Bytes) =>
        (...data: Bytes[]) =>
          mac(key, ...data),
    },
  };
  const found = new Set<string>();
  const datagram = request();
  const count = 100_000;
  for (let i = 0; i < count; i++) {
    // Neighbours, in one SPI or the other.
    datagram.set(u32(i), i & 1 ? 4 : 12);
    found.add(hex(crashAnswer({ ...MAKER, ...maker }, datagram, [])!.slice(-32)));
    datagram.set(u32(0), i & 1 ? 4 : 12);
  }
  assert.equal(found.size, count);
  const { spiI, spiR } = readHeader(request());
  const token = (a: Bytes, b: Bytes, secret: Bytes = SECRETS[0]!): string =>
    hex(crashAnswer(makerOf(secret), request({ spiI: a, spiR: b }), [])!.slice(-32));
  assert.notEqual(token(spiI, spiR), token(spiR, spiI));
  assert.notEqual(token(spiI, spiR), token(spiI, spiR, SECRETS[1]));
});

test("the octets of a token lean to no side [6290-5-d]", () => {
  let ones = 0;
  const tokens = 2000;
  for (let i = 0; i < tokens; i++) {
    const spiI = concat(new Uint8Array(4), u32(i + 1));
    const token = crashAnswer(MAKER, request({ spiI, spiR: spiI }), [])!.slice(-32);
    for (const octet of token) for (let bit = octet; bit; bit >>= 1) ones += bit & 1;
  }
  const mean = (tokens * 256) / 2;
  // Six standard deviations.
  assert.equal(Math.abs(ones - mean) < 6 * Math.sqrt(tokens * 64), true, `${ones} of ${2 * mean}`);
});

test("SPIi is eight octets of the caller's entropy, all of them [6290-9.3-a]", () => {
  const { profile } = makeDevice({ extensions: [qcd(MAKER)] });
  for (const value of [0xff, 0x01, 0x80]) {
    const entropy = octets(entropyLength(profile)).fill(value, 0, 8);
    const { session, send } = initiate(profile, entropy);
    assert.equal(hex(session.spiI), hex(new Uint8Array(8).fill(value)));
    assert.equal(hex(send[0]!.slice(0, 8)), hex(session.spiI));
  }
});

/** Everything that could be sent to make a maker talk, on these SPIs. */
function provocations(spiI: Bytes, spiR: Bytes): Bytes[] {
  const all: Bytes[] = [];
  const sk: Payload = { type: Type.SK, body: octets(40), next: 0 };
  for (const exchange of [34, 35, 36, 37, 38, 39, 240])
    for (const flags of [0, 0x08, 0x20, 0x28, 0xff, 0x10])
      for (const payloads of [[sk], [], [notify(4)], [notify(4), sk], [{ ...sk, type: Type.SKF }]])
        for (const messageId of [0, 1, 0xffffffff])
          all.push(encodeMessage({ spiI, spiR, version: 0x20, exchange, flags, messageId }, payloads));
  return all;
}

test("never for a session that is alive, whatever the message says [6290-9.2-a, REC-qcd-d]", () => {
  const { device, gateway } = making();
  const { spiI, spiR } = device.session;
  const genuine = [gateway.liveness(), gateway.rekeyIke(), gateway.deleteIke()];
  const damaged = genuine.map((datagram) => {
    const copy = datagram.slice();
    copy[copy.length - 1]! ^= 1;
    return copy;
  });
  const other = making().device.session;
  const spis = [
    [spiI, spiR],
    // The SPI of the gateway need not be right for a session that may be in the making.
    [spiI, octets(8)],
  ] as const;
  for (const sessions of [[device.session], [{ ...other, spiI: octets(8, "other") }, device.session]])
    for (const datagram of [...genuine, ...damaged, ...spis.flatMap(([a, b]) => provocations(a, b))])
      assert.equal(crashAnswer(MAKER, datagram, sessions), undefined);
  // In the other direction it would be another token, and never that of the session.
  const answers = provocations(spiR, spiI).map((datagram) => crashAnswer(MAKER, datagram, [device.session]));
  assert.equal(dump(answers).includes(hex(gateway.sa.token!)), false);
});

test("nor for one that is being set up, at any stage [6290-9.2-a, REC-qcd-d]", () => {
  const initiating = makeDevice({ extensions: [qcd(MAKER)] }).session;
  const { device, gateway } = halfWay({ extensions: [qcd(MAKER)] });
  const { spiR } = gateway.sa;
  for (const session of [initiating, device.session])
    for (const datagram of provocations(session.spiI, spiR))
      assert.equal(crashAnswer(MAKER, datagram, [session]), undefined);
});

test("receive itself never says a token in the clear [6290-9.2-a]", () => {
  const { device, gateway } = making();
  const { spiI, spiR } = device.session;
  const sent: Uint8Array[] = [];
  for (const datagram of [
    ...provocations(spiI, spiR),
    ...provocations(spiR, spiI),
    ...provocations(octets(8), spiR),
  ])
    sent.push(...deliver(device, datagram).send);
  sent.push(...deliver(device, inTheClear(device, [notify(4)])).send);
  assert.equal(sent.length, 0);
  sent.push(...deliver(device, gateway.deleteIke()).send);
  assert.equal(
    dump([sent, gateway.log.map(({ datagram }) => datagram)]).includes(hex(gateway.sa.token!)),
    false,
  );
});

test("what the gateway of an old SA cannot have sent gets no answer [REC-qcd-c]", () => {
  const sk: Payload = { type: Type.SK, body: octets(29), next: 0 };
  const good = request();
  assert.equal(crashAnswer(MAKER, good, []) === undefined, false);
  assert.equal(crashAnswer(MAKER, request({ exchange: 36 }), []) === undefined, false);
  const silent: Record<string, Bytes> = {
    "IKE_SA_INIT with SK": request({ exchange: 34 }),
    IKE_SA_INIT: request({ exchange: 34, flags: 0x08, spiR: new Uint8Array(8) }, [notify(4)]),
    IKE_AUTH: request({ exchange: 35 }),
    "IKE_AUTH of an initiator": request({ exchange: 35, flags: 0x08 }),
    IKE_SESSION_RESUME: request({ exchange: 38 }),
    "an exchange of the future": request({ exchange: 240 }),
    "I set": request({ flags: 0x08 }),
    "R set": request({ flags: 0x20 }),
    "both set": request({ flags: 0x28 }),
    "no SPIi": request({ spiI: new Uint8Array(8) }),
    "no SPIr": request({ spiR: new Uint8Array(8) }),
    "nothing inside": request({}, []),
    "in the clear": request({}, [notify(4)]),
    "in the clear, and SK": request({}, [notify(4), sk]),
    "another version": request({ version: 0x30 }),
    "cut off": good.slice(0, -1),
    "too long": concat(good, new Uint8Array(1)),
    "a header": good.slice(0, 28),
    nothing: new Uint8Array(0),
    "a keepalive": new Uint8Array([0xff]),
  };
  for (const [name, datagram] of Object.entries(silent))
    assert.equal(crashAnswer(MAKER, datagram, []), undefined, name);
  for (let length = 0; length < 64; length++)
    assert.equal(crashAnswer(MAKER, octets(length, `junk ${length}`), []), undefined);
});

test("makers do not talk to each other: an answer gets none", () => {
  const answer = crashAnswer(MAKER, request(), [])!;
  assert.equal(crashAnswer(MAKER, answer, []), undefined);
  assert.deepEqual(makeGateway({ qcd: GATEWAY_QCD }).receive(answer), []);
});

test("a flood of requests for unknown SAs: tokens stop at the limit, and start again [6290-8.1-b]", () => {
  let allowance: Allowance = { left: 5, at: 0 };
  const answers = (from: number, to: number): number => {
    let count = 0;
    for (let now = from; now < to; now++) {
      const rest = spend(allowance, now, 5, 1000);
      const answer = rest && crashAnswer(MAKER, request({ spiI: octets(8, `${now}`) }), []);
      if (!answer) continue;
      allowance = rest;
      count++;
    }
    return count;
  };
  assert.equal(answers(0, 1000), 5);
  assert.equal(answers(1000, 10_000), 9);
  assert.equal(answers(100_000, 101_000), 5);
});

test("the method of the responder is another one, and both are right", () => {
  // RFC 6290 section 5.1 has HASH(secret ‖ SPIs), and leaves the choice: a PRF keyed with the secret.
  const { spiI, spiR } = readHeader(request());
  const theirs = qcdToken({ secrets: [SECRETS[0]!] }, SECRETS[0]!, spiI, spiR);
  assert.notEqual(hex(crashAnswer(MAKER, request(), [])!.slice(-32)), hex(theirs));
});

test("a gateway that crashes and a device that crashes: each has its own token", () => {
  const { device, gateway } = making();
  const ours: Bytes = gateway.sa.token!;
  const reflected = crashAnswer(MAKER, gateway.liveness(), [])!;
  reflected[19] = 0x20;
  assert.equal(tokensIn(payloadsOf(reflected)).map(hex).includes(hex(ours)), true);
  const { events, session } = deliver(device, reflected);
  assert.deepEqual(events, [{ type: "ignored", reason: "hint", notify: 4 }]);
  assert.equal(session.state, "established");
});
