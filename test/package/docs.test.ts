/** Runs every example that the documentation shows: the blocks in docstrings and in the README. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";

const ROOT = new URL("../../", import.meta.url).pathname;
// Inside of the project, so that the examples find the package by its name.
const scratch = mkdtempSync(join(ROOT, "dist", ".examples-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

function examplesOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const pattern = file.endsWith(".md")
    ? /^```ts run\n([\s\S]*?)^```$/gm
    : /^ *\* ```ts\n([\s\S]*?)^ *\* ```$/gm;
  return [...text.matchAll(pattern)].map(([, code]) =>
    code!.replace(/^ *\* ?/gm, file.endsWith(".md") ? "$&" : ""),
  );
}

const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => `src/${name}`)
  .concat(existsSync(join(ROOT, "README.md")) ? ["README.md"] : []);

let count = 0;
for (const file of files)
  for (const [i, code] of examplesOf(file).entries()) {
    count++;
    test(`example ${i + 1} of ${file}`, async () => {
      const path = join(scratch, `${file.replace(/\W/g, "-")}-${i}.mts`);
      writeFileSync(path, code);
      await import(pathToFileURL(path).href);
    });
  }

test("there are examples at all", () => assert.equal(count >= 10, true, `${count} examples`));
