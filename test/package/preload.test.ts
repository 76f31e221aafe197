/** What package.json tells Moddable to keep in flash: every module but those that stand on noble. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { reachableFrom, SRC } from "./imports.ts";

const { moddable } = JSON.parse(readFileSync(join(SRC, "../package.json"), "utf8")) as {
  moddable: { manifest: { preload: string[] } };
};
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

function hasNoble(file: string): boolean {
  return ts
    .preProcessFile(readFileSync(join(SRC, file), "utf8"))
    .importedFiles.some(({ fileName }) => fileName.startsWith("@noble/"));
}

/** As mcconfig reads it: what stands before the star is how names begin. */
function isPreloaded(file: string): boolean {
  const name = `ikelet/dist/${file.replace(/\.ts$/, "")}`;
  return moddable.manifest.preload.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

test("a module is preloaded exactly if neither it nor what it imports is noble's", () => {
  // noble keeps buffers in its modules, which are read-only when they are preloaded.
  const expected = files.filter((file) => !reachableFrom([file]).some(hasNoble));
  assert.deepEqual(files.filter(isPreloaded).sort(), expected.sort());
});
