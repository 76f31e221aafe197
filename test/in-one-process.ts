/**
 * The tests of many small files in one process: to start one for each file would take longer than the tests.
 * `npm test` runs these folders by this file, and all others file by file, with what each takes for itself.
 */

import { readdirSync } from "node:fs";

const FOLDERS = ["attackers", "esp", "initiator", "nat", "qcd", "resumption", "secrets", "wire"];

for (const folder of FOLDERS) {
  const path = new URL(`${folder}/`, import.meta.url);
  for (const name of readdirSync(path).sort())
    if (name.endsWith(".test.ts")) await import(new URL(name, path).href);
}
