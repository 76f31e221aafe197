/** Programs for the engines: one script each, whose `command` is a global function. */

import { build } from "esbuild";

const HERE = new URL(".", import.meta.url).pathname;

/**
 * A device and all that it needs, in ES2020: XS 13 runs nothing newer faultlessly, noble nothing older.
 *
 * @param file in `device/`
 */
export async function bundle(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [`${HERE}device/${file}`],
    bundle: true,
    format: "iife",
    globalName: "device",
    // Not by a declaration: of a strict text that is evaluated, none lasts.
    footer: { js: "this.command = device.command;" },
    target: "es2020",
    write: false,
  });
  return outputFiles[0]!.text;
}
