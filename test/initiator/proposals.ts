/** SA payloads: what the device offers, and what it does with an answer that is not its offer. */

import assert from "node:assert/strict";
import { aesCbc } from "ikelet/crypto/aes-cbc.js";
import { aesGcm } from "ikelet/crypto/aes-gcm.js";
import { hmacSha256_128 } from "ikelet/crypto/hmac-sha256-128.js";
import {
  type Bytes,
  type Edit,
  editBody,
  editTransforms,
  encodeChain,
  hex,
  type Payload,
  type Transform,
  Type,
} from "../responder/index.ts";
import { established, heard, passesOver } from "./expect.ts";
import { connect, only } from "./harness.ts";
import { withCipher } from "./suites.ts";

export const GCM = withCipher(aesGcm(128));
export const CBC = withCipher(aesCbc(128, hmacSha256_128));

export type Change = (payloads: Payload[]) => Payload[];

/** An SAr1 that is not the offer is passed over; with such an SAr2 there is no Child SA. */
export function refuses(
  edit: Change,
  changes: object = GCM,
  where: (keyof Edit)[] = ["saInit", "auth"],
): void {
  if (where.includes("saInit")) passesOver({ saInit: edit }, "proposal", changes);
  if (where.includes("auth")) {
    const { device, gateway } = connect(changes, { edit: { auth: edit } });
    assert.equal(only(device.events, "child-failed").reason, "proposal");
    assert.deepEqual(gateway.violations, []);
  }
}

/** The first request's SA payload with its generic header, and that of IKE_AUTH. */
export function offers(changes: object): string[] {
  const { gateway } = established({}, changes);
  return heard(gateway).map(({ payloads }) => {
    const at = payloads.findIndex(({ type }) => type === Type.SA);
    return hex(encodeChain([payloads[at]!], payloads[at + 1]!.type));
  });
}

export const transforms = (of: (list: Transform[]) => Transform[]) => (payloads: Payload[]) =>
  editTransforms(payloads, of);
export const encryption = (of: (transform: Transform) => Transform) =>
  transforms((list) => list.map((t) => (t.type === 1 ? of(t) : t)));
export const body = (of: (octets: Bytes) => Bytes) => (payloads: Payload[]) =>
  editBody(payloads, Type.SA, of);
