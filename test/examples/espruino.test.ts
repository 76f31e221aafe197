/**
 * The badge of examples/espruino: its firmware as it is built and lowered, in an engine from which everything was taken
 * that Espruino has not, on stand-ins of its modules.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, describe, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { ascii, entropyLength, initiate, type Profile } from "ikelet";
import { x25519 } from "ikelet/crypto/x25519.js";
import type { Ticket } from "ikelet/resumption.js";
import ts from "typescript";
import { makeFirmware, provision } from "../../examples/espruino/build.ts";
import type { EspruinoStorage } from "../../examples/espruino/platform.ts";
import { GATEWAY, makeProfile, makeTraversal, SLEEP_SECONDS } from "../../examples/espruino/settings.ts";
import { loadStored, makeRecord, NAMES, storeTicket } from "../../examples/espruino/tickets.ts";
import { type Device, exchange, octets, only } from "../initiator/harness.ts";
import { makeEspruinoCrypto } from "../providers/espruino-crypto.ts";
import { createResponder, fqdn, type Responder, seededRandom } from "../responder/index.ts";
import { makePort4500 } from "./gateway-in-memory.ts";

const PSK = ascii("for tests only");
const IKE_SA_INIT = 34;
const IKE_SESSION_RESUME = 38;
const ADDRESS = GATEWAY.join(".");

/** What Espruino 2v29 does not have; Math.pow is there, but inexact. */
const TAKE_AWAY = `
for (const name of ["BigInt", "Map", "Set", "WeakMap", "WeakSet", "WeakRef", "Proxy", "Reflect", "RangeError",
  "TextEncoder", "BigInt64Array", "BigUint64Array", "SharedArrayBuffer", "Atomics", "Intl", "WebAssembly", "console"])
  delete globalThis[name];
for (const name of ["freeze", "seal", "is", "hasOwn", "getOwnPropertySymbols"]) delete Object[name];
for (const name of ["imul", "clz32", "trunc", "pow", "hypot", "fround"]) delete Math[name];
for (const name of ["from", "of"]) { delete Array[name]; delete Object.getPrototypeOf(Uint8Array)[name]; }
for (const name of ["flat", "flatMap", "at", "entries", "keys", "values", "copyWithin", "findLast"]) {
  delete Array.prototype[name];
  delete Object.getPrototypeOf(Uint8Array.prototype)[name];
}
delete Object.getPrototypeOf(Uint8Array.prototype).slice;
delete ArrayBuffer.prototype.slice;
delete Array.prototype[Symbol.iterator];
delete Object.getPrototypeOf(Uint8Array.prototype)[Symbol.iterator];
delete globalThis.Symbol;
`;

let firmware = "";
/** No two boots have the same entropy. */
let draws = 0;

/** Files, with what Espruino does: a file that is there is erased before its successor is written. */
class Flash implements EspruinoStorage {
  readonly files = new Map<string, Uint8Array>();
  /** So many more times the flash is written or erased before the power fails. */
  left = Infinity;

  readArrayBuffer(name: string): ArrayBuffer | undefined {
    const file = this.files.get(name);
    return file && new Uint8Array(file).buffer;
  }
  write(name: string, data: Uint8Array | string): boolean {
    if (this.files.has(name)) this.erase(name);
    this.#work();
    this.files.set(name, new Uint8Array(typeof data === "string" ? Buffer.from(data, "latin1") : data));
    return true;
  }
  erase(name: string): void {
    this.#work();
    this.files.delete(name);
  }
  #work(): void {
    if (--this.left < 0) throw new Error("the power fails");
  }
}

/** A gateway, and the ticket that the commissioning host has got from it. */
function commissioned(): { gateway: Responder; ticket: Ticket } {
  const gateway = createResponder({
    psk: PSK,
    local: fqdn("gw.example"),
    remote: fqdn("badge-7.example"),
    random: seededRandom("gateway"),
    tickets: { form: "reference" },
  });
  const crypto = makeEspruinoCrypto();
  const shared = makeProfile(crypto, makeTraversal(crypto));
  const profile: Profile = { ...shared, suite: { ...shared.suite, keyExchange: x25519 }, psk: PSK };
  const step = initiate(profile, octets(entropyLength(profile)));
  const host: Device = { profile, session: step.session, step, events: [...step.events] };
  exchange(host, gateway);
  return { gateway, ticket: only(host.events, "ticket").ticket };
}

/** Loads the firmware as after a reset, and lets it wake `wakes` times; what it has printed. */
function boot(flash: Flash, gateway: Responder, wakes: number, script = ""): string[] {
  const lines: string[] = [];
  const inFlight: (() => void)[] = [];
  const timers = new Map<number, { callback: () => void; milliseconds: number }>();
  const port4500 = makePort4500(gateway);
  let seconds = 1000;
  let ids = 0;
  let sockets = 0;
  const createSocket = () => {
    let listener: (message: string) => void;
    let isOpen = true;
    sockets++;
    return {
      on: (_: "message", on: typeof listener) => {
        listener = on;
      },
      send: (message: unknown, port: unknown, address: unknown) => {
        assert.equal(typeof message, "string");
        assert.deepEqual([port, address, isOpen], [4500, ADDRESS, true]);
        for (const reply of port4500(new Uint8Array(Buffer.from(message as string, "latin1"))))
          inFlight.push(() => {
            if (isOpen) listener(Buffer.from(reply).toString("latin1"));
          });
      },
      close: () => {
        assert.equal(isOpen, true);
        isOpen = false;
        sockets--;
      },
    };
  };
  const modules: Record<string, unknown> = {
    crypto: makeEspruinoCrypto(),
    dgram: { createSocket },
    Storage: flash,
  };
  const context = createContext({
    require: (name: string) => modules[name],
    atob: (text: string) => Buffer.from(text, "base64").toString("latin1"),
    getTime: () => seconds,
    print: (line: string) => lines.push(line),
    setTimeout: (callback: () => void, milliseconds: number) => {
      timers.set(++ids, { callback, milliseconds });
      return ids;
    },
    clearTimeout: (id: number) => {
      assert.equal(timers.delete(id), true, "Espruino throws for a timer that is not there");
    },
  });
  runInContext(TAKE_AWAY, context);
  const within = runInContext("(octets) => new Uint8Array(octets)", context) as (
    octets: ArrayLike<number>,
  ) => Uint8Array;
  context.testEntropy = (length: number) =>
    within(createHash("shake256", { outputLength: length }).update(`${draws++}`).digest());
  context.E = {
    toString: (payload: Uint8Array) => Buffer.from(payload).toString("latin1"),
    toUint8Array: (text: string) => within(Buffer.from(text, "latin1")),
  };
  runInContext(script, context);
  runInContext(firmware, context);
  for (let events = 0; wakes; events++) {
    assert.equal(events < 200, true, "the badge does not come to an end");
    const next = inFlight.shift();
    if (next) {
      next();
      continue;
    }
    assert.equal(timers.size, 1);
    const [[id, { callback, milliseconds }]] = [...timers] as [
      [number, { callback: () => void; milliseconds: number }],
    ];
    timers.delete(id);
    seconds += milliseconds / 1000;
    if (milliseconds === SLEEP_SECONDS * 1000) {
      assert.equal(sockets, 0, "a socket is open in sleep");
      if (!--wakes) break;
    }
    callback();
  }
  return lines;
}

function requests({ log }: Responder, type: number): number {
  return log.filter((seen) => seen.direction === "in" && seen.exchange === type).length;
}

describe("the badge on Espruino", () => {
  before(async () => {
    firmware = await makeFirmware(new URL("espruino-board.ts", import.meta.url).pathname);
  });

  test("has no syntax that Espruino does not read", () => {
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      const lacks =
        ts.isSpreadElement(node) ||
        ts.isSpreadAssignment(node) ||
        ts.isObjectBindingPattern(node) ||
        ts.isArrayBindingPattern(node) ||
        ts.isComputedPropertyName(node) ||
        ts.isPrivateIdentifier(node) ||
        ts.isBigIntLiteral(node) ||
        ts.isTaggedTemplateExpression(node) ||
        ts.isLabeledStatement(node) ||
        ts.isYieldExpression(node) ||
        ts.isAwaitExpression(node) ||
        node.kind === ts.SyntaxKind.QuestionDotToken ||
        node.kind === ts.SyntaxKind.AsteriskAsteriskToken ||
        node.kind === ts.SyntaxKind.QuestionQuestionEqualsToken ||
        (ts.isParameter(node) && (node.initializer !== undefined || node.dotDotDotToken !== undefined));
      if (lacks) found.push(ts.SyntaxKind[node.kind]);
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile("badge.js", firmware, ts.ScriptTarget.ES2020));
    assert.deepEqual(found, []);
  });

  test("lives on the ticket that it was given, across sleeps and resets", () => {
    const { gateway, ticket } = commissioned();
    const flash = new Flash();
    const lines = boot(flash, gateway, 3, provision(ticket, 1000));
    assert.deepEqual(lines, ["resumed", "echo", "resumed", "echo", "resumed", "echo"]);
    assert.equal(flash.files.size, 1);
    assert.deepEqual(boot(flash, gateway, 1), ["resumed", "echo"]);
    assert.equal(requests(gateway, IKE_SA_INIT), 1);
    assert.equal(requests(gateway, IKE_SESSION_RESUME), 4);
    assert.deepEqual(gateway.violations, []);
  });

  test("says so when it has no ticket, and keeps one that is refused in the clear, as anybody can do", () => {
    const { gateway, ticket } = commissioned();
    const flash = new Flash();
    assert.deepEqual(boot(flash, gateway, 1), ["no ticket: to be commissioned"]);
    storeTicket(flash, { ...ticket, ticket: new Uint8Array(16) }, 1000);
    assert.deepEqual(boot(flash, gateway, 2), ["closed: timeout", "closed: timeout"]);
    assert.equal(flash.files.size, 1);
    storeTicket(flash, ticket, 1000);
    assert.deepEqual(boot(flash, gateway, 1), ["resumed", "echo"]);
  });

  test("says so when its ticket has expired, and sleeps", () => {
    const { gateway, ticket } = commissioned();
    const flash = new Flash();
    storeTicket(flash, { ...ticket, lifetime: 600 }, 400);
    assert.deepEqual(boot(flash, gateway, 1), ["ticket expired: to be commissioned"]);
    assert.equal(requests(gateway, IKE_SESSION_RESUME), 0);
  });

  test("has a whole ticket, the old or the new one, whenever the power fails", () => {
    const { ticket } = commissioned();
    // The count of one octet begins anew after 256.
    for (const rounds of [1, 2, 128, 255, 256, 257])
      for (let left = 0; left < 3; left++) {
        const flash = new Flash();
        for (let n = 0; n < rounds; n++) storeTicket(flash, ticket, n);
        assert.equal(flash.files.size, 1);
        flash.left = left;
        try {
          storeTicket(flash, ticket, rounds);
        } catch {}
        assert.equal(loadStored(flash)?.since, left ? rounds : rounds - 1);
        flash.left = Infinity;
        storeTicket(flash, ticket, rounds + 1);
        assert.equal(loadStored(flash)?.since, rounds + 1);
      }
  });

  test("passes over a record that was written in part", () => {
    const { ticket } = commissioned();
    const flash = new Flash();
    storeTicket(flash, ticket, 5);
    flash.write(NAMES[1], makeRecord(ticket, 6, 1).fill(255, 40));
    assert.equal(loadStored(flash)?.since, 5);
    flash.write(NAMES[1], new Uint8Array(1));
    assert.equal(loadStored(flash)?.since, 5);
  });
});
