/** Bad networks: `npm run networks` tries more of them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { live } from "./life.ts";
import { WEATHERS } from "./link.ts";

const SEEDS = 20;

for (const weather of WEATHERS)
  test(`each life ends in good order: ${weather.name} [7296-2.1-a, 7296-2.3-a]`, () => {
    const ends: Record<string, number> = {};
    for (let seed = 0; seed < SEEDS; seed++)
      for (const end of live(seed, weather).ends) ends[end] = (ends[end] ?? 0) + 1;
    // So that the simulation is known to get somewhere.
    assert.ok(
      Object.keys(ends).some((end) => end.startsWith("established")),
      JSON.stringify(ends),
    );
  });

test("a life is the same for the same seed", () => {
  const [weather] = WEATHERS.slice(3);
  assert.deepEqual(live(7, weather!), live(7, weather!));
});
