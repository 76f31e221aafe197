// What starting a daemon has in common: files, the end of its predecessor, a process, and the wait until it answers.

import type { Gateway } from "./lab.ts";

export interface Daemon {
  /** Path to content, mode 600. */
  readonly files: Readonly<Record<string, string>>;
  /** Runs once before the daemon. */
  readonly prepare?: string;
  readonly command: string;
  /** Succeeds once the daemon answers; tried again and again. */
  readonly ready: string;
  /** Runs once when the daemon is ready. */
  readonly load?: string;
}

export async function restart(gateway: Gateway, daemon: Daemon): Promise<void> {
  const files = Object.entries(daemon.files).map(
    ([path, text]) => `cat > ${path} <<'END OF FILE'\n${text}\nEND OF FILE`,
  );
  const script = `
    set -e
    umask 077
    cd /run
    if [ -e daemon.pid ]; then
      pid=$(cat daemon.pid)
      kill $pid || true
      for i in $(seq 100); do kill -0 $pid 2> /dev/null || break; sleep 0.02; done
      kill -9 $pid 2> /dev/null || true
    fi
    ip xfrm state flush
    ip xfrm policy flush
    ${files.join("\n")}
    ${daemon.prepare ?? ":"}
    setsid ${daemon.command} > /dev/console 2>&1 < /dev/null &
    echo $! > daemon.pid
    for i in $(seq 250); do
      ${daemon.ready} > /dev/null 2>&1 && break
      kill -0 $(cat daemon.pid)
      sleep 0.02
    done
    ${daemon.ready}
    ${daemon.load ?? ":"}`;
  await gateway.exec(script.replace(/^ {4}/gm, ""), 20_000);
}
