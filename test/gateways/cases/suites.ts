// Every IKE suite that the daemon has, each with one of its ESP suites in turn, so that each of these comes up too.

import { abilities, espSuites, isCbc } from "../abilities.ts";
import { espName, ikeName } from "../algorithms.ts";
import type { GatewayConfig, Hash, IkeProposal } from "../config.ts";
import type { Kind } from "../lab.ts";
import { type Case, connect } from "./case.ts";
import { checkGone } from "./checks.ts";

/** How many IKE proposals it takes at a time. */
const mostProposals: Record<Kind, number> = { strongswan: 1000, libreswan: 1000, iked: 12 };

function ikeSuites(kind: Kind): IkeProposal[] {
  const { ikeCiphers, ikeIntegrity, prfs, groups } = abilities[kind];
  return ikeCiphers.flatMap((cipher) =>
    prfs.flatMap((prf) => {
      const fitting: readonly (Hash | undefined)[] = isCbc(cipher)
        ? ikeIntegrity.filter((hash) => kind !== "libreswan" || hash === prf)
        : [undefined];
      return fitting.flatMap((integrity) =>
        groups.map((group) => ({ cipher, prf, group, ...(integrity && { integrity }) })),
      );
    }),
  );
}

export function suites(kind: Kind): Case[] {
  const ike = ikeSuites(kind);
  const esp = espSuites(kind);
  if (ike.length < esp.length) throw new Error("an ESP suite is left out");
  const configs = ike.flatMap((_, i): GatewayConfig[] =>
    i % mostProposals[kind] === 0 ? [{ ike: ike.slice(i, i + mostProposals[kind]), esp }] : [],
  );
  return ike.map((suite, i) => {
    const words = { ike: suite, esp: esp[i % esp.length]! };
    const config = configs[Math.floor(i / mostProposals[kind])]!;
    return {
      name: `suite ${ikeName(words.ike)}, ESP ${espName(words.esp)}`,
      config,
      async run(lab) {
        const { device } = await connect(lab, words);
        device.close();
        await device.until("closed");
        await checkGone(lab);
      },
    };
  });
}
