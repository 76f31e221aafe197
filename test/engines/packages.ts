/** The packages of the engines, which are no dependencies of the library: found at run time, in this folder. */

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { resolve } = createRequire(new URL("package.json", import.meta.url));

export const FOLDER: string = new URL(".", import.meta.url).pathname;

export async function load<Module>(name: string): Promise<Module> {
  return (await import(pathToFileURL(resolve(name)).href)) as Module;
}

/** A file in a package. */
export function fileOf(path: string): string {
  return `${FOLDER}node_modules/${path}`;
}
