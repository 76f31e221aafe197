/** The gateway of the tests on port 4500, without a network: one UDP payload in, those that it answers out. */

import { answerEcho } from "../../examples/node/loopback-gateway.ts";
import type { Responder } from "../responder/index.ts";

const MARKER_LENGTH = 4;

export function makePort4500(responder: Responder): (payload: Uint8Array) => Uint8Array[] {
  let sequence = 0;
  return (payload) => {
    if (payload.subarray(0, MARKER_LENGTH).every((octet) => octet === 0))
      return responder
        .receive(payload.subarray(MARKER_LENGTH))
        .map((reply) => new Uint8Array([0, 0, 0, 0, ...reply]));
    const reply = answerEcho(responder, payload, ++sequence);
    return reply ? [reply] : [];
  };
}
