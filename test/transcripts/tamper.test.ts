/**
 * Whatever happens to a datagram of a real gateway on its way, the device is safe: each datagram of each transcript is
 * delivered in the state in which the genuine one came, but cut short, at every length, or with a single bit flipped,
 * every bit.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { type KeyExchange, type Profile, receive, type Session, type Step } from "ikelet";
import { hex } from "../gateways/json.ts";
import { checkStep, type Moment, type Transcript, take, transcripts } from "./transcript.ts";

const MODP_2048 = 14;

/**
 * The same group, each shared secret computed once only. In MODP nearly every value is a good one, and takes long: for
 * those that the gateway did not send, the value itself is the secret, which is as wrong as the right one would be.
 */
function remembering(group: KeyExchange, genuine: readonly Uint8Array[]): KeyExchange {
  const known = new Map<string, Uint8Array | undefined>();
  const cheap = group.transformId === MODP_2048;
  const sent = genuine.map(hex).join(" ");
  return {
    ...group,
    sharedSecret(secret, peerValue) {
      const key = `${hex(secret)} ${hex(peerValue)}`;
      const stranger = cheap && peerValue.length === group.publicLength && !sent.includes(hex(peerValue));
      if (stranger) return new Uint8Array(peerValue);
      if (!known.has(key)) known.set(key, group.sharedSecret(secret, peerValue));
      const found = known.get(key);
      return found && new Uint8Array(found); // the caller wipes it
    },
  };
}

function remember({ profile, moments }: Transcript): Profile {
  const { suite } = profile;
  const genuine = moments.flatMap(({ input }) => ("datagram" in input ? [input.datagram] : []));
  return { ...profile, suite: { ...suite, keyExchange: remembering(suite.keyExchange!, genuine) } };
}

const flipped = (datagram: Uint8Array, bit: number): Uint8Array =>
  datagram.map((octet, i) => (i === bit >> 3 ? octet ^ (0x80 >> (bit & 7)) : octet));

/** Cut short, and once more with a Length in the header that agrees. */
function shortened(datagram: Uint8Array, length: number): Uint8Array[] {
  const short = datagram.slice(0, length);
  if (length < 28) return [short];
  const mended = short.slice();
  new DataView(mended.buffer).setUint32(24, length);
  return [short, mended];
}

function* tamperings(datagram: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < datagram.length; length++) yield* shortened(datagram, length);
  for (let bit = 0; bit < 8 * datagram.length; bit++) yield flipped(datagram, bit);
}

/** What a protected message meets with: nothing of it counts, and the genuine one still does. */
function checkIgnored(step: Step, before: Session, what: string): void {
  assert.equal(step.events.length, 1, `${what}: one event`);
  assert.equal(step.events[0]!.type, "ignored", `${what}: event`);
  assert.equal(step.send.length, 0, `${what}: datagrams`);
  assert.equal(step.wait, undefined, `${what}: timer`);
  // An error in the clear is remembered, to be told if nothing better comes.
  const { hint } = step.session;
  const same =
    step.session === before ||
    isDeepStrictEqual(step.session, hint && before.state === "initiating" ? { ...before, hint } : before);
  assert.equal(same, true, `${what}: session`);
}

/**
 * A response to IKE_SA_INIT is not protected, so a tampered one may be taken for good; but AUTH covers it, so the
 * gateway's true answers must not lead anywhere.
 */
function checkNoAuthentication(
  profile: Profile,
  { session }: Step,
  following: readonly Moment[],
  what: string,
): void {
  let current = session;
  for (const { input } of following) {
    if (!("datagram" in input)) continue;
    const step = receive(profile, current, input.datagram);
    for (const { type } of step.events)
      assert.ok(type === "ignored" || type === "closed", `${what}: event ${type} after it`);
    current = step.session;
  }
  assert.ok(["authenticating", "closed"].includes(current.state), `${what}: state ${current.state}`);
}

function tamper(transcript: Transcript): Record<"ignored" | "cookies" | "taken", number> {
  const count = { ignored: 0, cookies: 0, taken: 0 };
  const profile = remember(transcript);
  let session: Session | undefined;
  transcript.moments.forEach((moment, i) => {
    const { input } = moment;
    const genuine = take({ ...transcript, profile }, session, input);
    const before = structuredClone(session);
    for (const tampered of "datagram" in input ? tamperings(input.datagram) : []) {
      const what = `entry ${i}, ${hex(tampered)}`;
      const step = receive(profile, session!, tampered);
      if (step.session.state !== before!.state) {
        assert.equal(before!.state, "initiating", `${what}: state`);
        checkNoAuthentication(profile, step, transcript.moments.slice(i + 1), what);
        count.taken++;
        continue;
      }
      if (step.send.length > 0) {
        assert.equal(before!.state, "initiating", `${what}: only a cookie is answered`);
        count.cookies++;
      } else {
        checkIgnored(step, session!, what);
        count.ignored++;
      }
      // The very same session goes on in the very same way: the functions are pure.
      if (step.session !== session)
        checkStep(take({ ...transcript, profile }, step.session, input), moment, `after ${what}`);
    }
    assert.ok(isDeepStrictEqual(session, before), `entry ${i}: the session that was passed in`);
    session = genuine.session;
  });
  return count;
}

for (const transcript of transcripts)
  test(`nothing truncated, nothing with a flipped bit counts: ${transcript.name}`, (context) => {
    const { ignored, cookies, taken } = tamper(transcript);
    context.diagnostic(
      `${ignored} passed over, ${cookies} cookies, ${taken} taken at first and stopped by AUTH`,
    );
    assert.equal(ignored > 0 && taken > 0, true, "both kinds");
  });
