/** Brings the engines here: packages of npm, and Debian's Duktape. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { FOLDER, fileOf } from "./packages.ts";

const LOCK = `${FOLDER}package-lock.json`;
/** What was installed last time. */
const INSTALLED = fileOf(".installed.json");
const INSTALL_MILLISECONDS = 10 * 60_000;

export const isRoot = (): boolean => process.getuid?.() === 0;

const has = (command: string): boolean => spawnSync(command, ["--version"]).error === undefined;

function run(command: string, ...args: string[]): void {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: INSTALL_MILLISECONDS,
  });
  if (status !== 0)
    throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? `${stdout}${stderr}`}`);
}

function installDebian(...packages: string[]): void {
  run("apt-get", "update", "-q");
  run("apt-get", "install", "-y", "-q", "--no-install-recommends", ...packages);
}

/** XS comes as source text and is compiled: without a compiler, everything else is installed. */
export function installPackages(): void {
  const hasCompiler = (): boolean => has("cc") && has("make");
  if (!hasCompiler() && isRoot()) installDebian("gcc", "libc6-dev", "make");
  const scripts = hasCompiler() ? [] : ["--ignore-scripts"];
  const wanted = JSON.stringify([readFileSync(LOCK, "utf8"), ...scripts]);
  if (existsSync(INSTALLED) && readFileSync(INSTALLED, "utf8") === wanted) return;
  if (process.stderr.isTTY) console.error("installing the engines, about a minute");
  run("npm", "ci", "--loglevel=error", "--no-audit", "--no-fund", "--prefix", FOLDER, ...scripts);
  writeFileSync(INSTALLED, wanted);
}

/** @returns why there is none */
export function installDuktape(): string | undefined {
  if (has("duk")) return undefined;
  if (!isRoot()) return "not installed: apt-get install duktape";
  installDebian("duktape");
  return undefined;
}
