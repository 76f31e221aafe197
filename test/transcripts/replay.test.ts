/** The library does today, bit for bit, what it did when real gateways answered it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Session } from "ikelet";
import { checkStep, take, transcripts } from "./transcript.ts";

for (const transcript of transcripts) {
  test(`replay of ${transcript.name}`, () => {
    let session: Session | undefined;
    transcript.moments.forEach((moment, i) => {
      const step = take(transcript, session, moment.input);
      checkStep(step, moment, `entry ${i}`);
      session = step.session;
    });
    assert.equal(session!.state, "closed", "the last state");
  });
}

test("there is a transcript with an AEAD and one with CBC of each gateway", () => {
  for (const kind of ["strongswan", "libreswan", "iked"])
    for (const isCbc of [false, true])
      assert.ok(
        transcripts.some(({ name, words }) => name.startsWith(kind) && !!words.ike.integrity === isCbc),
        `${kind}, CBC: ${isCbc}`,
      );
});
