/** The transport of ikelet on Node: one UDP socket, one timer, random octets. Made to be copied. */

import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { isIP } from "node:net";
import {
  type ChildSa,
  checkLiveness,
  close,
  type Event,
  entropyLength,
  type Identification,
  initiate,
  type Profile,
  receive,
  type Session,
  type Step,
  timeout,
  wipe,
} from "ikelet";
import { type Allowance, spend } from "ikelet/qcd.js";
import { resume, resumeEntropyLength, type Ticket } from "ikelet/resumption.js";

export type Closed = Extract<Event, { type: "closed" }>;
export type ChildFailed = Extract<Event, { type: "child-failed" }>;

export interface ConnectOptions {
  /** Name or address of the gateway. */
  host: string;
  /** 500 unless given; a function where an extension changes it (`port` of `ikelet/nat.js`). */
  port?: number | ((session: Session) => number);
  /** Chosen by the system unless given. */
  localPort?: number;
  localAddress?: string;
  /**
   * A ticket, and how many seconds ago it came: in place of the full handshake. If `connect` fails, `afterResume` of
   * `ikelet/resumption.js` knows what to try next.
   */
  resume?: { readonly ticket: Ticket; readonly elapsed: number };
  /**
   * How often, in milliseconds, a message in the clear that says that the gateway does not know us may lead to a
   * liveness check; 60 000 unless given. Such hints come with `ikelet/qcd.js` in the profile.
   */
  hintInterval?: number;
  onEvent?: (event: Event) => void;
  /** An ESP packet that came inside of UDP, on port 4500. */
  onPacket?: (packet: Uint8Array) => void;
  /** Sees every datagram, with the session after it was sent or before it is received. */
  onDatagram?: (direction: "out" | "in", datagram: Uint8Array, session: Session) => void;
}

export interface Connection {
  /** As it stands now. It contains keys. */
  readonly session: Session;
  readonly remote: Identification;
  readonly child: ChildSa;
  /** Resolves with the end of the session, whoever ended it. */
  readonly closed: Promise<Closed>;
  /** Resolves with true when the gateway has answered, with false when the session has ended. */
  checkLiveness(): Promise<boolean>;
  /** Sends an ESP packet inside of UDP; the port has to be 4500. */
  sendPacket(packet: Uint8Array): void;
  /** Tells the gateway, and resolves with the end of the session. */
  close(): Promise<Closed>;
  /** Falls silent, as before a sleep: a Delete would destroy the ticket. After that, `closed` does not resolve. */
  leave(): void;
}

/** Why `connect` failed: `event` is the one that says most, `cause` what the socket complained about last. */
export interface ConnectError extends Error {
  readonly event: Closed | ChildFailed;
}

/** On port 4500 this stands before each IKE message, to tell it from ESP (RFC 3948 section 2.2). */
const NON_ESP_MARKER = new Uint8Array(4);
const NAT_PORT = 4500;
/** How long a closed session goes on answering a gateway that has not got our last response. */
const LINGER = 30_000;

/**
 * Resolves when gateway and Child SA are up. Every wait ends, by `profile.retransmission` at the latest.
 *
 * @throws ConnectError when the session was closed instead; errors of name look-up and of binding as they are
 */
export async function connect(profile: Profile, options: ConnectOptions): Promise<Connection> {
  const { host, port = 500, localPort = 0, localAddress, onEvent, onPacket, onDatagram } = options;
  const { hintInterval = 60_000, resume: by } = options;
  const portOf = (session: Session): number => (typeof port === "number" ? port : port(session));
  const entropy = randomBytes(by ? resumeEntropyLength(profile) : entropyLength(profile));
  const first = by ? resume(profile, by.ticket, by.elapsed, entropy) : initiate(profile, entropy);
  entropy.fill(0);
  const firstPort = portOf(first.session);
  if (!(firstPort > 0 && firstPort < 65536)) throw new RangeError(`port: got ${firstPort}`);
  const { address, family } = await lookup(host, { family: isIP(localAddress ?? "") });
  let gateway = { address, port: firstPort };
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  socket.bind({ port: localPort, address: localAddress });
  await once(socket, "listening").catch((error) => {
    socket.close();
    throw error;
  });

  let session = first.session;
  let timer: NodeJS.Timeout | undefined;
  let complaint: Error | undefined;
  let childFailed: ChildFailed | undefined;
  let liveness: Deferred<boolean> | undefined;
  let hints: Allowance = { left: 1, at: performance.now() };
  const established = deferred<Connection>();
  const closed = deferred<Closed>();

  function take(step: Step, from?: typeof gateway): void {
    const before = session;
    session = step.session;
    wipe(before, session);
    // A closed session has forgotten its port, and may have a last response to send.
    if (session.state !== "closed") gateway = { address, port: portOf(session) };
    // A response goes where its request came from (RFC 7296 section 2.11); a request goes to the gateway.
    for (const datagram of step.send) transmit(datagram, (isResponse(datagram) && from) || gateway);
    if (step.wait !== undefined) {
      clearTimeout(timer);
      if (step.wait) timer = setTimeout(() => take(timeout(profile, session)), step.wait);
    }
    // Last, because a listener may take the next step at once, and its timer has to stand.
    step.events.forEach(handle);
  }

  function transmit(datagram: Uint8Array, to: typeof gateway): void {
    // A single octet is no message but a keepalive (RFC 3948 section 4).
    const marked = gateway.port === NAT_PORT && datagram.length > 1;
    // What the network does not take is lost like any other datagram: it will be repeated.
    socket.send(marked ? [NON_ESP_MARKER, datagram] : datagram, to.port, to.address, (error) => {
      complaint = error ?? complaint;
    });
    onDatagram?.("out", datagram, session);
  }

  function handle(event: Event): void {
    if (event.type === "child-failed") childFailed = event;
    if (event.type === "alive" || event.type === "closed") {
      liveness?.resolve(event.type === "alive");
      liveness = undefined;
    }
    if (event.type === "ignored" && event.reason === "hint") heedHint();
    if (event.type === "established") established.resolve(connection(event.remote, event.child));
    if (event.type === "closed") {
      established.reject(connectError(childFailed ?? event, complaint));
      closed.resolve(event);
      // Answers for a while without holding up the process; a port that was asked for is given back at once.
      socket.unref();
      timer = setTimeout(() => socket.close(), session.response && !localPort ? LINGER : 0).unref();
    }
    onEvent?.(event);
  }

  /** Anybody can send a hint: what it leads to has a limit (RFC 7296 section 2.21.4). */
  function heedHint(): void {
    const rest = session.state === "established" && spend(hints, performance.now(), 1, hintInterval);
    if (!rest) return;
    hints = rest;
    take(checkLiveness(profile, session));
  }

  function connection(remote: Identification, child: ChildSa): Connection {
    return {
      get session() {
        return session;
      },
      remote,
      child,
      closed: closed.promise,
      checkLiveness() {
        if (session.state !== "established") return Promise.resolve(false);
        liveness ??= deferred();
        const { promise } = liveness;
        take(checkLiveness(profile, session));
        return promise;
      },
      sendPacket(packet) {
        if (gateway.port !== NAT_PORT) throw new RangeError(`port: ESP goes to 4500, got ${gateway.port}`);
        socket.send(packet, gateway.port, gateway.address);
      },
      close() {
        take(close(profile, session));
        return closed.promise;
      },
      leave() {
        if (session.state === "closed") return;
        clearTimeout(timer);
        socket.close();
      },
    };
  }

  socket.on("error", (error) => {
    complaint = error;
  });
  // The SPIs decide whose a datagram is, not its source. Only to port 0 nobody can answer.
  socket.on("message", (octets, from) => {
    const marked = gateway.port === NAT_PORT;
    if (!from.port) return;
    if (marked && !octets.subarray(0, 4).equals(NON_ESP_MARKER)) {
      if (octets.length > 1) onPacket?.(octets);
      return;
    }
    const datagram = marked ? octets.subarray(4) : octets;
    onDatagram?.("in", datagram, session);
    take(receive(profile, session, datagram), from);
  });
  take(first);
  return established.promise;
}

function isResponse(datagram: Uint8Array): boolean {
  return (datagram[19]! & 0x20) !== 0;
}

function connectError(event: Closed | ChildFailed, cause: Error | undefined): ConnectError {
  const said = event.notify === undefined ? "" : `, notify ${event.notify}`;
  return Object.assign(new Error(`${event.type}: ${event.reason}${said}`, { cause }), { event });
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Promise.withResolvers, which Node has from version 22. */
function deferred<T>(): Deferred<T> {
  let resolvers: Omit<Deferred<T>, "promise">;
  const promise = new Promise<T>((resolve, reject) => {
    resolvers = { resolve, reject };
  });
  return { promise, ...resolvers! };
}
