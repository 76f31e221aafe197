// Datagrams that get lost, cookies, and a device that has lost its memory.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { triggers } from "../abilities.ts";
import { type Device, eventually } from "../device.ts";
import type { Kind } from "../lab.ts";
import { wordsFor } from "../profile.ts";
import { type Case, connect, established, gatewayConfig, type Lab, start, type Words } from "./case.ts";
import { checkAlive, checkGone, checkKernel } from "./checks.ts";

const patient: Words = { retransmission: { wait: 700, sends: 4 } };
const IKE_SA_INIT = 34;
const IKE_AUTH = 35;
const INFORMATIONAL = 37;

function checkSame(datagrams: readonly Uint8Array[], exchange: number, what: string): void {
  const [first, ...others] = datagrams.filter((datagram) => datagram[18] === exchange);
  assert.ok(others.length > 0, `${what}: more than once`);
  for (const other of others)
    assert.ok(Buffer.compare(first!, other) === 0, `${what}: always the same octets`);
}

/** What went to and fro in the one exchange of a type, did so more than once, bit for bit the same. */
function checkRepeated({ sent, received }: Device, exchange: number): void {
  checkSame(sent, exchange, "request");
  checkSame(received, exchange, "response");
}

const NOTIFY = 41;

/**
 * In the first seconds of its machine strongSwan refuses its own cookies, for up to 10 s. (Probably their lifetime is
 * subtracted from a clock that began at a random moment since the boot, and the result is unsigned.)
 */
async function startUntilTaken(lab: Lab): Promise<Device> {
  for (;;) {
    const device = start(lab);
    await eventually("an event", () => device.events.length > 0);
    if (device.events[0]!.type !== "ignored") return device;
    device.lose.out = Number.POSITIVE_INFINITY;
    await sleep(500);
  }
}

async function cookie(lab: Lab): Promise<void> {
  if (lab.kind === "strongswan") {
    // Cookies begin while one half-open IKE SA is there.
    const half = start(lab);
    half.lose.in = Number.POSITIVE_INFINITY;
    await eventually("an answer", () => half.received.length > 0);
  }
  const device = await startUntilTaken(lab);
  await established(lab, device);
  const [first, second] = device.sent;
  assert.notEqual(first![16], NOTIFY, "no cookie at first");
  assert.equal(second![16], NOTIFY, "the cookie stands in front");
  assert.equal(device.received[0]![16], NOTIFY, "the gateway asked for it");
}

async function lostInit(lab: Lab): Promise<void> {
  const device = start(lab, patient);
  device.lose.in = 1;
  await established(lab, device);
  checkRepeated(device, IKE_SA_INIT);
}

async function lostAuth(lab: Lab): Promise<void> {
  const device = start(lab, patient);
  await eventually("IKE_AUTH is out", () => device.session.state === "authenticating");
  device.lose.in = 1;
  await established(lab, device);
  checkRepeated(device, IKE_AUTH);
}

async function lostRequest(lab: Lab): Promise<void> {
  const device = start(lab, patient);
  device.lose.out = 1;
  await established(lab, device);
}

async function lostLiveness(lab: Lab): Promise<void> {
  const connected = await connect(lab, patient);
  connected.device.lose.in = 1;
  await checkAlive(lab, wordsFor(lab.config), connected);
  checkRepeated(connected.device, INFORMATIONAL);
}

async function lostClose(lab: Lab): Promise<void> {
  const { device } = await connect(lab, { retransmission: { wait: 300, sends: 3 } });
  device.lose.in = 1;
  device.close();
  assert.equal((await device.until("closed")).reason, "requested", "reason");
  await checkGone(lab);
}

/** The gateway repeats its Delete; the closed session answers once more. */
async function lostAnswer(lab: Lab): Promise<void> {
  const { device } = await connect(lab);
  device.lose.out = 1;
  await lab.gateway.exec(triggers[lab.kind].deleteIke);
  await device.until("closed");
  await eventually("the gateway repeats its request", () => device.received.length > 3, 10_000);
  checkRepeated(device, INFORMATIONAL);
  await checkGone(lab);
}

async function initialContact(lab: Lab): Promise<void> {
  const { child: old } = await connect(lab);
  const { device, child } = await connect(lab, { initialContact: true });
  await eventually("the old SA is gone from the gateway's kernel", async () =>
    (await lab.gateway.xfrmState()).every(({ spi }) => spi !== old.outbound.spi && spi !== old.inbound.spi),
  );
  await checkAlive(lab, wordsFor(lab.config), { device, child });
}

/** Without INITIAL_CONTACT it is the gateway's choice what becomes of the old SA; the new one works. */
async function secondSession(lab: Lab): Promise<void> {
  await connect(lab);
  const { device, child } = await connect(lab);
  await checkAlive(lab, wordsFor(lab.config), { device, child });
  await checkKernel(lab, wordsFor(lab.config), child);
}

export function losses(kind: Kind): Case[] {
  const row = (name: string, run: Case["run"], iked?: string): Case => ({
    name,
    config: gatewayConfig(),
    run,
    skip: kind === "iked" ? iked : undefined,
  });
  return [
    {
      name: "cookie",
      config: gatewayConfig({ cookies: true }),
      skip: kind === "iked" ? "OpenIKED sends no cookies" : undefined,
      run: cookie,
    },
    row("retransmission, IKE_SA_INIT request lost", lostRequest),
    row("retransmission, IKE_SA_INIT response lost", lostInit),
    row("retransmission, IKE_AUTH response lost", lostAuth),
    row("retransmission, liveness response lost", lostLiveness),
    row("retransmission, response to our Delete lost", lostClose),
    row(
      "retransmission by the gateway, our answer to its Delete lost",
      lostAnswer,
      "OpenIKED sends its Delete once",
    ),
    row("initial contact", initialContact, "OpenIKED ignores INITIAL_CONTACT"),
    row("second session without initial contact", secondSession),
  ];
}
