// Records what passes between device and gateway.

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { Gateway } from "./lab.ts";

/**
 * Writes a pcap file until the returned function is called. UDP checksums are often left to the (virtual) hardware:
 * ignore them.
 *
 * @param filter in tcpdump's words; everything by default
 */
export async function capture(gateway: Gateway, file: string, filter = ""): Promise<() => Promise<void>> {
  // nsenter passes no signals on, so the end of standard input is what stops it.
  const script = `tcpdump -i tap0 -n -U --immediate-mode -w - ${filter} & cat; kill -INT $!; wait`;
  const child = gateway.spawnOnDevice("sh", "-c", script);
  const written = finished(child.stdout!.pipe(createWriteStream(file)));
  await once(child.stderr!, "data"); // "listening on tap0"
  return async () => {
    child.stdin!.end();
    await written;
  };
}
