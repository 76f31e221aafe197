/** What the program prints beside the messages. */

import { styleText } from "node:util";
import type { ChildSa, Profile, Session } from "ikelet";
import { cipherName, identityText, selectorText, spiText, suiteName } from "ikelet/explain.js";
import type { Connection } from "./driver.ts";

const coloured = process.stdout.isTTY && !process.env.NO_COLOR;

export function quiet(text: string): string {
  return coloured ? styleText("gray", text) : text;
}

export function strong(text: string): string {
  return coloured ? styleText("bold", text) : text;
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}

function row(label: string, value: string): string {
  return `  ${quiet(label.padEnd(11))}${value}`;
}

/** Algorithms, SPIs and selectors; keys only if they are wanted. */
export function report(profile: Profile, { child, remote, session }: Connection, showKeys: boolean): string {
  return [
    row("gateway", identityText(remote)),
    row("IKE SA", suiteName(profile.suite)),
    row("", `SPIs ${hex(session.spiI)} (ours), ${hex(session.spiR)}`),
    row("Child SA", `${cipherName(child)}, ${child.mode} mode${child.esn ? ", ESN" : ""}`),
    row("  out", direction(child.outbound)),
    row("  in", direction(child.inbound)),
    row("  local", child.local.map(selectorText).join(", ")),
    row("  remote", child.remote.map(selectorText).join(", ")),
    ...(showKeys ? keyRows(session, child) : []),
  ].join("\n");
}

function direction({ spi, key }: ChildSa["outbound"]): string {
  return `SPI ${spiText(spi)}  key of ${key.length} octets`;
}

function keyRows({ keys }: Session, { outbound, inbound }: ChildSa): string[] {
  if (!keys) return [];
  return [
    row("SK_d", hex(keys.skD)),
    row("SK_ei|ai", hex(keys.skI)),
    row("SK_er|ar", hex(keys.skR)),
    row("ESP out", hex(outbound.key)),
    row("ESP in", hex(inbound.key)),
  ];
}
