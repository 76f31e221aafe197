// What each side asks of the other once the SA is up.

import assert from "node:assert/strict";
import { triggers } from "../abilities.ts";
import type { GatewayConfig } from "../config.ts";
import { eventually } from "../device.ts";
import type { Kind } from "../lab.ts";
import { wordsFor } from "../profile.ts";
import { type Case, connect, gatewayConfig, type Lab, type Skips } from "./case.ts";
import { type Connected, checkAlive, checkGone } from "./checks.ts";

interface Row {
  readonly name: string;
  readonly config?: Partial<GatewayConfig>;
  /** Makes the gateway begin. */
  readonly trigger?: Exclude<keyof (typeof triggers)["strongswan"], never>;
  readonly skip?: Skips;
  readonly run: (lab: Lab, connected: Connected) => Promise<void>;
}

/** The gateway's wish is refused, and all goes on as before. */
const refuseRekey = (sa: "ike" | "child") => async (lab: Lab, connected: Connected) => {
  const event = await connected.device.until("rekey-refused", 10_000);
  assert.equal(event.sa, sa, "which SA");
  await checkAlive(lab, wordsFor(lab.config), connected);
};

const rows: readonly Row[] = [
  {
    name: "liveness check by the device",
    async run(lab, connected) {
      for (let i = 0; i < 3; i++) await checkAlive(lab, wordsFor(lab.config), connected);
    },
  },
  {
    name: "liveness check by the gateway",
    config: { livenessSeconds: 1 },
    skip: { iked: "OpenIKED asks only after 300 s of silence" },
    async run(lab, connected) {
      const { device } = connected;
      await eventually("two requests of the gateway", () => device.session.peerMessageId === 2);
      await checkAlive(lab, wordsFor(lab.config), connected);
    },
  },
  {
    name: "rekey of the Child SA by the gateway",
    trigger: "rekeyChild",
    config: { childLifetimeSeconds: 4 },
    run: refuseRekey("child"),
  },
  {
    name: "rekey of the IKE SA by the gateway",
    trigger: "rekeyIke",
    config: { ikeLifetimeSeconds: 4 },
    run: refuseRekey("ike"),
  },
  {
    name: "Delete of the Child SA by the gateway",
    trigger: "deleteChild",
    skip: { iked: "OpenIKED cannot delete a Child SA alone" },
    async run(lab, { device, child }) {
      const { spiIn, spiOut } = await device.until("child-deleted");
      assert.equal(spiIn, child.inbound.spi, "SPI of packets to us");
      assert.equal(spiOut, child.outbound.spi, "SPI of packets to the gateway");
      await eventually("no ESP in the gateway's kernel", async () => !(await lab.gateway.xfrmState()).length);
      device.checkLiveness();
      await device.until("alive");
    },
  },
  {
    name: "Delete of the IKE SA by the gateway",
    trigger: "deleteIke",
    async run(lab, { device }) {
      assert.equal((await device.until("closed")).reason, "deleted", "reason");
      await checkGone(lab);
    },
  },
  {
    name: "close by the device",
    async run(lab, { device }) {
      device.close();
      assert.equal((await device.until("closed")).reason, "requested", "reason");
      await checkGone(lab);
    },
  },
  {
    name: "close by the device while a liveness check is unanswered",
    async run(lab, { device }) {
      device.checkLiveness();
      device.close();
      await device.until("alive");
      assert.equal((await device.until("closed")).reason, "requested", "reason");
      await checkGone(lab);
    },
  },
];

export function requests(kind: Kind): Case[] {
  return rows.map(({ name, config: changes, trigger, skip, run }) => {
    // OpenIKED rekeys by time only, the others on command only.
    const { childLifetimeSeconds, ikeLifetimeSeconds, ...common } = changes ?? {};
    const config = gatewayConfig(kind === "iked" ? changes : common);
    const commands: Partial<Record<string, string>> = triggers[kind];
    return {
      name,
      config,
      skip: skip?.[kind],
      async run(lab) {
        const connected = await connect(lab);
        const command = trigger && commands[trigger];
        if (command) await lab.gateway.exec(command);
        await run(lab, connected);
      },
    };
  });
}
