/**
 * No secret is in an event, an error or a sentence, in whatever form it is printed; the keys of the Child SA are in its
 * record only, and a ticket with its SK_d is in its event only.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  checkLiveness,
  close,
  type Event,
  entropyLength,
  initiate,
  type Profile,
  type Session,
  timeout,
} from "ikelet";
import { checkProfile } from "ikelet/check.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { inboundSa, open, outboundSa, seal } from "ikelet/esp.js";
import { explain } from "ikelet/explain.js";
import { keyPad, prfPlus } from "ikelet/keys.js";
import { announceToken, crashAnswer, qcd } from "ikelet/qcd.js";
import { requestTicket, resume, resumeEntropyLength, resumption } from "ikelet/resumption.js";
import {
  loadSa,
  loadSession,
  loadTicket,
  saveAwake,
  saveSa,
  saveSession,
  saveTicket,
} from "ikelet/storage.js";
import {
  type Device,
  deliver,
  exchange,
  makeDevice,
  makeGateway,
  makeProfile,
  octets,
  only,
  PSK,
  take,
} from "../initiator/harness.ts";
import { type Bytes, flip, notify, type Options, type Responder, tokenNotify } from "../responder/index.ts";

const SECRETS = [octets(32, "secret of the device")];
const MAKER = { prf: hmacSha256, secrets: SECRETS };
const GATEWAY_SECRET = octets(32, "secret of the gateway");
const ALL: Partial<Profile> = { extensions: [resumption(), qcd(MAKER)] };
const GENEROUS: Partial<Options> = { tickets: {}, qcd: { secrets: [GATEWAY_SECRET] } };
/** Shorter octets could be anywhere by chance. */
const SHORTEST = 8;

/** How a program may print octets. */
function formsOf(secret: Bytes): string[] {
  const list = [...secret];
  const buffer = Buffer.from(secret);
  return [
    buffer.toString("hex"),
    buffer.toString("base64").replace(/=*$/, "").slice(0, -1),
    buffer.toString("base64url").slice(0, -1),
    list.join(","),
    list.join(", "),
    list.map((octet) => octet.toString(16).padStart(2, "0")).join(" "),
    JSON.stringify(secret).slice(1, -1),
    buffer.toString("latin1"),
  ];
}

function holds(text: string, secret: Bytes): boolean {
  return secret.length >= SHORTEST && formsOf(secret).some((form) => text.includes(form));
}

/** All forms in which a value can get into a log. */
function printed(value: unknown): string {
  const octetsOf = (inside: unknown): string =>
    inside instanceof Uint8Array
      ? `${Buffer.from(inside.buffer).toString("hex")}\n`
      : typeof inside === "object" && inside !== null
        ? Object.values(inside).map(octetsOf).join("")
        : "";
  const wide = { depth: null, maxArrayLength: null, breakLength: Infinity, showHidden: false } as const;
  return [JSON.stringify(value), inspect(value, wide), String(value), octetsOf(value)].join("\n");
}

interface Secrets {
  readonly child: Bytes[];
  readonly ticket: Bytes[];
  readonly skD: Bytes[];
  readonly others: Bytes[];
}

function secretsOf(gateway: Responder, devices: readonly Device[]): Secrets {
  const keys = gateway.sas.map((sa) => sa.keys);
  const tickets = devices.flatMap(({ events }) =>
    events.flatMap((event) => (event.type === "ticket" ? [event.ticket.ticket] : [])),
  );
  return {
    child: gateway.sas.flatMap(({ child }) =>
      child ? [child.keyI2R, child.keyR2I].flatMap((key) => [key.encryption, key.integrity]) : [],
    ),
    ticket: tickets,
    skD: keys.map(({ skD }) => skD),
    others: [
      PSK,
      keyPad(hmacSha256, PSK),
      GATEWAY_SECRET,
      ...SECRETS,
      ...gateway.sas.flatMap(({ sharedSecret, token }) => [sharedSecret, token].flatMap((one) => one ?? [])),
      ...keys.flatMap(({ skEi, skEr, skAi, skAr, skPi, skPr }) => [skEi, skEr, skAi, skAr, skPi, skPr]),
      ...devices.flatMap(({ session }) => (session.extensions?.qcd as Bytes[] | undefined) ?? []),
    ],
  };
}

function check(profile: Profile, events: readonly Event[], { child, ticket, skD, others }: Secrets): void {
  for (const event of events) {
    const forbidden = [
      ...others,
      ...(event.type === "established" ? [] : child),
      ...(event.type === "ticket" ? [] : [...ticket, ...skD]),
    ];
    const told = printed(event);
    const sentence = explain(profile, event);
    for (const secret of forbidden) assert.equal(holds(told, secret), false, event.type);
    for (const secret of [...forbidden, ...child, ...ticket, ...skD])
      assert.equal(holds(sentence, secret), false, `the sentence about ${event.type}`);
  }
  // So that the search is known to find.
  const up = events.find(({ type }) => type === "established");
  if (up)
    assert.equal(
      child.some((secret) => holds(printed(up), secret)),
      true,
    );
}

/** A device that keeps all its events, those about what was passed over as well. */
function listening(device: Device): { events: Event[]; take: typeof take; deliver: typeof deliver } {
  const events = [...device.events];
  const note = <Step extends { readonly events: readonly Event[] }>(step: Step): Step => {
    events.push(...step.events);
    return step;
  };
  return {
    events,
    take: (of, step) => note(take(of, step)),
    deliver: (of, ...datagrams) => {
      for (const datagram of datagrams) note(deliver(of, datagram));
      return of.step;
    },
  };
}

type Act = (device: Device, gateway: Responder, on: ReturnType<typeof listening>) => void;

const CONNECTED: Readonly<Record<string, Act>> = {
  "a whole life": (device, gateway, on) => {
    exchange(device, gateway, on.take(device, checkLiveness(device.profile, device.session)).send);
    exchange(device, gateway, on.take(device, requestTicket(device.profile, device.session)).send);
    on.deliver(device, gateway.informational([notify(11, octets(4)), notify(39, octets(90))]));
    on.deliver(device, gateway.rekeyIke(), gateway.rekeyChild(), gateway.deleteChild());
    exchange(device, gateway, on.take(device, close(device.profile, device.session)).send);
  },
  "damage, and a request without sense": (device, gateway, on) => {
    on.deliver(device, flip(gateway.liveness(), 50));
    on.deliver(device, gateway.liveness({ sealing: { padLengthOctet: 99 } }));
  },
  "a crash": (device, gateway, on) => {
    const { request } = on.take(device, checkLiveness(device.profile, device.session)).session;
    on.deliver(device, gateway.unprotected(request!, notify(4), tokenNotify(octets(32, "wrong"))));
    gateway.crash();
    on.deliver(device, ...gateway.receive(request!));
    assert.equal(only(device.events, "closed").reason, "crashed");
  },
  "a Delete of the gateway": (device, gateway, on) => {
    on.deliver(device, gateway.deleteIke());
  },
  silence: (device, _, on) => {
    on.take(device, checkLiveness(device.profile, device.session));
    while (device.session.state !== "closed") on.take(device, timeout(device.profile, device.session));
  },
  "a resumption": (device, gateway, on) => {
    const { ticket } = only(device.events, "ticket");
    const entropy = octets(resumeEntropyLength(device.profile), "again");
    on.take(device, resume(device.profile, ticket, 1, entropy));
    on.deliver(device, gateway.unprotected(device.session.request!, notify(16412)));
    while (device.session.handshake) on.deliver(device, ...gateway.receive(device.session.request!));
    assert.equal(device.session.state, "established");
  },
};

for (const [name, act] of Object.entries(CONNECTED))
  test(`no secret in events and sentences: ${name}`, () => {
    const device = makeDevice(ALL);
    const gateway = makeGateway(GENEROUS);
    const on = listening(device);
    while (device.session.handshake) on.deliver(device, ...gateway.receive(device.session.request!));
    assert.equal(device.session.state, "established");
    const twin = gateway.fork();
    const secrets = secretsOf(twin, [{ ...device, session: device.session }]);
    act(device, gateway, on);
    const later = secretsOf(gateway, [device]);
    check(device.profile, on.events, {
      child: [...secrets.child, ...later.child],
      ticket: [...secrets.ticket, ...later.ticket],
      skD: [...secrets.skD, ...later.skD],
      others: [...secrets.others, ...later.others],
    });
  });

const REFUSING: Readonly<Record<string, Partial<Options>>> = {
  "another key": { psk: octets(32, "another") },
  "a wrong AUTH": { edit: { authData: (data) => flip(data, 3) } },
  "an error with data": { edit: { auth: () => [notify(24, octets(32, "data"))] } },
  "no proposal": { accept: () => false },
  "no Child SA": { child: { refuse: 38 } },
};

for (const [name, options] of Object.entries(REFUSING))
  test(`no secret in events and sentences of a refusal: ${name}`, () => {
    const device = makeDevice(ALL);
    const gateway = makeGateway({ ...GENEROUS, ...options });
    const on = listening(device);
    for (let n = 0; n < 12 && device.session.state !== "closed"; n++) {
      const { request } = device.session;
      if (request) on.deliver(device, ...gateway.receive(request));
      on.take(device, timeout(device.profile, device.session));
    }
    assert.equal(device.session.state, "closed");
    check(device.profile, on.events, secretsOf(gateway, [device]));
  });

/** What a caller can do wrong, with secrets in its hands. */
function mistakes(session: Session, device: Device): (() => unknown)[] {
  const { profile } = device;
  const { ticket } = only(device.events, "ticket");
  const { child } = only(device.events, "established");
  const other = aesGcm(128);
  const record = (octetsOf: Bytes): Bytes => flip(octetsOf, 40);
  const closing = close(profile, session).session;
  const entropy = octets(100);
  return [
    () => initiate(profile, PSK.slice(0, entropyLength(profile) - 30)),
    () => initiate(profile, new Uint8Array(100)),
    () => initiate({ ...profile, psk: new Uint8Array(0) }, entropy),
    () => initiate({ ...profile, suite: { ...profile.suite, keyExchange: undefined as never } }, entropy),
    () => resume(profile, ticket, 1e9, entropy),
    () => resume({ ...profile, suite: { ...profile.suite, cipher: other } }, ticket, 1, entropy),
    () => resume(profile, ticket, 1, PSK.slice(0, 9)),
    () => requestTicket(profile, closing),
    () => checkLiveness(profile, closing),
    () => announceToken(profile, closing, MAKER),
    () => announceToken(profile, session, { ...MAKER, secrets: [SECRETS[0]!.slice(1)] }),
    () => qcd({ ...MAKER, secrets: [SECRETS[0]!.slice(1)] }),
    () => crashAnswer({ ...MAKER, secrets: [] }, entropy, []),
    () => saveAwake(closing),
    () => loadSession(record(saveSession(session))),
    () => loadSession(saveTicket(ticket)),
    () => loadTicket(record(saveTicket(ticket))),
    () => loadSa(record(saveSa(inboundSa(child), 0))),
    () => saveSa(outboundSa(child), -1),
    () => inboundSa(child, 1),
    () => seal(other, outboundSa(child), PSK),
    () => open(other, inboundSa(child), PSK),
    () => prfPlus(hmacSha256.keyed(PSK), PSK, 9000),
    () => checkProfile({ ...profile, psk: PSK.slice(0, 15) }),
    () => checkProfile({ ...profile, pskPad: PSK.slice(0, 31) }),
  ];
}

test("no secret in errors", () => {
  const device = makeDevice(ALL);
  const gateway = makeGateway(GENEROUS);
  exchange(device, gateway);
  const { child, ticket, skD, others } = secretsOf(gateway, [device]);
  const cut = [PSK, ...SECRETS].map((secret) => secret.slice(0, 15));
  mistakes(device.session, device).forEach((mistake, n) => {
    let thrown: unknown;
    try {
      mistake();
    } catch (error) {
      thrown = error;
    }
    assert.equal((thrown as Error | undefined)?.name, "IkeletError", `mistake ${n}`);
    const told = `${printed(thrown)}${(thrown as Error).message}`;
    for (const secret of [...child, ...ticket, ...skD, ...others, ...cut])
      assert.equal(holds(told, secret), false, told);
  });
});

test("the search finds octets in every form", () => {
  const secret = octets(32, "found");
  const { buffer } = Uint8Array.from([...secret, 1]);
  for (const value of [
    { key: secret },
    [{ inside: { key: new Uint8Array(buffer, 32) } }],
    new Error(Buffer.from(secret).toString("hex")),
    `${[...secret]}`,
    Buffer.from(secret).toString("base64"),
  ])
    assert.equal(holds(printed(value), secret), true, inspect(value));
  assert.equal(holds(printed(makeProfile().suite), secret), false);
});
