/** The device in XS connects to a real daemon: strongSwan in the lab of `test/gateways`. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { emitEchoPacket, parseEchoPacket } from "../../examples/node/echo.ts";
import { startGateway } from "../gateways/lab.ts";
import { openSocket } from "../gateways/sockets.ts";
import { systemRandom } from "../responder/random.ts";
import { CLOSE, ENTROPY_LENGTH, INITIATE, OPEN, RECEIVE, SEAL } from "./commands.ts";
import { type Answer, type Engine, tell } from "./engine.ts";
import { isRoot } from "./install.ts";
import { DEVICE, DEVICE_ADDRESS, GATEWAY, GATEWAY_NETWORK, GATEWAY_PREFIX, PSK } from "./parties.ts";

const CONFIG = {
  ike: [{ cipher: "chacha20poly1305", prf: "sha256", group: 31 }],
  esp: [{ cipher: "chacha20poly1305" }],
  gatewayId: GATEWAY,
  deviceId: DEVICE,
  psk: PSK,
  gatewaySubnets: [`${GATEWAY_NETWORK.join(".")}/${GATEWAY_PREFIX}`],
  deviceSubnets: [`${DEVICE_ADDRESS.join(".")}/32`],
} as const;
const ANSWER_MILLISECONDS = 3000;

/** Why it cannot be tried here. */
export function whyNoGateway(): string | undefined {
  if (!isRoot()) return "needs root";
  // As in build-rootfs.sh.
  const script = readFileSync(new URL("../gateways/build-rootfs.sh", import.meta.url));
  const hash = createHash("sha256").update(script).digest("hex").slice(0, 12);
  const cache = process.env.IKELET_CACHE || "/var/cache/ikelet";
  return existsSync(`${cache}/gateways-${hash}`) ? undefined : "the lab is not built: npm run test:gateways";
}

/** A handshake, an echo from behind the gateway through the kernel's ESP, and the Delete. */
export async function meetGateway(engine: Engine): Promise<void> {
  const gateway = await startGateway("strongswan", CONFIG);
  try {
    const ike = await openSocket(gateway, { localPort: 500 });
    const esp = await openSocket(gateway, { protocol: "esp" });

    const talk = async (command: number, argument: Uint8Array): Promise<string[]> => {
      let answer: Answer = await tell(engine, command, argument);
      const events = [...answer.events];
      while (answer.datagrams.length) {
        for (const datagram of answer.datagrams) ike.send(datagram);
        const reply = await ike.receive(ANSWER_MILLISECONDS);
        if (!reply) throw new Error(`no answer; events so far: ${events.join(", ")}`);
        answer = await tell(engine, RECEIVE, reply);
        events.push(...answer.events);
      }
      return events;
    };

    // strongSwan knows no tickets.
    assert.deepEqual(await talk(INITIATE, systemRandom(ENTROPY_LENGTH)), [
      "no-ticket refused",
      "established",
    ]);
    const request = {
      source: Uint8Array.from(DEVICE_ADDRESS),
      destination: Uint8Array.from(GATEWAY_NETWORK).with(3, 1),
      reply: false,
      id: 1,
      sequence: 1,
      data: new Uint8Array(40).fill(7),
    };
    const { results: sealed } = await tell(engine, SEAL, emitEchoPacket(request));
    esp.send(sealed[0]!);
    const packet = await esp.receive(ANSWER_MILLISECONDS);
    assert(packet, "no echo");
    const { results: opened } = await tell(engine, OPEN, packet);
    const { source: destination, destination: source, ...rest } = request;
    assert.deepEqual(parseEchoPacket(opened[0]!), { ...rest, source, destination, reply: true });
    assert.deepEqual(await talk(CLOSE, new Uint8Array(0)), ["closed requested"]);
  } finally {
    await gateway.stop();
  }
}
