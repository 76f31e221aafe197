// What is compared with the gateway's own view.

import assert from "node:assert/strict";
import type { ChildSa, Identification, TrafficSelector } from "ikelet";
import { espCipherOf } from "../algorithms.ts";
import type { EspProposal } from "../config.ts";
import { type Device, eventually } from "../device.ts";
import { show } from "../json.ts";
import type { Gateway, Kind } from "../lab.ts";
import { identificationOf, type ProfileWords, selectorOf } from "../profile.ts";
import type { XfrmAlgorithm, XfrmState } from "../xfrm.ts";
import type { Lab } from "./case.ts";

export interface Connected {
  readonly device: Device;
  readonly child: ChildSa;
}

function aeadName(cipher: EspProposal["cipher"]): string {
  if (cipher === "chacha20poly1305") return "rfc7539esp(chacha20,poly1305)";
  return cipher.includes("gcm") ? "rfc4106(gcm(aes))" : "rfc4309(ccm(aes))";
}

/** The kernel's form of a key that the library gives as one. */
function expectedAlgorithms(esp: EspProposal, key: Uint8Array): XfrmAlgorithm[] {
  const { keyLength, icvLength } = espCipherOf(esp);
  const icvBits = 8 * icvLength;
  if (!esp.integrity) return [{ kind: "aead", name: aeadName(esp.cipher), key, icvBits }];
  return [
    { kind: "auth-trunc", name: `hmac(${esp.integrity})`, key: key.slice(keyLength), icvBits },
    { kind: "enc", name: "cbc(aes)", key: key.slice(0, keyLength), icvBits: 0 },
  ];
}

function checkState(
  states: readonly XfrmState[],
  direction: string,
  words: ProfileWords,
  end: { readonly spi: number; readonly key: Uint8Array },
  source: string,
  destination: string,
): void {
  const found = states.filter(({ spi }) => spi === end.spi);
  assert.equal(found.length, 1, `one SA ${direction} in the gateway's kernel with our SPI`);
  const [state] = found;
  assert.equal(state!.source, source, `source ${direction}`);
  assert.equal(state!.destination, destination, `destination ${direction}`);
  assert.equal(state!.mode, words.mode, `mode ${direction}`);
  assert.equal(state!.esn, words.esp.esn ?? false, `extended sequence numbers ${direction}`);
  assert.deepEqual(state!.algorithms, expectedAlgorithms(words.esp, end.key.slice()), `keys ${direction}`);
}

/** The keys, SPIs and modes of both directions are those of the gateway's kernel. */
export async function checkKernel(
  { gateway, config }: Lab,
  words: ProfileWords,
  child: ChildSa,
): Promise<void> {
  const { deviceAddress, deviceAddress6, gatewayAddress, gatewayAddress6 } = gateway;
  const [device, other] = config.ipv6 ? [deviceAddress6, gatewayAddress6] : [deviceAddress, gatewayAddress];
  // The answer may be here before the kernel has been told everything.
  const states = await eventually("both SAs in the gateway's kernel", async () => {
    const all = await gateway.xfrmState();
    const present = (spi: number) => all.some((state) => state.spi === spi);
    return present(child.outbound.spi) && present(child.inbound.spi) && all;
  });
  checkState(states, "to the gateway", words, child.outbound, device, other);
  checkState(states, "to the device", words, child.inbound, other, device);
}

/** The same traffic as what the gateway's kernel sends into and takes out of ESP. */
async function checkSelectors(gateway: Gateway, words: ProfileWords, child: ChildSa): Promise<void> {
  const here = (network: string, selectors: readonly TrafficSelector[]) =>
    selectors.some(({ start, end }) => {
      const wanted = selectorOf(network);
      return Buffer.compare(start, wanted.start) === 0 && Buffer.compare(end, wanted.end) === 0;
    });
  const policies = await gateway.xfrmPolicy();
  for (const [direction, source, destination] of [
    ["in", child.local, child.remote],
    ["out", child.remote, child.local],
  ] as const)
    assert.ok(
      policies.some(
        (policy) =>
          policy.direction === direction &&
          policy.mode === words.mode &&
          here(policy.source, source) &&
          here(policy.destination, destination),
      ),
      `a policy ${direction} for ${show([child])}: ${show(policies)}`,
    );
}

/** @param words `local` and `remote` are what is to be granted */
export async function checkEstablished(
  lab: Lab,
  words: ProfileWords,
  remote: Identification,
  child: ChildSa,
): Promise<void> {
  assert.deepEqual(remote, identificationOf(lab.config.gatewayId), "the gateway's identity");
  assert.deepEqual(child.local, [selectorOf(words.local)], "our traffic");
  assert.deepEqual(child.remote, [selectorOf(words.remote)], "the traffic behind the gateway");
  await checkKernel(lab, words, child);
  await checkSelectors(lab.gateway, words, child);
}

const listings: Record<Kind, [command: string, line: RegExp]> = {
  strongswan: ["swanctl --list-sas", /^dev: #/gm],
  libreswan: ["ipsec whack --rundir /run/pluto --showstates", /_IKE_SA /gm],
  // After a failed attempt it keeps a half-open one for minutes.
  iked: ["ikectl show sa", /^iked_sas: .* ESTABLISHED /gm],
};

export async function ikeSas({ gateway, kind }: Lab): Promise<number> {
  const [command, line] = listings[kind];
  return ((await gateway.exec(command)).match(line) ?? []).length;
}

/** Nothing of an SA is left at the gateway. */
export async function checkGone(lab: Lab): Promise<void> {
  await eventually(
    "no ESP in the gateway's kernel",
    async () => (await lab.gateway.xfrmState()).length === 0,
  );
  await eventually("no IKE SA at the gateway", async () => (await ikeSas(lab)) === 0);
}

/** Both sides still hold the SA. */
export async function checkAlive(lab: Lab, words: ProfileWords, { device, child }: Connected): Promise<void> {
  assert.equal(device.session.state, "established", "state");
  device.checkLiveness();
  await device.until("alive");
  await checkKernel(lab, words, child);
}
