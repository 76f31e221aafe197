/** The sensor of examples/moddable on stand-ins of ECMA-419 and the Moddable SDK. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ascii } from "ikelet";
import ts from "typescript";
import { makePackage } from "../../examples/moddable/build.ts";
import { type Platform, wake } from "../../examples/moddable/device.ts";
import * as crypt from "../providers/moddable-crypt.ts";
import { createResponder, fqdn, type Responder, seededRandom } from "../responder/index.ts";
import { makePort4500 } from "./gateway-in-memory.ts";

const GATEWAY = "192.0.2.1";
const IKE_SA_INIT = 34;
const IKE_SESSION_RESUME = 38;
const TICKET_LIFETIME = 3600;

type UdpOptions = ConstructorParameters<Platform["UDP"]>[0];

/** One board, which goes on from wake to wake: its flash, its clock, and the gateway at the other end. */
function makeBoard(seed = "gateway"): {
  readonly gateway: Responder;
  readonly flash: Map<string, Uint8Array>;
  clock: number;
  /** Datagrams to come that get lost on the way to the gateway. */
  losses: number;
  entropy: Platform["entropy"];
  /** From one reset to the next; what it has logged. */
  run(): string[];
} {
  const gateway = createResponder({
    psk: ascii("correct horse battery staple"),
    local: fqdn("gw.example"),
    remote: fqdn("sensor-7.example"),
    random: seededRandom(seed),
    tickets: { lifetime: TICKET_LIFETIME, form: "reference" },
  });
  const port4500 = makePort4500(gateway);
  const flash = new Map<string, Uint8Array>();
  let draws = 0;
  const entropy = (length: number): Uint8Array =>
    new Uint8Array(createHash("shake256", { outputLength: length }).update(`${draws++}`).digest());
  const board = { gateway, flash, clock: 1000, losses: 0, entropy, run };

  function run(): string[] {
    const lines: string[] = [];
    const inFlight: Uint8Array[] = [];
    const timers = new Set<() => void>();
    let isDone = 0;
    let opened = 0;
    let closed = 0;
    let deliver: (() => void) | undefined;

    class UDP {
      readonly #readable: UdpOptions["onReadable"];
      readonly #queue: Uint8Array[] = [];
      constructor({ onReadable }: UdpOptions) {
        this.#readable = onReadable;
        opened++;
        deliver = () => {
          const payload = inFlight.shift()!;
          if (board.losses) board.losses--;
          else this.#queue.push(...port4500(payload));
          // As on lwIP: once for all that has come meanwhile.
          if (this.#queue.length) this.#readable.call(this, this.#queue.length);
        };
      }
      write(datagram: ArrayBuffer | Uint8Array, address: string, port: number): void {
        assert.deepEqual([address, port], [GATEWAY, 4500]);
        inFlight.push(new Uint8Array(datagram));
      }
      read(): (ArrayBuffer & { address: string; port: number }) | undefined {
        assert.equal(closed, 0, "read after close");
        const payload = this.#queue.shift();
        return payload && Object.assign(new Uint8Array(payload).buffer, { address: GATEWAY, port: 4500 });
      }
      close(): void {
        closed++;
      }
    }
    const platform: Platform = {
      UDP,
      Timer: {
        set(callback) {
          timers.add(callback);
          return callback;
        },
        clear: (timer) => void timers.delete(timer as () => void),
      },
      crypt,
      store: {
        read: (key) => (flash.has(key) ? new Uint8Array(flash.get(key)!).buffer : undefined),
        write: (key, value) => void flash.set(key, new Uint8Array(value)),
        delete: (key) => void flash.delete(key),
        close: () => {},
      },
      entropy: board.entropy,
      now: () => board.clock,
      log: (line) => lines.push(line),
    };
    wake(platform, GATEWAY, () => isDone++);
    for (let events = 0; !isDone; events++) {
      assert.equal(events < 200, true, "the device does not come to an end");
      if (inFlight.length) deliver!();
      else {
        assert.equal(timers.size, 1, "the device waits for nothing");
        const [callback] = timers;
        timers.clear();
        callback!();
      }
    }
    assert.deepEqual([isDone, opened, closed, timers.size], [1, 1, 1, 0]);
    return lines;
  }
  return board;
}

function requests({ log }: Responder, exchange: number): number {
  return log.filter((seen) => seen.direction === "in" && seen.exchange === exchange).length;
}

describe("the sensor on Moddable", () => {
  test("makes one full handshake, and lives on tickets from then on", () => {
    const board = makeBoard();
    assert.deepEqual(board.run(), ["full handshake", "connected", "echo"]);
    for (let n = 0; n < 3; n++) {
      const before = board.flash.get("ticket");
      board.clock += 600;
      assert.deepEqual(board.run(), ["resumed", "echo"]);
      assert.notDeepEqual(board.flash.get("ticket"), before);
    }
    assert.equal(requests(board.gateway, IKE_SA_INIT), 1);
    assert.equal(requests(board.gateway, IKE_SESSION_RESUME), 3);
    assert.deepEqual(board.gateway.violations, []);
  });

  test("repeats what was lost", () => {
    const board = makeBoard();
    board.losses = 2;
    assert.deepEqual(board.run(), ["full handshake", "connected", "echo"]);
    board.losses = 1;
    assert.deepEqual(board.run(), ["resumed", "echo"]);
  });

  test("makes a full handshake when the ticket expires between two attempts", () => {
    const board = makeBoard();
    const { entropy } = board;
    board.run();
    board.clock += TICKET_LIFETIME - 5;
    board.losses = 3;
    board.entropy = (length) => {
      board.clock += 10;
      return entropy(length);
    };
    assert.deepEqual(board.run(), ["full handshake", "connected", "echo"]);
    assert.equal(requests(board.gateway, IKE_SESSION_RESUME), 0);
  });

  test("makes a full handshake when the ticket has expired, was damaged, or is refused", () => {
    const board = makeBoard();
    board.run();
    board.clock += TICKET_LIFETIME + 1;
    assert.deepEqual(board.run(), ["full handshake", "connected", "echo"]);
    board.flash.get("ticket")![30]! ^= 1;
    assert.deepEqual(board.run(), ["full handshake", "connected", "echo"]);
    const other = makeBoard("another gateway");
    other.flash.set("ticket", board.flash.get("ticket")!);
    assert.deepEqual(other.run(), ["full handshake", "connected", "echo"]);
    assert.equal(requests(other.gateway, IKE_SESSION_RESUME) > 0, true);
  });

  test("presents the ticket also when the clock was set back", () => {
    const board = makeBoard();
    board.run();
    board.clock = 0;
    assert.deepEqual(board.run(), ["resumed", "echo"]);
  });

  test("sends nothing, and keeps its ticket, as long as nobody has named a random generator", () => {
    const board = makeBoard();
    board.run();
    const before = board.flash.get("ticket");
    board.entropy = () => {
      throw new Error("no generator");
    };
    assert.throws(() => board.run(), /no generator/);
    assert.equal(board.flash.get("ticket"), before);
  });

  test("comes to an end when the gateway is silent", () => {
    const board = makeBoard();
    board.losses = 1000;
    assert.deepEqual(board.run(), ["full handshake", "closed: timeout"]);
    assert.equal(board.flash.size, 0);
  });

  test("becomes a package for mcpack, which imports the platform and ikelet alone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ikelet-"));
    try {
      await makePackage(folder);
      const { importedFiles } = ts.preProcessFile(readFileSync(join(folder, "main.js"), "utf8"));
      const foreign = importedFiles.map(({ fileName }) => fileName).filter((name) => !/^ikelet\b/.test(name));
      assert.deepEqual([...new Set(foreign)].sort(), [
        "crypt",
        "embedded:io/socket/udp",
        "embedded:storage/key-value",
        "timer",
      ]);
      const { main } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      assert.equal(main, "main.js");
      assert.equal(existsSync(join(folder, "node_modules/ikelet/dist/index.js")), true);
      assert.equal(existsSync(join(folder, "node_modules/@noble/curves/package.json")), true);
      assert.ok(JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")).include.length);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
