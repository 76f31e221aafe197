/** Tokens and hints on a real socket, from where they come. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Session } from "ikelet";
import { qcd } from "ikelet/qcd.js";
import { connect } from "../../examples/node/driver.ts";
import { startGateway } from "../../examples/node/loopback-gateway.ts";
import { makeProfile, PSK } from "../initiator/harness.ts";
import type { Bytes } from "../responder/index.ts";
import { answer, GATEWAY_QCD, tokenOf } from "./scenes.ts";

async function onLoopback(hintInterval?: number) {
  const gateway = await startGateway({ psk: PSK, qcd: GATEWAY_QCD });
  const local = createSocket("udp4").bind(0, "127.0.0.1");
  await once(local, "listening");
  const { port: localPort } = local.address();
  await new Promise<void>((resolve) => local.close(() => resolve()));
  const requests: Bytes[] = [];
  const connection = await connect(makeProfile({ extensions: [qcd()] }), {
    host: "127.0.0.1",
    port: gateway.port,
    localPort,
    ...(hintInterval !== undefined && { hintInterval }),
    onDatagram: (direction, datagram) => direction === "out" && requests.push(datagram),
  });
  requests.length = 0;
  const stranger = createSocket("udp4").bind(0, "127.0.0.1");
  await once(stranger, "listening");
  const send = (datagram: Bytes) => stranger.send(datagram, localPort, "127.0.0.1");
  const forged = (session: Session, tokens: Bytes[]) => answer({ session } as never, tokens);
  return { gateway, connection, requests, stranger, send, forged };
}

test("a token counts from any address and port [6290-3-c]", async () => {
  const { gateway, connection, requests, stranger, send, forged } = await onLoopback();
  const { session } = connection;
  assert.notEqual(stranger.address().port, gateway.port);
  send(forged(session, [tokenOf(gateway.responder, session)]));
  assert.equal((await connection.closed).reason, "crashed");
  assert.equal(requests.length, 0);
  stranger.close();
  gateway.close();
});

test("of hints the driver heeds one in an interval", async () => {
  for (const [interval, checks] of [
    [undefined, 1],
    [0, 20],
  ] as const) {
    const { gateway, connection, requests, stranger, send, forged } = await onLoopback(interval);
    for (let i = 0; i < 20; i++) {
      send(forged(connection.session, []));
      await setTimeout(5);
    }
    for (let i = 0; i < 100 && connection.session.request; i++) await setTimeout(5);
    if (checks === 1) assert.equal(requests.length, 1);
    else assert.equal(requests.length > 1, true, `${requests.length} checks`);
    assert.equal(connection.session.state, "established");
    stranger.close();
    assert.equal((await connection.close()).reason, "requested");
    gateway.close();
  }
});
