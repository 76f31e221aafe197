/** Secrets do not outlive their use, and do not get out. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Event, entropyLength, initiate, type Session } from "ikelet";
import { groupOf } from "../responder/index.ts";
import { makeProfile, octets, PSK } from "./harness.ts";
import { LIVES, live, PROFILES, simply } from "./lives.ts";
import { idOf, KEY_PAD, mac } from "./scenes.ts";

/** All octets in a value, with the whole memory behind each of them. */
function memoryOf(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [new Uint8Array(value.buffer)];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(memoryOf) : [];
}

const holds = (value: unknown, secret: Uint8Array): boolean =>
  memoryOf(value).some((memory) => Buffer.from(memory).includes(Buffer.from(secret)));

function secretsOf({ gateway, profile, entropy }: ReturnType<typeof live>) {
  const { keys, nonceI, nonceR, sharedSecret, child } = gateway.sas[0]!;
  const { keyExchange } = profile.suite;
  const privateValue = entropy.slice(8 + nonceI.length, 8 + nonceI.length + keyExchange!.secretLength);
  const children = child && [child.keyI2R, child.keyR2I].flatMap((k) => [k.encryption, k.integrity]);
  const { skD, skEi, skEr, skAi, skAr, skPi, skPr } = keys;
  const { local, remote } = profile;
  return {
    psk: [PSK, mac(PSK, KEY_PAD)],
    privateValue: [privateValue],
    shared: [sharedSecret!],
    nonces: [nonceI, nonceR],
    skPi: [skPi, ...(local ? [mac(skPi, idOf(local))] : [])],
    skPr: [skPr, ...(remote ? [mac(skPr, idOf(remote))] : [])],
    lasting: [skD, skEi, skEr, skAi, skAr].filter(({ length }) => length > 0),
    child: (children ?? []).filter(({ length }) => length > 0),
  };
}

for (const [profileName, changes] of Object.entries(PROFILES)) {
  test(`what a session holds, and no longer holds: ${profileName} [7296-2.12-a]`, () => {
    for (const life of Object.values(LIVES)) {
      const lived = live(life, changes, simply);
      if (!lived.gateway.sas.length) continue;
      const secrets = secretsOf(lived);
      const forbidden: Record<Session["state"], (keyof typeof secrets)[]> = {
        initiating: ["psk", "shared", "skPi", "skPr", "lasting", "child"],
        authenticating: ["psk", "shared", "privateValue", "skPi", "child"],
        established: ["psk", "shared", "privateValue", "nonces", "skPi", "skPr", "child"],
        closing: ["psk", "shared", "privateValue", "nonces", "skPi", "skPr", "child"],
        closed: ["psk", "shared", "privateValue", "nonces", "skPi", "skPr", "child", "lasting"],
      };
      for (const { name, step } of lived.taken) {
        const { state } = step.session;
        const found = forbidden[state].filter((kind) => secrets[kind].some((s) => holds(step.session, s)));
        assert.deepEqual(found, [], `${state} after ${name}`);
      }
      // So that the search is known to find: what lasts is there while it lasts.
      const up = lived.taken.find(({ step }) => step.session.state === "established");
      if (up)
        assert.deepEqual(
          secrets.lasting.map((secret) => holds(up.step.session, secret)),
          secrets.lasting.map(() => true),
        );
      const waiting = lived.taken[0]!.step.session;
      assert.equal(holds(waiting, secrets.privateValue[0]!), true);
    }
  });

  test(`no event but \`established\` holds key bytes: ${profileName}`, () => {
    for (const life of Object.values(LIVES)) {
      const lived = live(life, changes, simply);
      if (!lived.gateway.sas.length) continue;
      const secrets = Object.values(secretsOf(lived)).flat();
      const events: Event[] = lived.taken.flatMap(({ step }) => [...step.events]);
      for (const event of events.filter(({ type }) => type !== "established"))
        assert.equal(
          secrets.some((secret) => holds(event, secret)),
          false,
          event.type,
        );
      // And that one holds the keys of the Child SA only.
      const { child, ...others } = secretsOf(lived);
      const up = events.find(({ type }) => type === "established");
      if (up && child.length)
        assert.equal(
          child.every((secret) => holds(up, secret)),
          true,
        );
      assert.equal(
        Object.values(others)
          .flat()
          .some((secret) => holds(up, secret)),
        false,
      );
    }
  });

  test(`nothing that is sent holds key bytes: ${profileName}`, () => {
    const lived = live(LIVES["closed by us"]!, changes, simply);
    const { nonces, ...secrets } = secretsOf(lived);
    const all = lived.taken.flatMap(({ step }) => [...step.send]);
    assert.equal(
      Object.values(secrets)
        .flat()
        .some((secret) => holds(all, secret)),
      false,
    );
    assert.equal(
      nonces.every((nonce) => holds(all, nonce)),
      false,
    );
  });
}

test("the search above looks for the right octets", () => {
  const profile = makeProfile();
  const { send } = initiate(profile, octets(entropyLength(profile)));
  assert.equal(holds(send, groupOf(31)!.publicValue(octets(60).slice(24, 56))), true);
});
