/**
 * Duktape, an engine of ES5 without BigInt: Debian's `duk`, which evaluates line after line of its input. Octets cross
 * in hexadecimal.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Engine } from "./engine.ts";

const COMMAND = "duk";
const ANSWER_MILLISECONDS = 30_000;

/** Hexadecimal in and out, and one line for whatever happens. */
const GLUE = `
function answerTo(text) {
  var octets = new Uint8Array(text.length / 2), answer = "", i;
  for (i = 0; i < octets.length; i++) octets[i] = parseInt(text.substr(2 * i, 2), 16);
  try {
    octets = command(octets);
    for (i = 0; i < octets.length; i++) answer += (octets[i] + 256).toString(16).substr(1);
    print("answer " + answer);
  } catch (error) {
    print("failure " + String(error.stack).replace(/\\n */g, " "));
  }
}`;

export async function startDuktape(program: string): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), "ikelet-"));
  const file = join(folder, "device.js");
  writeFileSync(file, program + GLUE);
  const child = spawn(COMMAND, ["-i", file], { stdio: "pipe" });
  const exited = once(child, "exit");
  child.stdin.on("error", () => {}); // it is gone: the end of its output tells
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });

  let settle: { resolve: (octets: Uint8Array) => void; reject: (error: Error) => void } | undefined;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [, kind, text] = /(answer|failure|Error:) ?(.*)$/.exec(line) ?? [];
    if (kind === "answer") settle?.resolve(new Uint8Array(Buffer.from(text!, "hex")));
    else if (kind) settle?.reject(new Error(`Duktape: ${text}`));
  });
  child.on("close", () => settle?.reject(new Error(`Duktape is gone: ${complaint}`)));

  return {
    async command(octets) {
      const answered = new Promise<Uint8Array>((resolve, reject) => {
        settle = { resolve, reject };
      });
      const late = setTimeout(() => settle?.reject(new Error("no answer")), ANSWER_MILLISECONDS);
      child.stdin.write(`answerTo("${Buffer.from(octets).toString("hex")}")\n`);
      return answered.finally(() => clearTimeout(late));
    },
    async stop() {
      child.stdin.end();
      const late = setTimeout(() => child.kill("SIGKILL"), 1000);
      await exited;
      clearTimeout(late);
      rmSync(folder, { recursive: true });
    },
  };
}
