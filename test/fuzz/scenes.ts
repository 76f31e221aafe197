/** Sessions in every state, each with all that a gateway knows that means well or ill. */

import {
  checkLiveness,
  close,
  entropyLength,
  host,
  initiate,
  type Profile,
  type receive,
  type Session,
  timeout,
} from "ikelet";
import { configuration } from "ikelet/configuration.js";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCmac } from "ikelet/crypto/aes-cmac.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { sha1 } from "ikelet/crypto/sha1.js";
import { nat } from "ikelet/nat.js";
import { announceToken, qcd } from "ikelet/qcd.js";
import { requestTicket, resume, resumeEntropyLength, resumption, type Ticket } from "ikelet/resumption.js";
import {
  type Device,
  deliver,
  exchange,
  makeGateway,
  makeProfile,
  octets,
  take,
} from "../initiator/harness.ts";
import { freeze } from "../initiator/lives.ts";
import {
  type Bytes,
  configuration as configurationPayload,
  type Options,
  type Responder,
  range,
} from "../responder/index.ts";

/** Where a program begins. */
export interface Scene {
  readonly name: string;
  readonly profile: Profile;
  readonly session: Session;
  /** Datagrams that have gone to and fro. */
  readonly history: readonly Bytes[];
  /** Tokens of the gateway that end the session when they come in the clear. */
  readonly tokens: readonly Bytes[];
}

const DEVICE = { address: Uint8Array.of(10, 0, 0, 2), port: 500 };
const GATEWAY = { address: Uint8Array.of(192, 0, 2, 1), port: 500 };
const SECRETS = [octets(32, "secret of the device")];
const MAKER = { prf: hmacSha256, secrets: SECRETS };

const ADDRESS = configurationPayload(2, [
  [1, Uint8Array.of(10, 1, 0, 7)],
  [3, Uint8Array.of(10, 99, 0, 53)],
  [13, Uint8Array.of(10, 99, 0, 0, 255, 255, 0, 0)],
]);

const base = makeProfile();

const PROFILES: readonly { name: string; profile: Profile; options: Partial<Options> }[] = [
  {
    name: "ChaCha20-Poly1305, tunnel",
    profile: makeProfile({
      initialContact: true,
      extensions: [
        nat({ sha1, local: DEVICE, remote: GATEWAY }),
        resumption(),
        qcd(MAKER),
        configuration({ ipv6: true, dns: true, subnets: true }),
      ],
    }),
    options: { configuration: ADDRESS },
  },
  {
    name: "AES-CBC, AES-CMAC, transport",
    profile: makeProfile({
      suite: { cipher: aesCbc(128, hmacSha256_128), prf: aesCmac, keyExchange: base.suite.keyExchange! },
      child: {
        cipher: aesCbc(256, hmacSha256_128),
        mode: "transport",
        local: host(DEVICE.address),
        remote: host(GATEWAY.address),
      },
      extensions: [nat({ sha1, local: DEVICE, remote: GATEWAY }), resumption(), qcd(MAKER)],
    }),
    options: {
      child: { tsI: [range("203.0.113.9")], tsR: [range("192.0.2.1")] },
    },
  },
];

/** A device and its gateway at the beginning. */
function start({ profile, options }: (typeof PROFILES)[number], ticket?: Ticket, old?: Responder) {
  const gateway =
    old ??
    makeGateway({
      nat: { local: GATEWAY, remote: { address: Uint8Array.of(203, 0, 113, 9), port: 1024 } },
      qcd: { secrets: [octets(32, "secret of the gateway")] },
      tickets: { spentAt: "never" },
      ...options,
    });
  const step = ticket
    ? resume(profile, ticket, 1, octets(resumeEntropyLength(profile), "resumed"))
    : initiate(profile, octets(entropyLength(profile), "fresh"));
  const device: Device = { profile, session: step.session, step, events: [...step.events] };
  return { device, gateway };
}

function scenesOf(beginning: (typeof PROFILES)[number]): Scene[] {
  const { profile } = beginning;
  const up = start(beginning);
  // In transport mode behind a NAT the gateway's policy speaks of other addresses than the offer.
  const transport = profile.child.mode === "transport";
  if (transport) up.gateway.options = { ...up.gateway.options, child: {} };
  const half = start(beginning);
  deliver(half.device, half.gateway.receive(half.device.step.send[0]!)[0]!);
  exchange(up.device, up.gateway);
  const ticketEvent = up.device.events.find(({ type }) => type === "ticket");
  if (ticketEvent?.type !== "ticket" || up.device.session.state !== "established")
    throw new Error(`no ticket, ${JSON.stringify(up.device.events.map(({ type }) => type))}`);
  const resuming = start(beginning, ticketEvent.ticket, up.gateway.fork());
  const halfResumed = start(beginning, ticketEvent.ticket, up.gateway.fork());
  deliver(halfResumed.device, halfResumed.gateway.receive(halfResumed.device.step.send[0]!)[0]!);

  const scene = (name: string, { device, gateway }: typeof up): Scene => ({
    name: `${beginning.name}: ${name}`,
    profile,
    session: freeze(device.session),
    history: gateway.log.map(({ datagram }) => datagram).slice(-8),
    tokens: (device.session.extensions?.qcd as readonly Bytes[] | undefined) ?? [],
  });
  const then = (act: (device: Device, gateway: Responder) => void): typeof up => {
    const pair = { device: { ...up.device, events: [] }, gateway: up.gateway.fork() };
    act(pair.device, pair.gateway);
    return pair;
  };
  const does =
    (run: (profile: Profile, session: Session) => ReturnType<typeof receive>) =>
    (device: Device): void =>
      void take(device, run(profile, device.session));
  return [
    scene("initiating", start(beginning)),
    scene("authenticating", half),
    scene("established", up),
    scene("resuming", resuming),
    scene("authenticating with a ticket", halfResumed),
    scene("asking", then(does(checkLiveness))),
    scene("asking for a ticket", then(does(requestTicket))),
    scene("giving a token", then(does((_, session) => announceToken(profile, session, MAKER)))),
    scene("closing", then(does(close))),
    scene(
      "about to close",
      then((device) => {
        does(checkLiveness)(device);
        does(close)(device);
      }),
    ),
    scene(
      "without a Child SA",
      then((device, gateway) => void deliver(device, gateway.deleteChild())),
    ),
    scene(
      "deleted",
      then((device, gateway) => void deliver(device, gateway.deleteIke())),
    ),
    scene(
      "asked for a cookie",
      (() => {
        const pair = start(beginning);
        const cookie = makeGateway({ cookie: { rounds: 9 } });
        deliver(pair.device, cookie.receive(pair.device.step.send[0]!)[0]!);
        does(timeout)(pair.device);
        return pair;
      })(),
    ),
  ];
}

export const SCENES: readonly Scene[] = PROFILES.flatMap(scenesOf);
