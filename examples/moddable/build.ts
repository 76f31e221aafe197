/**
 * Makes of this directory a package that `mcpack` of the Moddable SDK takes: the sensor in one module, ikelet and noble
 * beside it in node_modules, so that the modules that ikelet's package.json names are preloaded.
 *
 *     npm run build && node --import tsx examples/moddable/build.ts
 *     cd examples/moddable/build && mcpack mcconfig -d -m -p esp32 ssid=NETWORK password=SECRET
 */

import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const HERE = new URL(".", import.meta.url).pathname;
const ROOT = join(HERE, "../..");
const PLATFORM = ["crypt", "timer", "embedded:*"];

export async function makePackage(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  symlinkSync(ROOT, join(folder, "node_modules/ikelet"));
  symlinkSync(join(ROOT, "node_modules/@noble"), join(folder, "node_modules/@noble"));
  copyFileSync(join(HERE, "manifest.json"), join(folder, "manifest.json"));
  writeFileSync(join(folder, "package.json"), '{ "name": "sensor", "type": "module", "main": "main.js" }\n');
  await build({
    entryPoints: [join(HERE, "main.ts")],
    outfile: join(folder, "main.js"),
    bundle: true,
    external: ["ikelet", "ikelet/*", ...PLATFORM],
    format: "esm",
    target: "es2020",
  });
}

if (process.argv[1] === new URL(import.meta.url).pathname) await makePackage(join(HERE, "build"));
