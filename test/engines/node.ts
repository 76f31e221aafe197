/** The versions of Node that are in use: `npm test` under each. */

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { fileOf } from "./packages.ts";
import type { Note } from "./report.ts";

const MAJORS = [20, 22, 24];
const TEST_MILLISECONDS = 480_000;
/** Characters. */
const FAILURES_SHOWN = 3000;
const ROOT = new URL("../../", import.meta.url).pathname;

/** All that `npm test` has said, and why it did not end well. */
async function test(binary: string): Promise<{ said: string; failure?: string }> {
  const PATH = `${dirname(binary)}${delimiter}${process.env.PATH}`;
  // A group of its own, so that its children end with it.
  const npm = spawn("npm", ["test"], {
    cwd: ROOT,
    env: { ...process.env, PATH },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let said = "";
  for (const stream of [npm.stdout, npm.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  let isLate = false;
  const end = (): void => void process.kill(-npm.pid!, "SIGKILL");
  const late = setTimeout(() => {
    isLate = true;
    end();
  }, TEST_MILLISECONDS);
  const interrupted = (): void => {
    end();
    process.exit(130);
  };
  process.once("SIGINT", interrupted);
  const [code] = await once(npm, "close");
  process.off("SIGINT", interrupted);
  clearTimeout(late);
  if (isLate) return { said, failure: `not done after ${TEST_MILLISECONDS / 1000} s` };
  return code === 0 ? { said } : { said, failure: `exit code ${code}` };
}

export async function runNode(note: Note): Promise<void> {
  for (const major of MAJORS) {
    const binary = fileOf(`node${major}/bin/node`);
    if (!existsSync(binary)) {
      const reason = `no binary for ${process.platform} ${process.arch}`;
      note({ name: `node ${major} npm test`, result: "skip", reason });
      continue;
    }
    const version = execFileSync(binary, ["-p", "process.versions.node"], { encoding: "utf8" }).trim();
    const name = `node ${version} npm test`;
    if (process.stderr.isTTY) console.error(`${name} …`);
    const { said, failure } = await test(binary);
    const passed = Number(/^ℹ pass (\d+)$/m.exec(said)?.[1] ?? 0);
    if (!failure && passed) {
      note({ name, result: "pass", value: passed, unit: "tests" });
      continue;
    }
    const failing = said.indexOf("✖ failing tests");
    console.error(failing < 0 ? said.slice(-FAILURES_SHOWN) : said.slice(failing, failing + FAILURES_SHOWN));
    note({ name, result: "fail", reason: failure ?? "no test has run" });
  }
}
