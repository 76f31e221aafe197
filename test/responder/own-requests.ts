// What the gateway asks the device (RFC 7296 sections 1.3, 1.4 and 2.4).

import type { Bytes } from "./bytes.ts";
import { espSpi } from "./child.ts";
import { Notify, Protocol, Type } from "./numbers.ts";
import { deletePayload, ke, nonce, notify } from "./payloads.ts";
import { sa as saPayload } from "./proposals.ts";
import { ts } from "./selectors.ts";
import { requestHeader, sendProtected } from "./send.ts";
import type { Sealing } from "./sk.ts";
import type { Child, Gateway, Sa } from "./state.ts";
import { childProposalOf, groupOfSuite, proposalOf } from "./suites.ts";
import type { Header, Payload } from "./wire.ts";

export interface RequestChange {
  /** Another Message ID than the next; the counter then stays as it is. */
  messageId?: number;
  header?: Partial<Header>;
  sealing?: Sealing;
}

export function ownRequest(
  gateway: Gateway,
  sa: Sa,
  exchange: number,
  payloads: Payload[],
  change: RequestChange = {},
): Bytes {
  const messageId = change.messageId ?? sa.ownId++;
  const header = { ...requestHeader(sa, exchange, messageId), ...change.header };
  const datagram = sendProtected(gateway, sa, header, payloads, change.sealing);
  sa.open.push({ exchange: header.exchange, messageId: header.messageId, payloads, datagram });
  return datagram;
}

export function rekeyIkePayloads(gateway: Gateway, sa: Sa): Payload[] {
  const { publicValue } = groupOfSuite(sa.suite).generate(gateway.random);
  return [
    saPayload(proposalOf(sa.suite, gateway.random(8))),
    nonce(gateway.random(32)),
    ke(sa.suite.group, publicValue),
  ];
}

/** Here the gateway is the initiator of the exchange, so its own selectors are TSi. */
export function createChildPayloads(gateway: Gateway, sa: Sa): Payload[] {
  const child = childOf(sa);
  return [
    saPayload(childProposalOf(child.suite, espSpi(gateway))),
    nonce(gateway.random(32)),
    ts(Type.TSi, child.tsR),
    ts(Type.TSr, child.tsI),
  ];
}

/** REKEY_SA names the SPI that the sender of the request expects in inbound packets (section 2.8). */
export function rekeyChildPayloads(gateway: Gateway, sa: Sa, spi: Bytes = childOf(sa).spiR): Payload[] {
  const rekey = notify(Notify.REKEY_SA, undefined, spi, Protocol.ESP);
  return [rekey, ...createChildPayloads(gateway, sa)];
}

/** A Delete names the sender's inbound SPI (section 1.4.1). */
export function deleteChildPayloads(sa: Sa, spis: readonly Bytes[] = [childOf(sa).spiR]): Payload[] {
  return [deletePayload(Protocol.ESP, spis)];
}

function childOf(sa: Sa): Child {
  if (!sa.child) throw new Error("the gateway has no Child SA");
  return sa.child;
}
