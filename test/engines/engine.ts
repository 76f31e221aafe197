/** An engine that runs a device, and the device's answers taken apart. */

import { runInThisContext } from "node:vm";
import { DATAGRAM, EVENT, RESULT, TICKET } from "./commands.ts";

export interface Engine {
  /** Hands a command to the device. Rejects when the device throws. */
  command(octets: Uint8Array): Promise<Uint8Array>;
  stop(): Promise<void>;
}

export interface Answer {
  readonly datagrams: Uint8Array[];
  /** Type and reason. */
  readonly events: string[];
  /** Stored. */
  readonly tickets: Uint8Array[];
  readonly results: Uint8Array[];
}

/** Answers of several commands in one. */
export function join(...answers: readonly Answer[]): Answer {
  return {
    datagrams: answers.flatMap(({ datagrams }) => datagrams),
    events: answers.flatMap(({ events }) => events),
    tickets: answers.flatMap(({ tickets }) => tickets),
    results: answers.flatMap(({ results }) => results),
  };
}

export async function tell(
  engine: Engine,
  command: number,
  ...argument: readonly Uint8Array[]
): Promise<Answer> {
  const octets = Buffer.from(
    await engine.command(new Uint8Array(Buffer.concat([Uint8Array.of(command), ...argument]))),
  );
  const answer = join();
  for (let at = 0; at < octets.length; ) {
    const end = at + 3 + octets.readUInt16BE(at + 1);
    const part = new Uint8Array(octets.subarray(at + 3, end));
    if (octets[at] === DATAGRAM) answer.datagrams.push(part);
    if (octets[at] === EVENT) answer.events.push(Buffer.from(part).toString("latin1"));
    if (octets[at] === TICKET) answer.tickets.push(part);
    if (octets[at] === RESULT) answer.results.push(part);
    at = end;
  }
  return answer;
}

/** Node, as it runs here. */
export function startHere(program: string): Engine {
  const { command } = runInThisContext(`(function () { ${program} return this; })`).call({}) as {
    command: (octets: Uint8Array) => Uint8Array;
  };
  return { command: async (octets) => command(octets), stop: async () => {} };
}
