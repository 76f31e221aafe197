/** The laws of the design: functions are pure, and sessions are plain data. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { entropyLength, initiate, type Session } from "ikelet";
import { makeProfile, octets } from "./harness.ts";
import { freeze, LIVES, live, PROFILES, plain, simply } from "./lives.ts";

for (const [profileName, changes] of Object.entries(PROFILES)) {
  for (const [lifeName, life] of Object.entries(LIVES)) {
    test(`the same input gives the same step, and changes nothing: ${profileName}, ${lifeName}`, () => {
      const { taken, gateway } = live(life, changes, (run, input, args, name) => {
        freeze(args);
        const [inputBefore, argsBefore] = [plain(input), plain(args)];
        const step = run(input);
        assert.deepEqual(run(input), step, name);
        assert.deepEqual([plain(input), plain(args)], [inputBefore, argsBefore], name);
        return step;
      });
      assert.deepEqual(gateway.violations, []);
      assert.equal(taken.length > 3, true);
    });

    test(`the memory of a datagram may be used again: ${profileName}, ${lifeName}`, () => {
      live(life, changes, (run, input, _args, name) => {
        // A datagram in the midst of a buffer of the caller, which is overwritten afterwards.
        const memory = new Uint8Array(input.length + 20).fill(0xee);
        memory.set(input, 7);
        const step = run(memory.subarray(7, 7 + input.length));
        const before = plain(step);
        memory.fill(0xdd);
        assert.deepEqual(step, before, name);
        assert.deepEqual(step, run(input), name);
        return step;
      });
    });

    test(`a session is plain data, and can be stored at any time: ${profileName}, ${lifeName}`, () => {
      const { taken } = live(life, changes, simply);
      for (const { name, step } of taken) assertPlain(step.session, `${name}: session`);
      // A life with nothing but copies is the same life.
      let kept: Session | undefined;
      const again = live(life, changes, (run, input) => {
        const step = run(input);
        kept = structuredClone(step.session);
        return { ...step, session: kept };
      });
      assert.deepEqual(again.taken, taken);
    });
  }
}

function assertPlain(value: unknown, path: string): void {
  if (value === undefined || ["number", "string", "boolean"].includes(typeof value)) return;
  if (value instanceof Uint8Array) {
    assert.equal(Object.getPrototypeOf(value), Uint8Array.prototype, path);
    // A copy must not drag along what else lies in its memory, keys for example.
    assert.equal(value.buffer.byteLength, value.length, path);
    return;
  }
  assert.equal(typeof value, "object", path);
  const isArray = Array.isArray(value);
  assert.equal(Object.getPrototypeOf(value), isArray ? Array.prototype : Object.prototype, path);
  for (const [key, inside] of Object.entries(value as object)) assertPlain(inside, `${path}.${key}`);
}

test("the caller's entropy is not kept in place", () => {
  const profile = makeProfile();
  const entropy = octets(entropyLength(profile));
  const step = initiate(profile, entropy);
  const before = plain(step);
  entropy.fill(0);
  assert.deepEqual(step, before);
});
