/** Imports go down only, and the core imports no algorithm and no platform (design law: pay for what you import). */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import ts from "typescript";
import { SRC, valueImportsOf } from "./imports.ts";

/** What the files of a room may import: rooms, single files, or packages. The first room that matches counts. */
const ROOMS: readonly (readonly [room: string, allowed: readonly string[]])[] = [
  ["error.ts", []],
  ["session.ts", []],
  ["wire/", ["wire/", "error.ts"]],
  ["wire.ts", ["wire/"]],
  ["crypto/contracts.ts", []],
  ["crypto/equal.ts", []],
  ["crypto/implicit-iv.ts", ["crypto/contracts.ts", "error.ts"]],
  ["crypto/", ["crypto/", "@noble/", "error.ts"]],
  [
    "providers/",
    ["crypto/aead.ts", "crypto/contracts.ts", "crypto/equal.ts", "crypto/place.ts", "wire/octets.ts"],
  ],
  ["keys/", ["keys/", "crypto/contracts.ts", "wire/", "error.ts"]],
  ["keys.ts", ["keys/"]],
  ["sk/", ["sk/", "crypto/contracts.ts", "wire/"]],
  ["sk.ts", ["sk/"]],
  ["esp/", ["esp/", "sk/", "wire/", "crypto/contracts.ts", "event.ts", "error.ts"]],
  ["esp.ts", ["esp/"]],
  ["event.ts", ["session.ts", "wire/"]],
  ["extension.ts", ["crypto/contracts.ts", "event.ts", "profile.ts", "session.ts", "wire/"]],
  ["profile.ts", ["crypto/contracts.ts", "event.ts", "extension.ts", "wire/"]],
  [
    "initiator/",
    [
      "initiator/",
      "keys/",
      "sk/",
      "wire/",
      "crypto/contracts.ts",
      "crypto/equal.ts",
      "profile.ts",
      "event.ts",
      "extension.ts",
      "session.ts",
      "error.ts",
    ],
  ],
  [
    "index.ts",
    [
      "initiator/",
      "wire/",
      "crypto/contracts.ts",
      "profile.ts",
      "event.ts",
      "extension.ts",
      "session.ts",
      "error.ts",
    ],
  ],
  ["explain", ["explain/", "profile.ts", "event.ts", "session.ts", "wire/", "crypto/contracts.ts"]],
  // Entry points beside the core: they may look at everything but the algorithms and the core's face.
  [
    "",
    [
      "initiator/",
      "keys/",
      "sk/",
      "wire/",
      "crypto/contracts.ts",
      "crypto/equal.ts",
      "profile.ts",
      "event.ts",
      "extension.ts",
      "session.ts",
      "error.ts",
    ],
  ],
];

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

function importsOf(file: string): string[] {
  return ts
    .preProcessFile(readFileSync(join(SRC, file), "utf8"))
    .importedFiles.map(({ fileName }) =>
      fileName.startsWith(".") ? normalize(join(dirname(file), fileName)) : fileName,
    );
}

test("every file imports from its own floor or below", () => {
  const wrong = files.flatMap((file) => {
    const [, allowed] = ROOMS.find(([room]) => file.startsWith(room))!;
    return importsOf(file)
      .filter((name) => !allowed.some((prefix) => name.startsWith(prefix)))
      .map((name) => `${file} imports ${name}`);
  });
  assert.deepEqual(wrong, []);
});

test("no imports in circles", () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.equal(path.includes(file), false, `circle: ${[...path, file].join(" → ")}`);
    if (done.has(file)) return;
    for (const name of valueImportsOf(file)) visit(name, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

async function bundle(contents: string): Promise<{ inputs: string[]; text: string }> {
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: SRC },
    bundle: true,
    format: "esm",
    target: "es2020",
    metafile: true,
    write: false,
  });
  return { inputs: Object.keys(metafile.inputs), text: outputFiles[0]!.text };
}

/** Names that are used and declared nowhere: the globals that the text needs. */
function globalsOf(text: string): string[] {
  const source = ts.createSourceFile("bundle.js", text, ts.ScriptTarget.ES2020, true);
  const declared = new Set<string>();
  const used = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const { parent } = node;
      const declares =
        ((ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isFunctionDeclaration(parent)) &&
          parent.name === node) ||
        (ts.isBindingElement(parent) && parent.name === node);
      const isName =
        (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
        (ts.isPropertyAssignment(parent) && parent.name === node) ||
        (ts.isBindingElement(parent) && parent.propertyName === node) ||
        ts.isExportSpecifier(parent);
      if (declares) declared.add(node.text);
      else if (!isName) used.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return [...used].filter((name) => !declared.has(name)).sort();
}

const core = await bundle('export * from "./index.ts"');

test("the core holds not one byte of a dependency", () => {
  const foreign = core.inputs.filter((name) => name.includes("node_modules"));
  assert.deepEqual(foreign, []);
  assert.equal(
    core.inputs.some((name) => name.includes("crypto/") && !/contracts|equal/.test(name)),
    false,
    "the core imports an algorithm",
  );
});

test("the core names no global but these of the language", () => {
  assert.deepEqual(globalsOf(core.text), ["Error", "Math", "Uint8Array"]);
});
