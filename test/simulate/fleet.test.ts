/** The simulation with a handful of devices: what has to come out whatever the figures are. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { entropyLength, initiate } from "ikelet";
import { makeProfile, octets } from "../initiator/harness.ts";
import { makeAgenda } from "./agenda.ts";
import { connectFleet, simulate, VARIANTS, type Variant, WORLD } from "./fleet.ts";
import { plot } from "./plot.ts";
import { SUITE } from "./stand-ins.ts";

const DEVICES = 24;
const fleet = connectFleet(DEVICES, 1);
const [none, detecting, resuming, both] = VARIANTS as [Variant, Variant, Variant, Variant];
const last = (times: readonly number[]): number => times[times.length - 1]!;

test("every device of every variant comes back, and in the order of the times", () => {
  for (const variant of VARIANTS) {
    const { recovered } = simulate(fleet, variant);
    assert.equal(recovered.length, DEVICES, variant.name);
    assert.deepEqual(
      [...recovered].sort((a, b) => a - b),
      recovered,
    );
    assert.ok(recovered[0]! > 0);
  }
});

test("resumption spares the gateway its Diffie-Hellman operations, two for each device", () => {
  assert.equal(simulate(fleet, none).operations, 2 * DEVICES);
  assert.equal(simulate(fleet, detecting).operations, 2 * DEVICES);
  assert.equal(simulate(fleet, resuming).operations, 0);
  assert.equal(simulate(fleet, both).operations, 0);
});

test("without crash detection, no device is back before its eight sends are in vain", () => {
  const patience = 255_000 - WORLD.outage;
  assert.ok(simulate(fleet, none).recovered[0]! > patience);
  assert.ok(simulate(fleet, resuming).recovered[0]! > patience);
  assert.ok(last(simulate(fleet, both).recovered) < patience);
});

test("the same seed gives the same figures, another one gives others", () => {
  assert.deepEqual(simulate(fleet, both), simulate(connectFleet(DEVICES, 1), both));
  assert.notDeepEqual(simulate(fleet, both).recovered, simulate(connectFleet(DEVICES, 2), both).recovered);
});

test("in lock step with a short queue, most requests are lost; jitter and a spread help", () => {
  const herd = { ...WORLD, checkEvery: 0, outage: 0, loss: 0, backlog: 2, operationsPerSecond: 20 };
  const together = simulate(fleet, none, { ...herd, jitter: false });
  const spread = simulate(fleet, none, { ...herd, spread: 10_000 });
  assert.ok(together.dropped > 2 * DEVICES);
  assert.ok(spread.dropped < together.dropped);
  assert.ok(last(spread.recovered) < last(together.recovered));
  assert.equal(together.recovered.length, DEVICES);
});

test("the stand-ins are as long as the algorithms that they stand for", () => {
  const profile = makeProfile();
  const entropy = octets(entropyLength(profile));
  const standIn = { ...profile, suite: SUITE };
  assert.equal(initiate(standIn, entropy).send[0]!.length, initiate(profile, entropy).send[0]!.length);
  for (const [name, value] of [
    ...Object.entries(profile.suite.cipher),
    ...Object.entries(profile.suite.prf),
    ...Object.entries(profile.suite.keyExchange!),
  ])
    if (typeof value === "number")
      assert.ok(
        [SUITE.cipher, SUITE.prf, SUITE.keyExchange].some((own) => (own as never)[name] === value),
        name,
      );
});

test("the agenda keeps the order of time, and of entry at the same time", () => {
  const agenda = makeAgenda();
  const seen: string[] = [];
  for (const [at, name] of [
    [5, "e"],
    [1, "a"],
    [3, "c"],
    [1, "b"],
    [3, "d"],
  ] as const)
    agenda.after(at, () => seen.push(`${name}${agenda.now}`));
  while (agenda.step(4));
  assert.deepEqual(seen, ["a1", "b1", "c3", "d3"]);
  assert.equal(agenda.step(5), true);
});

test("the plot has a curve for each variant", () => {
  const { recovered: times } = simulate(fleet, both);
  const picture = plot("all", [
    { title: "a", curves: VARIANTS.map(({ name }) => ({ name, times, colour: "red" })) },
  ]);
  for (const { name } of VARIANTS) assert.ok(picture.includes(`>${name}<`));
  assert.doesNotMatch(picture, /NaN|undefined/);
});
