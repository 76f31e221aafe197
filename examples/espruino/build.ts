/**
 * The firmware in one file, `build/badge.js`, for the Web IDE or the `espruino` tool:
 *
 *     npm run build && node --import tsx examples/espruino/build.ts
 *
 * esbuild takes what is used; then the TypeScript compiler lowers the syntax, since Espruino has no default and rest
 * parameters, no spread, no destructuring and no optional chaining. It cannot supply objects that are not there: that
 * none is needed is what test/package/features.test.ts looks at.
 *
 * With a file that `examples/commission` has written it also prints the line that puts the first ticket into the flash
 * of the device: `build.ts TICKET-FILE`.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, transform } from "esbuild";
import type { Ticket } from "ikelet/resumption.js";
import ts from "typescript";
import { load } from "../commission/store.ts";
import { makeRecord, NAMES } from "./tickets.ts";

const HERE = new URL(".", import.meta.url).pathname;

/** @param board the file in place of board.ts, where there is another board */
export async function makeFirmware(board: string = join(HERE, "board.ts")): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(HERE, "main.ts")],
    bundle: true,
    format: "iife",
    target: "es2020",
    write: false,
    plugins: [
      {
        name: "board",
        setup: (steps) => steps.onResolve({ filter: /^\.\/board\.ts$/ }, () => ({ path: board })),
      },
    ],
  });
  const { ES5 } = ts.ScriptTarget;
  const lowered = ts.transpileModule(outputFiles[0]!.text, { compilerOptions: { target: ES5 } }).outputText;
  // Names and white space alone: what syntax there is stays as it was lowered.
  const { code } = await transform(lowered, {
    minifyIdentifiers: true,
    minifyWhitespace: true,
    target: "es5",
  });
  return code;
}

/** A line for the console of the device. */
export function provision(ticket: Ticket, since: number): string {
  const record = Buffer.from(makeRecord(ticket, since, 0)).toString("base64");
  return `require("Storage").write("${NAMES[0]}", atob("${record}"))`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [, , file] = process.argv;
  const folder = join(HERE, "build");
  const firmware = await makeFirmware();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "badge.js"), firmware);
  console.log(`${join(folder, "badge.js")}: ${firmware.length} octets`);
  if (file) {
    const { ticket, since } = load(file);
    console.log(provision(ticket, since));
  }
}
