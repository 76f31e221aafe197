/** One line that says what goes on, for what takes longer than two seconds; nothing where nobody looks. */

const PATIENCE = 2000;
const SHORTEST_INTERVAL = 100;
const ERASE_LINE = "\r\x1b[K";

export interface Progress {
  /** What is being done. */
  show(text: string): void;
  /** Takes the line away, before something is printed. */
  clear(): void;
}

export function makeProgress(output: NodeJS.WriteStream = process.stderr): Progress {
  const start = performance.now();
  let shownAt = 0;
  return {
    show(text) {
      const now = performance.now();
      if (!output.isTTY || now - start < PATIENCE || now - shownAt < SHORTEST_INTERVAL) return;
      shownAt = now;
      output.write(ERASE_LINE + text.slice(0, (output.columns ?? 80) - 1));
    },
    clear() {
      if (shownAt) output.write(ERASE_LINE);
      shownAt = 0;
    },
  };
}
