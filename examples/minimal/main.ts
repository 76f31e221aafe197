/** A complete program: brings a Child SA up with a gateway. node --import tsx examples/minimal/main.ts ADDRESS */

import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import {
  ascii,
  entropyLength,
  fqdn,
  host,
  initiate,
  net,
  type Profile,
  receive,
  type Step,
  timeout,
} from "ikelet";
import { chacha20Poly1305 } from "ikelet/crypto/chacha20-poly1305.js";
import { hmacSha256 } from "ikelet/crypto/hmac-sha256.js";
import { x25519 } from "ikelet/crypto/x25519.js";
import { explain } from "ikelet/explain.js";

const profile: Profile = {
  suite: { cipher: chacha20Poly1305, prf: hmacSha256, keyExchange: x25519 },
  local: fqdn("device.example"),
  remote: fqdn("gw.example"),
  psk: ascii("correct horse battery staple"),
  child: {
    cipher: chacha20Poly1305,
    mode: "tunnel",
    local: host([10, 1, 0, 7]),
    remote: net([10, 99, 0, 0], 16),
  },
};
const [address = "127.0.0.1", port = "500"] = process.argv.slice(2);
const socket = createSocket("udp4");
let timer: NodeJS.Timeout | undefined;
let session = perform(initiate(profile, randomBytes(entropyLength(profile))));
socket.on("message", (datagram) => {
  session = perform(receive(profile, session, datagram));
});

/** What every step asks of its caller: send, look at the events, set the one timer, keep the session. */
function perform(step: Step): Step["session"] {
  for (const datagram of step.send) socket.send(datagram, Number(port), address);
  for (const event of step.events) {
    console.log(explain(profile, event));
    if (event.type === "established" || event.type === "closed") socket.close();
  }
  if (step.wait !== undefined) clearTimeout(timer);
  if (step.wait)
    timer = setTimeout(() => {
      session = perform(timeout(profile, session));
    }, step.wait);
  return step.session;
}
