// The same handshakes begun by ikelet, strongSwan and libreswan, each with the test responder as the gateway: octets of
// each message and round trips. npm run test:peers -- [--json]; needs what test:gateways needs.

import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { type Event, entropyLength, initiate, type Profile, receive, type Step } from "ikelet";
import { resume, resumeEntropyLength, resumption, type Ticket } from "ikelet/resumption.js";
import { createResponder, fqdn, libreswanTickets, type Responder } from "../responder/index.ts";
import { triggers } from "./abilities.ts";
import { fill, type GatewayConfig } from "./config.ts";
import { eventually } from "./device.ts";
import { startGateway } from "./lab.ts";
import { profileOf, wordsFor } from "./profile.ts";
import { openSocket } from "./sockets.ts";

const NAMES = { gatewayId: "gw.example", deviceId: "device.example" } as const;
const PROPOSALS = {
  ike: [{ cipher: "chacha20poly1305", prf: "sha256", group: 31 }],
  esp: [{ cipher: "chacha20poly1305" }],
} as const;
/** The daemon is the device, so that its own name is that of the device. */
const initiating: GatewayConfig = {
  ...PROPOSALS,
  gatewayId: NAMES.deviceId,
  deviceId: NAMES.gatewayId,
  initiates: true,
  resumption: true,
};
/** Octets of a ticket of libreswan. */
const TICKET = 856;

/** The octets of every UDP payload, in their order. */
type Octets = readonly number[];

interface Row {
  readonly name: string;
  readonly octets: Octets;
}

function makeGateway(padding = 0): Responder {
  return createResponder({
    psk: Buffer.from(fill(initiating).psk),
    local: fqdn(NAMES.gatewayId),
    remote: fqdn(NAMES.deviceId),
    tickets: { ...libreswanTickets, deleteOldSa: false, padding },
  });
}

const octetsOf = (log: Responder["log"]): Octets => log.map(({ datagram }) => datagram.length);

/** The handshakes of a daemon. */
async function ofDaemon(kind: "strongswan" | "libreswan", padding: number): Promise<Row[]> {
  const daemon = await startGateway(kind, initiating);
  const rows: Row[] = [];
  try {
    const responder = makeGateway(padding);
    const socket = await openSocket(daemon, { localPort: 500 });
    socket.onMessage((datagram) => {
      for (const reply of responder.receive(datagram)) socket.send(reply);
    });
    const up = async (name: string): Promise<void> => {
      responder.log.length = 0;
      await daemon.exec(triggers[kind].initiate);
      await eventually("the SA is up", () => responder.sas.at(-1)?.stage === "up");
      rows.push({ name: `${kind} ${name}`, octets: octetsOf(responder.log).slice(0, 4) });
    };
    await up(kind === "libreswan" ? "full handshake with a ticket" : "full handshake");
    if (kind === "libreswan") {
      await daemon.logged(/established Child SA/);
      await daemon.exec(triggers.libreswan.suspend);
      // It says Delete, and expects its ticket to be good nevertheless.
      await eventually("Delete", () => Object.keys(responder.revoked).length > 0);
      responder.revoked = {};
      await up("resumption");
    }
  } catch (error) {
    throw new Error(`${kind}: ${error}; its log:\n${daemon.log().slice(-3000)}`);
  } finally {
    await daemon.stop();
  }
  return rows;
}

function exchange(profile: Profile, responder: Responder, begin: Step): { octets: Octets; events: Event[] } {
  const events: Event[] = [];
  responder.log.length = 0;
  let { session } = begin;
  for (let sent = begin.send; sent.length > 0; ) {
    const replies = sent.flatMap((datagram) => responder.receive(datagram));
    const steps = replies.map((reply) => {
      const step = receive(profile, session, reply);
      ({ session } = step);
      events.push(...step.events);
      return step;
    });
    sent = steps.flatMap(({ send }) => send);
  }
  return { octets: octetsOf(responder.log), events };
}

/** The handshakes of this library, and the ticket. */
function ofIkelet(padding = 0): { rows: Row[]; ticket: Ticket } {
  const alone = profileOf(wordsFor({ ...PROPOSALS, ...NAMES }));
  const profile = { ...alone, extensions: [resumption()] };
  const responder = makeGateway(padding);
  const ticketIn = (events: readonly Event[]): Ticket => {
    const found = events.find((event) => event.type === "ticket");
    if (!found) throw new Error(`no ticket: ${JSON.stringify(events)}; ${responder.violations}`);
    return found.ticket;
  };
  const minimal = exchange(alone, responder, initiate(alone, randomBytes(entropyLength(alone))));
  const full = exchange(profile, responder, initiate(profile, randomBytes(entropyLength(profile))));
  const ticket = ticketIn(full.events);
  const entropy = randomBytes(resumeEntropyLength(profile));
  const resumed = exchange(
    profile,
    responder,
    resume(profile, { ...ticket, signed: "first-message" }, 0, entropy),
  );
  ticketIn(resumed.events);
  return {
    ticket,
    rows: [
      { name: "ikelet full handshake", octets: minimal.octets },
      { name: "ikelet full handshake with a ticket", octets: full.octets },
      { name: "ikelet resumption", octets: resumed.octets },
    ],
  };
}

const { values: options } = parseArgs({ options: { json: { type: "boolean" } } });
const padding = TICKET - ofIkelet().ticket.ticket.length;
const rows = [
  ...ofIkelet(padding).rows,
  ...(await Promise.all([ofDaemon("strongswan", padding), ofDaemon("libreswan", padding)])).flat(),
];
if (options.json)
  for (const { name, octets } of rows)
    console.log(
      JSON.stringify({ name, result: "pass", value: octets.reduce((a, b) => a + b), unit: "octets", octets }),
    );
else {
  const line = (cells: readonly (string | number)[]) =>
    console.log(
      cells.map((cell, i) => (i ? String(cell).padStart(12) : cell.toString().padEnd(38))).join(""),
    );
  line(["UDP payloads, octets", "request", "response", "request", "response", "sum", "round trips"]);
  for (const { name, octets } of rows)
    line([name, ...octets, octets.reduce((a, b) => a + b), octets.length / 2]);
}
