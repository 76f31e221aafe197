// What the device asks after IKE_AUTH (RFC 7296 section 1.4), and the answers to it.

import { type Bytes, equal, hex } from "./bytes.ts";
import { Notify, Protocol, Type } from "./numbers.ts";
import { deletePayload, notifications, readDelete } from "./payloads.ts";
import { takeToken } from "./qcd.ts";
import type { Gateway, Sa } from "./state.ts";
import { answerTicketRequest } from "./tickets.ts";
import type { Payload } from "./wire.ts";

/** Inner payloads of the answer to an INFORMATIONAL request. */
export function answerInformational(gateway: Gateway, sa: Sa, request: Payload[]): Payload[] {
  const answer = [...answerTicketRequest(gateway, sa, request), ...answerDeletes(gateway, sa, request)];
  takeToken(sa, request, gateway.violations);
  // An authentication error of the device ends the SA without a Delete (section 2.21.2).
  if (notifications(request).some((n) => n.type === Notify.AUTHENTICATION_FAILED)) {
    sa.stage = "gone";
    sa.end = "AUTHENTICATION_FAILED by the device";
  }
  return gateway.options.edit?.informational?.(answer, request) ?? answer;
}

function answerDeletes(gateway: Gateway, sa: Sa, request: Payload[]): Payload[] {
  const deleted: Bytes[] = [];
  for (const payload of request) {
    if (payload.type !== Type.DELETE) continue;
    const { protocol, spis } = readDelete(payload.body);
    if (protocol === Protocol.IKE) {
      sa.stage = "gone";
      sa.end = "Delete of the device";
      gateway.revoked[hex(sa.spiI)] = true; // RFC 5723 section 6.2
      return []; // the Child SAs go with it, without a word (section 1.4.1)
    }
    const { child } = sa;
    if (child && spis.some((spi) => equal(spi, child.spiI))) {
      deleted.push(child.spiR);
      delete sa.child;
    } else {
      gateway.violations.push("7296-1.4.1-a: a Delete that names no Child SA of the device");
    }
  }
  return deleted.length > 0 ? [deletePayload(Protocol.ESP, deleted)] : [];
}
