// IKE_AUTH (RFC 7296 sections 1.2 and 2.15), and the first Child SA.

import { type Bytes, concat, equal, hex } from "./bytes.ts";
import { checkAuth, checkOrder, checkProposal, only } from "./checks.ts";
import { negotiateChild } from "./child.ts";
import { libreswanResumedAuth, pskAuth, resumedAuth } from "./keys.ts";
import { Exchange, Notify, Protocol, Type } from "./numbers.ts";
import { ownRequest } from "./own-requests.ts";
import {
  auth,
  deletePayload,
  find,
  findNotify,
  fqdn,
  identityBody,
  idr,
  notify,
  readAuth,
  readIdentity,
} from "./payloads.ts";
import { readSa } from "./proposals.ts";
import { ownToken, takeToken } from "./qcd.ts";
import { responseHeader, sendProtected } from "./send.ts";
import type { Gateway, Sa } from "./state.ts";
import { prfOfSuite } from "./suites.ts";
import { answerTicketRequest, sameIdentity } from "./tickets.ts";
import { Malformed, type Payload } from "./wire.ts";

/** The replies to a well-formed IKE_AUTH request; throws Malformed for any other. */
export function authenticate(gateway: Gateway, sa: Sa, request: Payload[]): Bytes[] {
  const complain = (text: string) => void gateway.violations.push(text);
  const childless = !find(request, Type.SA);
  if (childless && !gateway.options.childless) throw new Malformed("no SA payload (RFC 6023 section 3)");
  checkOrder(request, childless ? "childlessAuth" : "auth", complain);

  const idBody = only(request, Type.IDi).body;
  const authBody = only(request, Type.AUTH).body;
  checkAuth(sa, authBody, complain);
  const expected = authOf(gateway, sa, sa.keys.skPi, sa.messageI, sa.nonceR, idBody);
  if (!isWelcome(gateway, sa, idBody) || !equal(readAuth(authBody).data, expected)) {
    sa.stage = "gone";
    sa.end = "AUTHENTICATION_FAILED";
    return respond(gateway, sa, [notify(Notify.AUTHENTICATION_FAILED)]);
  }

  sa.stage = "up";
  sa.idI = readIdentity(idBody);
  sa.idR = gateway.options.local ?? fqdn("gw.example");
  sa.initialContact = findNotify(request, Notify.INITIAL_CONTACT) !== undefined;
  takeToken(sa, request, gateway.violations);
  const before = replaceOldSa(gateway, sa);
  if (!childless) checkProposal(readSa(only(request, Type.SA).body), Protocol.ESP, complain);
  const child = childless ? [] : negotiateChild(gateway, sa, request);
  const replies = respond(gateway, sa, responsePayloads(gateway, sa, request, child));
  return [...before, ...replies];
}

function responsePayloads(gateway: Gateway, sa: Sa, request: Payload[], child: Payload[]): Payload[] {
  const { qcd, tickets, configuration } = gateway.options;
  const ticket = answerTicketRequest(gateway, sa, request);
  const token = qcd ? [ownToken(qcd, sa)] : [];
  const first = tickets?.place === "first";
  const tokenLast = qcd?.place === "last";
  return [
    ...(first ? ticket : []),
    idr(sa.idR as NonNullable<Sa["idR"]>),
    auth(new Uint8Array(0)), // completed in respond(), when the ID payload is final
    ...(tokenLast ? [] : token),
    ...(configuration && find(request, Type.CP) ? [configuration] : []),
    ...child,
    ...(first ? [] : ticket),
    ...(tokenLast ? token : []),
  ];
}

function respond(gateway: Gateway, sa: Sa, payloads: Payload[]): Bytes[] {
  const edited = gateway.options.edit?.auth?.(payloads) ?? payloads;
  const idBody = find(edited, Type.IDr)?.body ?? identityBody(fqdn(""));
  const complete = edited.map((p) =>
    p.type === Type.AUTH && p.body.length === 4
      ? { ...p, body: concat(p.body, ownAuth(gateway, sa, idBody)) }
      : p,
  );
  return [sendProtected(gateway, sa, responseHeader(sa, Exchange.IKE_AUTH, 1), complete)];
}

function ownAuth(gateway: Gateway, sa: Sa, idBody: Bytes): Bytes {
  const right = authOf(gateway, sa, sa.keys.skPr, sa.messageR, sa.nonceI, idBody);
  return gateway.options.edit?.authData?.(right) ?? right;
}

function authOf(
  gateway: Gateway,
  sa: Sa,
  skP: Bytes,
  message: Bytes,
  peerNonce: Bytes,
  idBody: Bytes,
): Bytes {
  const prf = prfOfSuite(sa.suite);
  if (!sa.resumed) return pskAuth(prf, gateway.options.psk, skP, message, peerNonce, idBody);
  if (gateway.options.tickets?.signed === "libreswan") return libreswanResumedAuth(prf, skP, message);
  return resumedAuth(prf, skP, message, peerNonce, idBody);
}

/** The configured identity, and on a resumed SA that of the ticket (RFC 5723 section 4.3.3). */
function isWelcome(gateway: Gateway, sa: Sa, idBody: Bytes): boolean {
  const id = readIdentity(idBody);
  if (sa.resumed && !sameIdentity(sa.resumed.idI, id)) {
    gateway.violations.push("5723-4.3.3-b: IDi is not that of the ticket");
    return false;
  }
  const { remote } = gateway.options;
  return !remote || sameIdentity(remote, id);
}

/** RFC 5723 section 4.3.4: after a resumption the old SA goes away silently. libreswan sends a Delete. */
function replaceOldSa(gateway: Gateway, sa: Sa): Bytes[] {
  const { resumed } = sa;
  if (!resumed) return [];
  if (gateway.options.tickets?.spentAt !== "never") gateway.spentTickets[hex(resumed.ticket)] = true;
  const old = gateway.sas.find((other) => equal(other.spiI, resumed.spiI) && equal(other.spiR, resumed.spiR));
  if (old?.stage !== "up") return [];
  const deletion = gateway.options.tickets?.deleteOldSa
    ? [ownRequest(gateway, old, Exchange.INFORMATIONAL, [deletePayload(Protocol.IKE)])]
    : [];
  old.stage = "gone";
  old.end = "resumed";
  return deletion;
}
