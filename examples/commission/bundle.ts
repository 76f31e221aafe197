/** The firmware: device.ts and what it needs of ikelet, in one file. */

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const DEVICE = new URL("device.ts", import.meta.url).pathname;

/** Where the methods of key exchange are: the curves, and MODP. */
const KEY_EXCHANGE = /@noble\/curves|crypto\/(x25519|p256|p384|ecp|modp2048)\./;

/**
 * @returns its size, gzipped, in octets
 * @throws if there is key exchange in it
 */
export async function bundle(outfile: string): Promise<number> {
  const { metafile } = await build({
    entryPoints: [DEVICE],
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    target: "es2020",
    metafile: true,
  });
  // Only what has left octets in the bundle.
  const modules = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter((name) => inputs[name]!.bytesInOutput > 0),
  );
  const found = modules.filter((name) => KEY_EXCHANGE.test(name));
  if (found.length) throw new Error(`key exchange in the bundle: ${found.join(", ")}`);
  return gzipSync(readFileSync(outfile), { level: 9 }).length;
}
