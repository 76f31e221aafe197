/**
 * `npm run commission`: a host makes one full handshake and writes the ticket into a file; a device, which has neither
 * key exchange nor pre-shared key, lives on that. All against a gateway on loopback.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ascii } from "ikelet";
import { startGateway } from "../node/loopback-gateway.ts";
import { strong } from "../node/report.ts";
import { bundle } from "./bundle.ts";
import { commission } from "./host.ts";

const WAKES = 2;
/** Exchange types. */
const IKE_SA_INIT = 34;
const IKE_SESSION_RESUME = 38;
const PSK = ascii("for loopback only, never for a network");

/** The device is a process of its own, as it is a machine of its own: all that it has is the bundle and the file. */
async function wake(program: string, gateway: string, file: string): Promise<number> {
  const device = spawn(process.execPath, [program, gateway, file], { stdio: "inherit" });
  const [code] = await once(device, "exit");
  return code ?? 1;
}

const folder = mkdtempSync(join(tmpdir(), "ikelet-"));
const [program, file] = [join(folder, "device.mjs"), join(folder, "ticket")];
const gateway = await startGateway({ psk: PSK, tickets: {} }, true);
try {
  console.log(strong("host: the full handshake"));
  console.log(`  connected  ${await commission(gateway.address, PSK, file)}`);
  console.log(strong("\nfirmware"));
  console.log(`  bundle     ${await bundle(program)} octets gzipped, no key exchange in it`);
  for (let n = 1; n <= WAKES && !process.exitCode; n++) {
    console.log(strong(`\ndevice: wake ${n}`));
    process.exitCode = await wake(program, gateway.address, file);
  }
  const { log } = gateway.responder;
  const requests = (exchange: number): number =>
    log.filter((seen) => seen.direction === "in" && seen.exchange === exchange).length;
  console.log(strong("\ngateway"));
  console.log(
    `  has seen   ${requests(IKE_SA_INIT)} × IKE_SA_INIT, ${requests(IKE_SESSION_RESUME)} × IKE_SESSION_RESUME`,
  );
} finally {
  gateway.close();
  rmSync(folder, { recursive: true });
}
