/** What passed between a device and a real gateway, recorded by `npm run test:gateways -- --record transcripts`. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import {
  checkLiveness,
  close,
  initiate,
  type Profile,
  receive,
  type Session,
  type Step,
  timeout,
} from "ikelet";
import { octetsOf, plain } from "../gateways/json.ts";
import { type ProfileWords, profileOf } from "../gateways/profile.ts";

const directory = new URL("../vectors/transcripts/", import.meta.url);

type Call = "initiate" | "timeout" | "checkLiveness" | "close";

type Entry =
  | { readonly call: Call }
  | { readonly direction: "in" | "out"; readonly hex: string }
  | { readonly event: unknown };

/** A call or a datagram, and all that came of it. */
export interface Moment {
  readonly input: { readonly call: Call } | { readonly datagram: Uint8Array };
  readonly send: readonly string[];
  readonly events: readonly unknown[];
}

export interface Transcript {
  readonly name: string;
  readonly words: ProfileWords;
  readonly profile: Profile;
  readonly entropy: Uint8Array;
  readonly moments: readonly Moment[];
}

function momentsOf(entries: readonly Entry[]): Moment[] {
  const moments: { input: Moment["input"]; send: string[]; events: unknown[] }[] = [];
  for (const entry of entries) {
    if ("call" in entry) moments.push({ input: entry, send: [], events: [] });
    else if ("event" in entry) moments.at(-1)!.events.push(entry.event);
    else if (entry.direction === "out") moments.at(-1)!.send.push(entry.hex);
    else moments.push({ input: { datagram: octetsOf(entry.hex) }, send: [], events: [] });
  }
  return moments;
}

export const transcripts: readonly Transcript[] = readdirSync(directory)
  .sort()
  .map((file) => {
    const { profile, entropy, entries } = JSON.parse(readFileSync(new URL(file, directory), "utf8"));
    return {
      name: file.replace(".json", ""),
      words: profile,
      profile: profileOf(profile),
      entropy: octetsOf(entropy),
      moments: momentsOf(entries),
    };
  });

export function take(transcript: Transcript, session: Session | undefined, input: Moment["input"]): Step {
  const { profile, entropy } = transcript;
  if ("datagram" in input) return receive(profile, session!, input.datagram);
  switch (input.call) {
    case "initiate":
      return initiate(profile, entropy);
    case "timeout":
      return timeout(profile, session!);
    case "checkLiveness":
      return checkLiveness(profile, session!);
    case "close":
      return close(profile, session!);
  }
}

/** The step is the recorded one. */
export function checkStep({ send, events }: Step, moment: Moment, what: string): void {
  assert.deepEqual(plain(send), moment.send, `${what}: datagrams`);
  assert.deepEqual(plain(events), moment.events, `${what}: events`);
}
