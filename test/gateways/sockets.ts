// Sockets on the device's side of the link: Node cannot open one in another network namespace, nor one for raw ESP.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Gateway } from "./lab.ts";

export interface SocketOptions {
  /** `udp` (default), or `esp` for IP protocol 50 without UDP: packets begin with the SPI. */
  readonly protocol?: "udp" | "esp";
  readonly localAddress?: string;
  /** 0 (default) takes a free one. */
  readonly localPort?: number;
  readonly remoteAddress?: string;
  /** 500 by default. */
  readonly remotePort?: number;
}

export interface Socket {
  readonly localPort: number;
  send(packet: Uint8Array): void;
  /** Calls back for each packet; those that came before the first call are kept for it. */
  onMessage(callback: (packet: Uint8Array) => void): void;
  /** The next packet that nobody has seen, or undefined when none comes in time. For programs without `onMessage`. */
  receive(milliseconds: number): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

const relay = readFileSync(new URL("relay.py", import.meta.url), "utf8");

export async function openSocket(gateway: Gateway, options: SocketOptions = {}): Promise<Socket> {
  const { protocol = "udp", localAddress = gateway.deviceAddress, localPort = 0, remotePort = 500 } = options;
  const { remoteAddress = localAddress.includes(":") ? gateway.gatewayAddress6 : gateway.gatewayAddress } =
    options;
  const args = [protocol, localAddress, String(localPort), remoteAddress, String(remotePort)];
  const child = gateway.spawnOnDevice("python3", "-c", relay, ...args);

  let complaint = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  child.stdin!.on("error", () => {}); // the relay ended before its input did

  const queue: Uint8Array[] = [];
  let deliver: ((packet: Uint8Array) => void) | undefined;
  let pending: Buffer = Buffer.alloc(0);
  child.stdout!.on("data", (octets: Buffer) => {
    pending = Buffer.concat([pending, octets]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE()) {
      const end = 2 + pending.readUInt16BE();
      const packet = Uint8Array.from(pending.subarray(2, end));
      pending = pending.subarray(end);
      if (deliver) deliver(packet);
      else queue.push(packet);
    }
  });

  function receive(milliseconds: number): Promise<Uint8Array | undefined> {
    if (queue.length > 0) return Promise.resolve(queue.shift());
    return new Promise((resolve) => {
      const finish = (packet?: Uint8Array) => {
        clearTimeout(timer);
        child.off("exit", gone);
        deliver = undefined;
        resolve(packet);
      };
      const gone = () => finish();
      const timer = setTimeout(finish, milliseconds);
      child.once("exit", gone);
      deliver = finish;
    });
  }

  async function close(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    const timer = setTimeout(() => child.kill("SIGKILL"), 1000);
    child.stdin!.end();
    await exited;
    clearTimeout(timer);
  }

  const port = await receive(5000);
  if (!port) {
    await close();
    throw new Error(`no socket ${args.join(" ")}: ${complaint}`);
  }
  return {
    localPort: Number(Buffer.from(port).toString()),
    send(packet) {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(packet.length);
      child.stdin!.write(Buffer.concat([length, packet]));
    },
    onMessage(callback) {
      deliver = callback;
      for (const packet of queue.splice(0)) callback(packet);
    },
    receive,
    close,
  };
}
