// What the gateway's kernel knows of its Child SAs, from `ip -d xfrm state` and `ip xfrm policy`.

export interface XfrmState {
  readonly source: string;
  readonly destination: string;
  readonly spi: number;
  readonly mode: "tunnel" | "transport";
  readonly replayWindow: number;
  readonly esn: boolean;
  readonly algorithms: readonly XfrmAlgorithm[];
  readonly encapsulation?: { readonly sourcePort: number; readonly destinationPort: number };
}

export interface XfrmAlgorithm {
  /** `aead` carries the salt at the end of its key. */
  readonly kind: "aead" | "enc" | "auth-trunc";
  /** The kernel's name, such as `rfc4106(gcm(aes))`. */
  readonly name: string;
  readonly key: Uint8Array;
  /** Bits of the ICV; 0 for `enc`. */
  readonly icvBits: number;
}

export function parseXfrmState(text: string): XfrmState[] {
  return text
    .split(/^(?=src )/m)
    .filter((block) => block.includes("proto esp"))
    .map(parseBlock);
}

function parseBlock(block: string): XfrmState {
  const [, source, destination] = /^src (\S+) dst (\S+)/.exec(block)!;
  const [, spi, mode] = /proto esp spi 0x([0-9a-f]+)\S* .*mode (\w+)/.exec(block)!;
  const encapsulation = /encap type espinudp sport (\d+) dport (\d+)/.exec(block);
  const algorithms: XfrmAlgorithm[] = [];
  for (const line of block.split("\n")) {
    const found = /^\s+(aead|enc|auth-trunc) (\S+) 0x([0-9a-f]*)(?: \(\d+ bits\))?(?: (\d+))?/.exec(line);
    if (!found) continue;
    const [, kind, name, key, bits] = found;
    algorithms.push({
      kind: kind as XfrmAlgorithm["kind"],
      name: name!,
      key: Uint8Array.from(Buffer.from(key!, "hex")),
      icvBits: Number(bits ?? 0),
    });
  }
  return {
    source: source!,
    destination: destination!,
    spi: Number.parseInt(spi!, 16),
    mode: mode as XfrmState["mode"],
    // With the large window of `esn` the first line says 0. libreswan has that window also without ESN.
    replayWindow: Number((/replay_window (\d+)/.exec(block) ?? /replay-window (\d+)/.exec(block))?.[1] ?? 0),
    esn: /flag .*\besn\b/.test(block),
    algorithms,
    ...(encapsulation && {
      encapsulation: { sourcePort: Number(encapsulation[1]), destinationPort: Number(encapsulation[2]) },
    }),
  };
}

export interface XfrmPolicy {
  readonly direction: "in" | "out" | "fwd";
  /** Networks, such as 10.99.0.1/32. */
  readonly source: string;
  readonly destination: string;
  readonly mode: "tunnel" | "transport";
}

/** The policies that lead into ESP. */
export function parseXfrmPolicy(text: string): XfrmPolicy[] {
  return text
    .split(/^(?=src )/m)
    .filter((block) => block.includes("proto esp"))
    .map((block) => {
      const [, source, destination] = /^src (\S+) dst (\S+)/.exec(block)!;
      const direction = /dir (\w+)/.exec(block)![1] as XfrmPolicy["direction"];
      const mode = /proto esp .*mode (\w+)/.exec(block)![1] as XfrmPolicy["mode"];
      return { direction, source: source!, destination: destination!, mode };
    });
}
