/** The gateway of the tests on a UDP port of this machine: an independent IKEv2 responder, to try things out. */

import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import {
  createResponder,
  type Options,
  openEsp,
  type Responder,
  sealEsp,
  towardsDevice,
  towardsGateway,
} from "../../test/responder/index.ts";
import { emitEcho, emitEchoPacket, parseEcho, parseEchoPacket } from "./echo.ts";

export interface LoopbackGateway {
  readonly address: string;
  readonly port: number;
  readonly responder: Responder;
  close(): void;
}

const NON_ESP_MARKER = new Uint8Array(4);
const NAT_PORT = 4500;

/** Answers an echo request in ESP, as a host behind the gateway would. */
export function answerEcho(
  responder: Responder,
  packet: Uint8Array,
  sequence: number,
): Uint8Array | undefined {
  const { child } = responder.sa;
  const opened = child && openEsp(towardsGateway(child), packet);
  if (!child || !opened) return undefined;
  const tunnel = child.mode === "tunnel";
  const [device, gateway] = [child.tsI[0]!.start, child.tsR[0]!.start];
  const request = tunnel ? parseEchoPacket(opened.payload) : parseEcho(opened.payload, device, gateway);
  if (!request || request.reply) return undefined;
  const reply = { ...request, source: request.destination, destination: request.source, reply: true };
  const payload = tunnel ? emitEchoPacket(reply) : emitEcho(reply);
  return sealEsp(towardsDevice(child), sequence, payload, opened.nextHeader);
}

/**
 * @param withEsp on port 4500 of a loopback address of its own, in the form of that port, with ESP beside IKE;
 *   otherwise on a port of 127.0.0.1 that the system chooses
 */
export async function startGateway(options: Options, withEsp: boolean = false): Promise<LoopbackGateway> {
  const responder = createResponder(options);
  const socket = createSocket("udp4");
  let sequence = 0;
  socket.on("message", (octets, { address, port }) => {
    const send = (...datagram: Uint8Array[]): void => socket.send(datagram, port, address);
    const payload = new Uint8Array(octets);
    if (!withEsp) for (const reply of responder.receive(payload)) send(reply);
    else if (octets.subarray(0, 4).equals(NON_ESP_MARKER))
      for (const reply of responder.receive(payload.subarray(4))) send(NON_ESP_MARKER, reply);
    else {
      const reply = answerEcho(responder, payload, ++sequence);
      if (reply) send(reply);
    }
  });
  if (withEsp) socket.bind(NAT_PORT, `127.${randomInt(1, 255)}.${randomInt(255)}.${randomInt(1, 255)}`);
  else socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { ...socket.address(), responder, close: () => socket.close() };
}
