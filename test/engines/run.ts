/**
 * The library on real engines: XS, QuickJS, Duktape, and the versions of Node.
 *
 *     npm run test:engines [-- --json] [-- --record] [-- xs quickjs duktape gateway node]
 *
 * `--record` writes down the figures that runs after it are held to.
 */

import { parseArgs } from "node:util";
import { installPackages } from "./install.ts";
import { runNode } from "./node.ts";
import { print, type Row, readFigures } from "./report.ts";
import { runDuktape, runGateway, runQuickjs, runXs } from "./rows.ts";

const GROUPS = { xs: runXs, quickjs: runQuickjs, duktape: runDuktape, gateway: runGateway, node: runNode };

const { values: options, positionals: chosen } = parseArgs({
  options: { json: { type: "boolean", default: false }, record: { type: "boolean", default: false } },
  allowPositionals: true,
});
const figures = readFigures(options.record);
const rows: Row[] = [];

function note(row: Row): void {
  rows.push(row);
  print(row, options.json);
}

const unknown = chosen.filter((name) => !(name in GROUPS));
if (unknown.length) throw new Error(`no engine: ${unknown.join(", ")}`);
installPackages();
for (const [name, run] of Object.entries(GROUPS))
  if (!chosen.length || chosen.includes(name))
    await run(note, figures).catch((error: Error) => {
      console.error(error);
      note({ name, result: "fail", reason: error.message });
    });
if (options.record) figures.record();

const count = (wanted: Row["result"]): number => rows.filter(({ result }) => result === wanted).length;
if (!options.json) console.log(`${count("pass")} passed, ${count("fail")} failed, ${count("skip")} skipped`);
if (count("fail") || !count("pass")) process.exitCode = 1;
