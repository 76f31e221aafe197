// Stryker starts a process anew for a mutant of what runs while modules are loaded. Of the library, that is right. Test
// files call it as well while they are loaded; from here on that counts as a test of its own, which is no test.

import { readdirSync } from "node:fs";

const library = new URL("../../dist/", import.meta.url);
for (const file of readdirSync(library, { recursive: true }))
  if (file.endsWith(".js")) await import(new URL(file, library).href);
if (globalThis.__stryker__) globalThis.__stryker__.currentTestId = "while test files are loaded";
