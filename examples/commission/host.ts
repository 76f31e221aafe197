/** The commissioning tool: it knows the pre-shared key, makes the one full handshake, and hands the ticket over. */

import type { Event } from "ikelet";
import { x25519 } from "ikelet/crypto/x25519.js";
import type { Ticket } from "ikelet/resumption.js";
import { connect } from "../node/driver.ts";
import { makeProfile, makeTraversal } from "./profile.ts";
import { store } from "./store.ts";

/** The marker before each IKE message on port 4500. */
const MARKER_LENGTH = 4;

/** @returns what it cost, in words */
export async function commission(gateway: string, psk: Uint8Array, file: string): Promise<string> {
  const shared = makeProfile(makeTraversal(gateway));
  const profile = { ...shared, suite: { ...shared.suite, keyExchange: x25519 }, psk };
  let ticket: Ticket | undefined;
  let trips = 0;
  let octets = 0;
  const start = performance.now();
  const connection = await connect(profile, {
    host: gateway,
    port: 4500,
    onDatagram(direction, datagram) {
      if (direction === "in") trips++;
      octets += datagram.length + MARKER_LENGTH;
    },
    onEvent(event: Event) {
      if (event.type === "ticket") ticket = event.ticket;
    },
  });
  const ms = (performance.now() - start).toFixed(1);
  connection.leave();
  if (!ticket) throw new Error("the gateway gave no ticket: turn session resumption on there");
  store(file, ticket);
  return `${trips} round trips, ${octets} octets, ${ms} ms`;
}
