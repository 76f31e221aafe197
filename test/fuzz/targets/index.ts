import { fuzzEsp } from "./esp.ts";
import { fuzzSession } from "./session.ts";
import { fuzzStorage } from "./storage.ts";
import { fuzzWire } from "./wire.ts";

/** What can be fuzzed, and how large its share of the time is. Each takes any octets, and throws what it finds. */
export const TARGETS: readonly {
  readonly name: string;
  readonly share: number;
  readonly fuzz: (input: Uint8Array) => void;
}[] = [
  { name: "session", share: 7, fuzz: fuzzSession },
  { name: "esp", share: 2, fuzz: fuzzEsp },
  { name: "wire", share: 1, fuzz: fuzzWire },
  { name: "storage", share: 1, fuzz: fuzzStorage },
];
