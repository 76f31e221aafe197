/** The gateway of the tests on a UDP port of this machine: an independent IKEv2 responder, to try things out. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createResponder, type Options, type Responder } from "../../test/responder/index.ts";

export interface LoopbackGateway {
  readonly port: number;
  readonly responder: Responder;
  close(): void;
}

export async function startGateway(options: Options): Promise<LoopbackGateway> {
  const responder = createResponder(options);
  const socket = createSocket("udp4");
  socket.on("message", (datagram, { address, port }) => {
    for (const reply of responder.receive(new Uint8Array(datagram))) socket.send(reply, port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { port: socket.address().port, responder, close: () => socket.close() };
}
