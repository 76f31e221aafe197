// The Child SA of IKE_AUTH: proposal, mode, selectors, keys (RFC 7296 sections 1.3.1, 2.9 and 2.17).

import type { Bytes } from "./bytes.ts";
import { only } from "./checks.ts";
import { childKeys } from "./keys.ts";
import { Notify, Type } from "./numbers.ts";
import { findNotify, notify } from "./payloads.ts";
import { readSa, sa as saPayload } from "./proposals.ts";
import { isSingleAddress, narrow, readTs, ts } from "./selectors.ts";
import type { Gateway, Sa } from "./state.ts";
import { childProposalOf, childSuiteOf, prfOfSuite, protectorOf } from "./suites.ts";
import type { Payload } from "./wire.ts";

/** The payloads for the response; `sa.child` is set unless they refuse. */
export function negotiateChild(gateway: Gateway, sa: Sa, request: Payload[]): Payload[] {
  const options = gateway.options.child ?? {};
  const [proposal] = readSa(only(request, Type.SA).body);
  const offeredI = readTs(only(request, Type.TSi).body);
  const offeredR = readTs(only(request, Type.TSr).body);
  if (options.refuse !== undefined) return [notify(options.refuse)];

  const suite = proposal && childSuiteOf(proposal);
  const welcome = suite && (options.accept?.(suite) ?? true);
  if (!suite || !welcome) return [notify(Notify.NO_PROPOSAL_CHOSEN)];
  const tsI = narrow(offeredI, options.tsI);
  const tsR = narrow(offeredR, options.tsR);
  if (tsI.length === 0 || tsR.length === 0) return [notify(Notify.TS_UNACCEPTABLE)];

  const asked = findNotify(request, Notify.USE_TRANSPORT_MODE) !== undefined;
  if (asked && !(isSingleAddress(offeredI) && isSingleAddress(offeredR))) {
    gateway.violations.push("7296-2.23.1-a: selectors of more than one address in transport mode");
  }
  const transport = asked && !options.tunnelOnly;
  const spiR = options.spiR ?? espSpi(gateway);
  const keys = childKeys(prfOfSuite(sa.suite), protectorOf(suite), sa.keys.skD, sa.nonceI, sa.nonceR);
  sa.child = { spiI: proposal.spi, spiR, suite, mode: transport ? "transport" : "tunnel", tsI, tsR, ...keys };
  return [
    ...(transport ? [notify(Notify.USE_TRANSPORT_MODE)] : []),
    saPayload({ ...childProposalOf(suite, spiR), number: proposal.number }),
    ts(Type.TSi, tsI),
    ts(Type.TSr, tsR),
  ];
}

/** 0 to 255 are reserved (RFC 4303 section 2.1). */
export function espSpi(gateway: Gateway): Bytes {
  for (;;) {
    const spi = gateway.random(4);
    if (spi[0] || spi[1] || spi[2]) return spi;
  }
}
