// What does not fit together comes to the end that the library promises, and leaves nothing at the gateway.

import assert from "node:assert/strict";
import type { Event } from "ikelet";
import type { GatewayConfig } from "../config.ts";
import { show } from "../json.ts";
import type { Kind } from "../lab.ts";
import { pskHex } from "../profile.ts";
import { type Case, gatewayConfig, start, type Words } from "./case.ts";
import { checkGone } from "./checks.ts";

const NO_PROPOSAL_CHOSEN = 14;
const AUTHENTICATION_FAILED = 24;
const TS_UNACCEPTABLE = 38;

/** Fields of the events that are expected, the last ones of the session. */
type Expected = readonly Partial<Event & { readonly reason: string; readonly notify: number | undefined }>[];

interface Row {
  readonly name: string;
  readonly config?: Partial<GatewayConfig>;
  readonly asks: Words;
  readonly end: Expected | Record<Kind, Expected>;
  /** The gateway believes that all is well, and is not told otherwise: it is not the one that was meant. */
  readonly left?: Kind;
}

const refused = (notify: number): Expected => [{ type: "closed", reason: "refused", notify }];
const childFailed = (reason: string, notify?: number): Expected => [
  { type: "child-failed", reason, notify } as Expected[number],
  { type: "closed", reason: "requested" },
];
const hinted: Expected = [
  { type: "closed", reason: "timeout", hint: { notify: NO_PROPOSAL_CHOSEN, data: new Uint8Array() } },
];
const rejected = refused(AUTHENTICATION_FAILED);
const misnamed: Expected = [{ type: "closed", reason: "identity" }];
const soon = { wait: 100, sends: 3 };
const otherCipher = { cipher: "aes256gcm16", prf: "sha256", group: 31 } as const;
const otherPrf = { cipher: "aes128gcm16", prf: "sha512", group: 31 } as const;
const otherGroup = { cipher: "aes128gcm16", prf: "sha256", group: 19 } as const;

const rows: readonly Row[] = [
  { name: "wrong pre-shared key", asks: { psk: pskHex("incorrect horse battery staple") }, end: rejected },
  { name: "wrong device identity", asks: { deviceId: "other.example" }, end: rejected },
  {
    name: "wrong gateway identity",
    asks: { gatewayId: "other.example" },
    end: { strongswan: rejected, libreswan: misnamed, iked: rejected },
    left: "libreswan",
  },
  {
    name: "no IKE proposal in common: cipher",
    asks: { ike: otherCipher, retransmission: soon },
    end: hinted,
  },
  { name: "no IKE proposal in common: PRF", asks: { ike: otherPrf, retransmission: soon }, end: hinted },
  { name: "wrong group", asks: { ike: otherGroup, retransmission: soon }, end: hinted },
  {
    name: "no ESP proposal in common",
    asks: { esp: { cipher: "aes128cbc", integrity: "sha512" } },
    end: {
      strongswan: childFailed("refused", NO_PROPOSAL_CHOSEN),
      libreswan: childFailed("refused", NO_PROPOSAL_CHOSEN),
      iked: refused(NO_PROPOSAL_CHOSEN),
    },
  },
  {
    name: "no traffic in common",
    asks: { remote: "192.0.2.0/24" },
    end: {
      strongswan: childFailed("refused", TS_UNACCEPTABLE),
      libreswan: childFailed("refused", TS_UNACCEPTABLE),
      iked: childFailed("selectors"), // it answers with its own
    },
  },
  {
    name: "transport mode not granted",
    asks: { mode: "transport" },
    end: { strongswan: childFailed("mode"), libreswan: childFailed("mode"), iked: rejected },
  },
];

export function refusals(kind: Kind): Case[] {
  return rows.map(({ name, config, asks, end, left }) => ({
    name,
    config: gatewayConfig(config),
    async run(lab) {
      const device = start(lab, asks);
      await device.until("closed");
      const expected = Array.isArray(end) ? (end as Expected) : (end as Record<Kind, Expected>)[kind];
      const happened = device.events.filter(({ type }) => type !== "ignored");
      assert.equal(happened.length, expected.length, `events: ${show(happened)}`);
      expected.forEach((fields, i) => {
        const seen = happened[i] as Record<string, unknown>;
        for (const [key, value] of Object.entries(fields))
          assert.deepEqual(seen[key], value, `${key} of ${show(happened)}`);
      });
      if (left !== kind) await checkGone(lab);
    },
  }));
}
