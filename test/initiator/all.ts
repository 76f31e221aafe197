/** All tests of this folder in one process: to start one for each file would take longer than the tests. */

import { readdirSync } from "node:fs";

const folder = new URL(".", import.meta.url);
for (const name of readdirSync(folder).sort())
  if (name.endsWith(".test.ts")) await import(new URL(name, folder).href);
