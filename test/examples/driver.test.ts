/** The Node driver: timers, addresses, ends. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Event } from "ikelet";
import { sha1 } from "ikelet/crypto/sha1.js";
import { nat } from "ikelet/nat.js";
import { type ConnectError, type Connection, connect } from "../../examples/node/driver.ts";
import { startGateway } from "../../examples/node/loopback-gateway.ts";
import { makeGateway, makeProfile, PSK } from "../initiator/harness.ts";

const quick = { retransmission: { wait: 20, sends: 3 } };

/** A gateway socket whose every datagram passes through `filter`; what it returns is sent back. */
async function bind(filter: (datagram: Uint8Array) => Uint8Array[], address = "127.0.0.1", port = 0) {
  const socket = createSocket("udp4");
  socket.on("message", (datagram, from) => {
    for (const reply of filter(new Uint8Array(datagram))) socket.send(reply, from.port, from.address);
  });
  socket.bind(port, address);
  await once(socket, "listening");
  return socket;
}

function next(socket: ReturnType<typeof createSocket>) {
  return once(socket, "message", { signal: AbortSignal.timeout(1000) });
}

test("driver: nobody there, and the error says so after all sends", async () => {
  const silent = await bind(() => []);
  const sent: Uint8Array[] = [];
  const options = { host: "127.0.0.1", port: silent.address().port };
  await assert.rejects(
    connect(makeProfile(quick), { ...options, onDatagram: (_, datagram) => sent.push(datagram) }),
    (error: ConnectError) => {
      assert.deepEqual(error.event, {
        type: "closed",
        reason: "timeout",
        notify: undefined,
        hint: undefined,
      });
      return /closed: timeout/.test(error.message);
    },
  );
  assert.equal(sent.length, 3);
  silent.close();
});

test("driver: errors before the first datagram leave no socket behind", async () => {
  await assert.rejects(connect(makeProfile({ psk: new Uint8Array(0) }), { host: "127.0.0.1" }), {
    code: "profile",
  });
  await assert.rejects(connect(makeProfile(), { host: "127.0.0.1", port: 0 }), RangeError);
  const taken = await bind(() => []);
  await assert.rejects(
    connect(makeProfile(), { host: "127.0.0.1", localAddress: "127.0.0.1", localPort: taken.address().port }),
    { code: "EADDRINUSE" },
  );
  taken.close();
  const isOpen = () => process.getActiveResourcesInfo().includes("UDPWrap");
  for (let waits = 0; isOpen() && waits < 500; waits++) await setTimeout(10);
  assert.ok(!isOpen());
});

test("driver: no Child SA rejects with the event that says why", async () => {
  const gateway = await startGateway({ psk: PSK, child: { refuse: 38 } });
  const events: string[] = [];
  await assert.rejects(
    connect(makeProfile(), {
      host: "127.0.0.1",
      port: gateway.port,
      onEvent: ({ type }) => events.push(type),
    }),
    (error: ConnectError) => error.event.type === "child-failed" && error.event.notify === 38,
  );
  assert.deepEqual(events, ["child-failed", "closed"]);
  assert.equal(gateway.responder.sa.end, "Delete of the device");
  gateway.close();
});

test("driver: a step taken inside of an event keeps its timer", async () => {
  const responder = makeGateway();
  let deletes = 0;
  const socket = await bind((datagram) => {
    // INFORMATIONAL requests 2 (liveness) and 3 (Delete); the first Delete is lost.
    if (datagram[23] === 3 && deletes++ === 0) return [];
    return responder.receive(datagram);
  });
  let connection: Connection | undefined;
  const onEvent = ({ type }: Event) => {
    if (type === "alive") void connection?.close();
  };
  connection = await connect(makeProfile(quick), {
    host: "127.0.0.1",
    port: socket.address().port,
    onEvent,
  });
  assert.equal(await connection.checkLiveness(), true);
  assert.equal((await connection.closed).reason, "requested");
  assert.equal(deletes, 2);
  assert.equal(await connection.checkLiveness(), false);
  assert.equal((await connection.close()).reason, "requested");
  socket.close();
});

test("driver: a gateway that falls silent ends a liveness check", async () => {
  const gateway = await startGateway({ psk: PSK });
  const connection = await connect(makeProfile(quick), { host: "127.0.0.1", port: gateway.port });
  gateway.close();
  assert.deepEqual(await Promise.all([connection.checkLiveness(), connection.checkLiveness()]), [
    false,
    false,
  ]);
  assert.equal((await connection.closed).reason, "timeout");
  assert.equal(connection.session.keys, undefined);
});

test("driver: answers go where the request came from, also after the end (7296-2.11)", async () => {
  const gateway = await startGateway({ psk: PSK });
  let port = 0;
  const moved = await bind(() => []);
  const spy = await bind((datagram) => gateway.responder.receive(datagram));
  spy.on("message", (_, from) => {
    port = from.port;
  });
  const connection = await connect(makeProfile(), { host: "127.0.0.1", port: spy.address().port });
  const deletion = gateway.responder.deleteIke();
  const answers: Buffer[] = [];
  for (let i = 0; i < 2; i++) {
    moved.send(deletion, port, "127.0.0.1");
    const [answer] = await next(moved);
    answers.push(answer);
  }
  assert.equal((await connection.closed).reason, "deleted");
  assert.deepEqual(answers[0], answers[1]);
  gateway.responder.receive(new Uint8Array(answers[0]!));
  assert.deepEqual(gateway.responder.violations, []);
  for (const socket of [gateway, moved, spy]) socket.close();
});

test("driver: port 4500 has the non-ESP marker in front (7296-2.23)", async () => {
  const responder = makeGateway();
  const marker = new Uint8Array(4);
  const esp = new Uint8Array(64).fill(1);
  const keepalive = new Uint8Array([0xff]);
  const socket = await bind(
    (datagram) => {
      assert.deepEqual(datagram.subarray(0, 4), marker);
      const replies = responder.receive(datagram.slice(4)).map((reply) => Buffer.concat([marker, reply]));
      return [esp, keepalive, ...replies];
    },
    "127.0.0.45",
    4500,
  );
  const events: Event[] = [];
  const connection = await connect(makeProfile(), {
    host: "127.0.0.45",
    port: 4500,
    onEvent: (event) => events.push(event),
  });
  assert.equal((await connection.close()).reason, "requested");
  assert.deepEqual(
    events.map(({ type }) => type),
    ["established", "closed"],
  );
  socket.close();
});

test("driver: the port of ikelet/nat.js, from the second request to the last response", async () => {
  const address = new Uint8Array([127, 0, 0, 46]);
  const ends = { local: { address: address, port: 500 }, remote: { address: address, port: 500 } };
  const responder = makeGateway({ nat: ends });
  const marker = new Uint8Array(4);
  let device = 0;
  const first = await bind((datagram) => responder.receive(datagram), "127.0.0.46");
  const second = await bind(
    (datagram) => {
      assert.deepEqual(datagram.subarray(0, 4), marker);
      return responder.receive(datagram.slice(4)).map((reply) => Buffer.concat([marker, reply]));
    },
    "127.0.0.46",
    4500,
  );
  second.on("message", (_, from) => {
    device = from.port;
  });
  const traversal = nat({ sha1, remote: { address, port: first.address().port }, force: true });
  const connection = await connect(makeProfile({ extensions: [traversal] }), {
    host: "127.0.0.46",
    port: traversal.port,
  });
  assert.equal(responder.sa.stage, "up");
  second.send(Buffer.concat([marker, responder.deleteIke()]), device, "127.0.0.1");
  await next(second);
  assert.equal((await connection.closed).reason, "deleted");
  assert.equal(responder.sa.end, "Delete of the gateway");
  for (const socket of [first, second]) socket.close();
});
