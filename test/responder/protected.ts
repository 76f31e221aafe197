// Messages after the initial exchange: whose are they, are they new, and who handles them (RFC 7296 sections 2.1 to 2.3).

import { authenticate } from "./authenticate.ts";
import { type Bytes, equal } from "./bytes.ts";
import { checkHeader, checkPayloads, checkProtection } from "./checks.ts";
import { answerInformational } from "./informational.ts";
import { Exchange, Flag, Notify, Protocol, Type } from "./numbers.ts";
import { notify, readDelete } from "./payloads.ts";
import { crashAnswer, tokenMatches } from "./qcd.ts";
import { fromInitiator, responseHeader, sendProtected } from "./send.ts";
import { type Opened, openMessage } from "./sk.ts";
import type { Gateway, Sa } from "./state.ts";
import {
  decodeChain,
  HEADER_LENGTH,
  isUnknown,
  Malformed,
  type Payload,
  type ReceivedHeader,
} from "./wire.ts";

export function protectedMessage(gateway: Gateway, header: ReceivedHeader, datagram: Bytes): Bytes[] {
  const sa = gateway.sas.find((s) => equal(s.spiI, header.spiI) && equal(s.spiR, header.spiR));
  if (!sa) {
    gateway.ignored.push(`exchange ${header.exchange} on unknown SPIs`);
    const answer = gateway.options.qcd && crashAnswer(gateway.options.qcd, header);
    return answer ? [answer] : [];
  }
  if (header.nextPayload !== Type.SK) return unprotected(gateway, sa, header, datagram);
  const response = (header.flags & Flag.RESPONSE) !== 0;
  return response ? answered(gateway, sa, header, datagram) : asked(gateway, sa, header, datagram);
}

/** Only a token of the device means anything in the clear (RFC 6290 section 3). */
function unprotected(gateway: Gateway, sa: Sa, header: ReceivedHeader, datagram: Bytes): Bytes[] {
  const payloads = decodeChain(header.nextPayload, datagram.slice(HEADER_LENGTH));
  const { exchange, flags, messageId } = header;
  gateway.log.push({ direction: "in", exchange, flags, messageId, protected: false, payloads, datagram });
  if (tokenMatches(sa, payloads)) {
    sa.stage = "gone";
    sa.end = "QCD_TOKEN of the device";
  } else {
    gateway.ignored.push(`unprotected message of exchange ${exchange} on a live SA`);
  }
  return [];
}

function asked(gateway: Gateway, sa: Sa, header: ReceivedHeader, datagram: Bytes): Bytes[] {
  const ignore = (why: string): Bytes[] => {
    gateway.ignored.push(why);
    return [];
  };
  if (header.messageId === sa.expectedId - 1) {
    if (equal(datagram, sa.lastRequest)) return sa.lastReplies;
    gateway.violations.push("7815-2.1-t: a repeat that is not the same octet by octet");
    return [];
  }
  if (sa.stage === "gone") return ignore(`request on an SA that is gone (${sa.end})`);
  const opened = openAndCheck(gateway, sa, header, datagram, false, sa.expectedId);
  if (!opened) return ignore(`ICV of a request of exchange ${header.exchange}`);
  if (header.messageId !== sa.expectedId) return ignore(`Message ID ${header.messageId}`);

  const replies = handle(gateway, sa, header, opened);
  sa.expectedId += 1;
  sa.lastRequest = datagram;
  sa.lastReplies = replies;
  return replies;
}

function handle(gateway: Gateway, sa: Sa, { exchange, messageId }: ReceivedHeader, opened: Opened): Bytes[] {
  const reply = (...payloads: Payload[]) => [
    sendProtected(gateway, sa, responseHeader(sa, exchange, messageId), payloads),
  ];
  try {
    if (opened.malformed !== undefined) throw new Malformed(opened.malformed);
    const { payloads } = opened;
    checkPayloads(payloads, (text) => void gateway.violations.push(text));
    const stranger = payloads.find((p) => p.critical && isUnknown(p.type));
    if (stranger) return reply(notify(Notify.UNSUPPORTED_CRITICAL_PAYLOAD, Uint8Array.of(stranger.type)));
    const wanted = sa.stage === "half-open" ? Exchange.IKE_AUTH : Exchange.INFORMATIONAL;
    if (exchange !== wanted) {
      gateway.violations.push(`7815-2.1-f: exchange ${exchange} where ${wanted} is due`);
      return reply(
        notify(exchange === Exchange.CREATE_CHILD_SA ? Notify.NO_ADDITIONAL_SAS : Notify.INVALID_SYNTAX),
      );
    }
    if (exchange === Exchange.IKE_AUTH) return authenticate(gateway, sa, payloads);
    return reply(...answerInformational(gateway, sa, payloads));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    gateway.violations.push(`malformed: ${error.message}`);
    sa.stage = "gone";
    sa.end = "INVALID_SYNTAX";
    return reply(notify(Notify.INVALID_SYNTAX));
  }
}

function answered(gateway: Gateway, sa: Sa, header: ReceivedHeader, datagram: Bytes): Bytes[] {
  const { exchange, messageId } = header;
  const request = sa.open.find((r) => r.messageId === messageId && r.exchange === exchange);
  if (!request) {
    gateway.violations.push(`7296-2.2-c: response ${messageId} of exchange ${exchange} to no request`);
    return [];
  }
  if (request.answer && !equal(request.answer, datagram)) {
    gateway.violations.push("7296-2.3-a: two different responses to one request");
  }
  const opened = openAndCheck(gateway, sa, header, datagram, true, messageId);
  if (!opened) {
    gateway.ignored.push(`ICV of a response of exchange ${exchange}`);
    return [];
  }
  if (opened.malformed !== undefined) gateway.violations.push(`malformed: ${opened.malformed}`);
  checkPayloads(opened.payloads, (text) => void gateway.violations.push(text));
  gateway.answers.push({ exchange, messageId, payloads: opened.payloads, datagram });
  if (!request.answer) finishOwnDelete(sa, request.payloads);
  request.answer = datagram;
  return [];
}

/** An answered Delete takes effect. */
function finishOwnDelete(sa: Sa, request: Payload[]): void {
  for (const payload of request.filter((p) => p.type === Type.DELETE)) {
    const { protocol, spis } = readDelete(payload.body);
    const { child } = sa;
    if (protocol === Protocol.IKE) {
      sa.stage = "gone";
      sa.end = "Delete of the gateway";
    } else if (child && spis.some((spi) => equal(spi, child.spiR))) {
      delete sa.child;
    }
  }
}

function openAndCheck(
  gateway: Gateway,
  sa: Sa,
  header: ReceivedHeader,
  datagram: Bytes,
  response: boolean,
  messageId: number,
): Opened | undefined {
  const opened = openMessage(datagram, fromInitiator(sa));
  if (!opened) return undefined;
  const complain = (text: string) => void gateway.violations.push(text);
  checkHeader(header, response, messageId, complain);
  checkProtection(sa, opened, datagram, complain);
  const { exchange, flags } = header;
  const { payloads, padLength, iv } = opened;
  const seen = { exchange, flags, messageId: header.messageId, payloads, padLength, iv, datagram };
  gateway.log.push({ direction: "in", protected: true, ...seen });
  return opened;
}
