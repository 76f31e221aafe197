/** Lives of a session, from its first request to its end, for tests that look at every step. */

import {
  checkLiveness,
  close,
  entropyLength,
  initiate,
  type Profile,
  receive,
  type Session,
  type Step,
  timeout,
} from "ikelet";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesCmac } from "ikelet/crypto/aes-cmac.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import { modp2048 } from "ikelet/crypto/modp2048.js";
import { p256 } from "ikelet/crypto/p256.js";
import {
  deletePayload,
  flip,
  notify,
  type Responder,
  tokenNotify,
  unknownPayload,
} from "../responder/index.ts";
import { makeGateway, makeProfile, octets } from "./harness.ts";
import { inTheClear, one } from "./scenes.ts";

/** One call: of a function of the library, with the octets that go into it. */
export interface Call {
  readonly name: string;
  readonly octets?: Uint8Array;
  readonly run: (profile: Profile, session: Session, octets: Uint8Array) => Step;
}

export const call = {
  receive: (name: string, datagram: Uint8Array): Call => ({ name, octets: datagram, run: receive }),
  timeout: (): Call => ({ name: "timeout", run: timeout }),
  checkLiveness: (): Call => ({ name: "checkLiveness", run: checkLiveness }),
  close: (): Call => ({ name: "close", run: close }),
};

/** Lives of a session: each gets the latest datagrams of the device and says what to do next. */
export type Life = (gateway: Responder, sent: () => Uint8Array) => Generator<Call, void, Session>;

export const handshake: Life = function* (gateway, sent) {
  yield call.receive("an error", gateway.unprotected(sent(), notify(14, octets(40, "hint"))));
  yield call.receive("a cookie", one(gateway.receive(sent())));
  yield call.timeout();
  const [response] = gateway.receive(sent());
  yield call.receive("nonsense", octets(100, "nonsense"));
  yield call.receive("damage", flip(response!, 40));
  yield call.receive("the response of IKE_SA_INIT", response!);
  yield call.timeout();
  const [auth] = gateway.receive(sent());
  yield call.receive("damage", flip(auth!, 60));
  yield call.receive("the response of IKE_AUTH", auth!);
};

export const LIVES: Record<string, Life> = {
  "closed by us": function* (gateway, sent) {
    yield* handshake(gateway, sent);
    const session = yield call.timeout();
    const liveness = gateway.liveness();
    yield call.receive("a liveness check", liveness);
    gateway.receive(sent());
    yield call.receive("it once more", liveness);
    yield call.receive(
      "a hint",
      inTheClear({ session } as never, [notify(4), tokenNotify(octets(32, "token"))]),
    );
    yield call.receive(
      "errors",
      gateway.informational([notify(11, octets(4, "spi")), notify(39, octets(60, "packet"))]),
    );
    gateway.receive(sent());
    yield call.receive("a critical payload", gateway.informational([unknownPayload(200, true)]));
    gateway.receive(sent());
    yield call.checkLiveness();
    const request = sent();
    yield call.receive("a rekey", gateway.rekeyChild());
    gateway.receive(sent());
    yield call.close();
    yield call.receive("the answer to our check", one(gateway.receive(request)));
    const bye = sent();
    yield call.timeout();
    yield call.receive("a Delete of the Child SA", gateway.deleteChild());
    gateway.receive(sent());
    yield call.receive("the answer to our Delete", one(gateway.receive(bye)));
    yield call.timeout();
    yield call.close();
  },
  "closed by the gateway": function* (gateway, sent) {
    yield* handshake(gateway, sent);
    yield call.receive("a rekey of the IKE SA", gateway.rekeyIke());
    gateway.receive(sent());
    yield call.receive("a Delete of the Child SA", gateway.deleteChild());
    gateway.receive(sent());
    const bye = gateway.informational([deletePayload(1)]);
    yield call.receive("a Delete of the IKE SA", bye);
    yield call.receive("it once more", bye);
  },
  "out of touch": function* (gateway, sent) {
    yield* handshake(gateway, sent);
    yield call.checkLiveness();
    for (let n = 0; n < 8; n++) yield call.timeout();
  },
  "never begun": function* (gateway, sent) {
    yield call.receive("an error", gateway.unprotected(sent(), notify(14)));
    for (let n = 0; n < 8; n++) yield call.timeout();
  },
  "without sense": function* (gateway, sent) {
    yield* handshake(gateway, sent);
    yield call.receive("a malformed request", gateway.liveness({ sealing: { padLengthOctet: 99 } }));
  },
  "given up on half the way": function* (gateway, sent) {
    yield call.receive("a cookie", one(gateway.receive(sent())));
    yield call.receive("the response of IKE_SA_INIT", one(gateway.receive(sent())));
    yield call.close();
  },
};

export const PROFILES: Record<string, Partial<Profile>> = {
  "ChaCha20-Poly1305, X25519": { initialContact: true },
  "AES-CBC, AES-CMAC, P-256": {
    suite: { cipher: aesCbc(128, hmacSha256_128), prf: aesCmac, keyExchange: p256 },
    child: { ...makeProfile().child, cipher: aesCbc(256, hmacSha256_128) },
  },
  MODP: { suite: { ...makeProfile().suite, keyExchange: modp2048 } },
};

/** Records and arrays cannot be changed any more; octets can, so these are compared. */
export function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value) && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inside of Object.values(value)) freeze(inside);
  }
  return value;
}

export const plain = (value: unknown): unknown => structuredClone(value);
/** The profile holds functions, which cannot be cloned. */
export const octetsOf = (profile: Profile): unknown =>
  plain([profile.psk, profile.local, profile.remote, profile.child.local, profile.child.remote]);

export interface Taken {
  readonly name: string;
  readonly step: Step;
}

/** Lives a life; `perform` makes the calls. */
export function live(
  life: Life,
  changes: Partial<Profile>,
  perform: (run: (octets: Uint8Array) => Step, input: Uint8Array, args: unknown[], name: string) => Step,
): { taken: Taken[]; gateway: Responder; profile: Profile; entropy: Uint8Array } {
  const profile = freeze(makeProfile(changes));
  const gateway = makeGateway({ cookie: { rounds: 1 } });
  const entropy = octets(entropyLength(profile));
  const taken: Taken[] = [];
  let sent: Uint8Array | undefined;
  const take = (name: string, step: Step): Session => {
    taken.push({ name, step });
    sent = step.send[0] ?? sent;
    return step.session;
  };
  let session = take(
    "initiate",
    perform((random) => initiate(profile, random), entropy, [octetsOf(profile)], "initiate"),
  );
  const todo = life(gateway, () => sent!);
  for (let next = todo.next(session); !next.done; next = todo.next(session)) {
    const { name, octets: input = new Uint8Array(0), run } = next.value;
    const before = session;
    session = take(
      name,
      perform((datagram) => run(profile, before, datagram), input, [before, octetsOf(profile)], name),
    );
  }
  return { taken, gateway, profile, entropy };
}

export const simply = (run: (octets: Uint8Array) => Step, input: Uint8Array): Step => run(input);
