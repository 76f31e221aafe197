// IKE_SA_INIT (RFC 7296 section 1.2) and IKE_SESSION_RESUME (RFC 5723 section 4.3.2).

import { type Bytes, equal, hex, isZero, u16 } from "./bytes.ts";
import { checkHeader, checkOrder, checkPayloads, checkProposal, only } from "./checks.ts";
import { demandCookie, withoutCookie } from "./cookies.ts";
import { ikeKeys, resumedSkeyseedOf, skeyseedOf } from "./keys.ts";
import { natDetection, natState } from "./nat.ts";
import { Exchange, Flag, Notify, Protocol, Type } from "./numbers.ts";
import { find, findNotify, ke, nonce, notify, readKe } from "./payloads.ts";
import type { Prf } from "./prfs.ts";
import { readSa, sa as saPayload } from "./proposals.ts";
import { sendClear } from "./send.ts";
import type { Gateway, Sa } from "./state.ts";
import { groupOfSuite, prfOfSuite, proposalOf, protectorOf, type Suite, suiteOf } from "./suites.ts";
import { openTicket } from "./tickets.ts";
import {
  decodeChain,
  HEADER_LENGTH,
  isUnknown,
  Malformed,
  type Payload,
  type ReceivedHeader,
} from "./wire.ts";

export function initialExchange(gateway: Gateway, header: ReceivedHeader, datagram: Bytes): Bytes[] {
  const resume = header.exchange === Exchange.IKE_SESSION_RESUME;
  const earlier = gateway.sas.filter((sa) => equal(sa.spiI, header.spiI));
  const same = earlier.find((sa) => equal(sa.messageI, datagram));
  if (same) return repeated(gateway, same, resume);
  if (earlier.some((sa) => !equal(withoutCookie(sa.messageI), withoutCookie(datagram)))) {
    gateway.violations.push("7815-2.1-t: a request with a known SPIi that is no repeat");
  }

  const payloads = decodeChain(header.nextPayload, datagram.slice(HEADER_LENGTH));
  const { exchange, flags, messageId } = header;
  gateway.log.push({ direction: "in", exchange, flags, messageId, protected: false, payloads, datagram });
  const complain = (text: string) => void gateway.violations.push(text);
  checkHeader(header, false, 0, complain);
  if (!isZero(header.spiR)) complain("7815-A.1-c: SPIr is not zero");
  const cookie = demandCookie(gateway, header, datagram);
  if (cookie) return cookie;

  try {
    checkPayloads(payloads, complain);
    checkOrder(payloads, resume ? "resume" : "saInit", complain);
    const stranger = payloads.find((p) => p.critical && isUnknown(p.type));
    if (stranger)
      return refuse(
        gateway,
        header,
        notify(Notify.UNSUPPORTED_CRITICAL_PAYLOAD, Uint8Array.of(stranger.type)),
      );
    return resume
      ? resumeSa(gateway, header, datagram, payloads)
      : initSa(gateway, header, datagram, payloads);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    complain(`malformed: ${error.message}`);
    return refuse(gateway, header, notify(Notify.INVALID_SYNTAX));
  }
}

function repeated(gateway: Gateway, sa: Sa, resume: boolean): Bytes[] {
  if (resume && gateway.options.tickets?.silentOnRepeat) return [];
  if (sa.expectedId === 1) return sa.lastReplies;
  gateway.ignored.push("late repeat of the initial request");
  return [];
}

function refuse(
  gateway: Gateway,
  header: ReceivedHeader,
  reason: Payload,
  spiR: Bytes = new Uint8Array(8),
): Bytes[] {
  return [sendClear(gateway, responseTo(header, spiR), [reason]).datagram];
}

function responseTo({ spiI, exchange, messageId }: ReceivedHeader, spiR: Bytes) {
  return { spiI, spiR, version: 0x20, exchange, flags: Flag.RESPONSE, messageId };
}

function initSa(gateway: Gateway, header: ReceivedHeader, datagram: Bytes, request: Payload[]): Bytes[] {
  const complain = (text: string) => void gateway.violations.push(text);
  const proposals = readSa(only(request, Type.SA).body);
  checkProposal(proposals, Protocol.IKE, complain);
  const [proposal] = proposals;
  const suite = proposal && suiteOf(proposal);
  const welcome = suite && (gateway.options.accept?.(suite) ?? true);
  if (!suite || !welcome) return refuse(gateway, header, notify(Notify.NO_PROPOSAL_CHOSEN));

  const offered = readKe(only(request, Type.KE).body);
  if (offered.group !== suite.group) {
    complain(`7815-A.4-c: KE of group ${offered.group}, proposal of ${suite.group}`);
    return refuse(gateway, header, notify(Notify.INVALID_KE_PAYLOAD, u16(suite.group)));
  }
  const group = groupOfSuite(suite);
  const own = group.generate(gateway.random);
  const sharedSecret = group.sharedSecret(own.secret, offered.value);
  if (!sharedSecret) throw new Malformed("public value");

  const nonceI = only(request, Type.NONCE).body;
  const prf = prfOfSuite(suite);
  if (nonceI.length * 2 < prf.length) complain(`7296-2.10-a: nonce of ${nonceI.length} octets`);
  const nonceR = ownNonce(gateway);
  const spiR = gateway.options.spiR ?? gateway.random(8);
  const payloads = [
    saPayload({ ...proposalOf(suite, new Uint8Array(0)), number: proposal.number }),
    ke(suite.group, own.publicValue),
    nonce(nonceR),
    ...announcements(gateway, header, spiR, request),
  ];
  const edited = gateway.options.edit?.saInit?.(payloads) ?? payloads;
  const skeyseed = (sentNonce: Bytes) => skeyseedOf(prf, nonceI, sentNonce, sharedSecret);
  const sa = halfOpen(gateway, header, datagram, request, suite, prf, nonceI, nonceR, spiR, edited, skeyseed);
  sa.sharedSecret = sharedSecret;
  return sa.lastReplies;
}

function resumeSa(gateway: Gateway, header: ReceivedHeader, datagram: Bytes, request: Payload[]): Bytes[] {
  const options = gateway.options.tickets;
  if (request.some((p) => p.type === Type.SA || p.type === Type.KE)) throw new Malformed("SA or KE");
  const ticket = findNotify(request, Notify.TICKET_OPAQUE)?.data;
  if (!ticket) throw new Malformed("no ticket");
  const state = openTicket(gateway, ticket);
  if (state === "malformed" && options?.malformed === "silence") return [];
  if (state === "malformed" || state === "refused") {
    return refuse(gateway, header, notify(Notify.TICKET_NACK), options?.nackSpiR);
  }
  if (options?.spentAt === "resume") gateway.spentTickets[hex(ticket)] = true;
  if (equal(state.spiI, header.spiI)) gateway.violations.push("5723-5-b: the old SPIi");

  const { suite, skD } = state;
  const prf = prfOfSuite(suite);
  const nonceI = only(request, Type.NONCE).body;
  const nonceR = ownNonce(gateway);
  const spiR = gateway.options.spiR ?? gateway.random(8);
  const payloads = [nonce(nonceR), ...announcements(gateway, header, spiR, request)];
  const edited = gateway.options.edit?.resume?.(payloads) ?? payloads;
  const skeyseed = (sentNonce: Bytes) => resumedSkeyseedOf(prf, skD, nonceI, sentNonce);
  const sa = halfOpen(gateway, header, datagram, request, suite, prf, nonceI, nonceR, spiR, edited, skeyseed);
  sa.resumed = { ticket, spiI: state.spiI, spiR: state.spiR, idI: state.idI };
  return sa.lastReplies;
}

function ownNonce(gateway: Gateway): Bytes {
  const wanted = gateway.options.nonce ?? 32;
  return typeof wanted === "number" ? gateway.random(wanted) : wanted;
}

function announcements(gateway: Gateway, header: ReceivedHeader, spiR: Bytes, request: Payload[]): Payload[] {
  const { nat, childless } = gateway.options;
  const asked = findNotify(request, Notify.NAT_DETECTION_SOURCE_IP);
  return [
    ...(nat && asked ? natDetection(header.spiI, spiR, nat.local, nat.remote) : []),
    // RFC 6023 section 4 wants Protocol ID 1.
    ...(childless ? [notify(Notify.CHILDLESS_IKEV2_SUPPORTED, undefined, undefined, Protocol.IKE)] : []),
  ];
}

/** Sends the response and derives the keys from what was really sent. */
function halfOpen(
  gateway: Gateway,
  header: ReceivedHeader,
  messageI: Bytes,
  request: Payload[],
  suite: Suite,
  prf: Prf,
  nonceI: Bytes,
  nonceR: Bytes,
  spiR: Bytes,
  response: Payload[],
  skeyseed: (sentNonce: Bytes) => Bytes,
): Sa {
  const sent = sendClear(gateway, responseTo(header, spiR), response);
  const sentNonce = find(response, Type.NONCE)?.body ?? nonceR;
  const spis = [header.spiI, sent.header.spiR] as const;
  const nat = gateway.options.nat && natState(request, header.spiI, header.spiR, gateway.options.nat);
  const sa: Sa = {
    spiI: header.spiI,
    spiR: sent.header.spiR,
    stage: "half-open",
    suite,
    nonceI,
    nonceR: sentNonce,
    keys: ikeKeys(prf, protectorOf(suite), skeyseed(sentNonce), nonceI, sentNonce, ...spis),
    messageI,
    messageR: sent.datagram,
    ...(nat ? { nat } : {}),
    expectedId: 1,
    lastRequest: messageI,
    lastReplies: [sent.datagram],
    ownId: 0,
    open: [],
    ivCounter: 0,
    ivs: {},
  };
  gateway.sas.push(sa);
  return sa;
}
