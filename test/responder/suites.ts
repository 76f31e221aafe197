// From a proposal to the algorithms that it names, and back.

import type { Bytes } from "./bytes.ts";
import { type Cipher, cipherOf } from "./ciphers.ts";
import { type Group, groupOf } from "./groups.ts";
import { TransformType } from "./numbers.ts";
import { type Integ, integOf, type Prf, prfOf } from "./prfs.ts";
import { type Proposal, transformOf } from "./proposals.ts";

/** Transform numbers only, so that a state that holds a suite stays plain data. */
export interface Suite {
  encr: number;
  keyBits?: number;
  prf: number;
  integ?: number;
  group: number;
}

export interface ChildSuite {
  encr: number;
  keyBits?: number;
  integ?: number;
  esn: number;
}

export interface Protector {
  cipher: Cipher;
  integ?: Integ;
}

/** The suite of an IKE proposal with exactly one transform of each type, if all of it is supported. */
export function suiteOf(proposal: Proposal): Suite | undefined {
  const base = protectionOf(proposal);
  const prf = transformOf(proposal, TransformType.PRF);
  const group = transformOf(proposal, TransformType.DH);
  if (!base || !prf || !group || !prfOf(prf.id) || !groupOf(group.id)) return undefined;
  if (cipherOf(base.encr, base.keyBits)?.ivLength === 0) return undefined; // NULL and implicit IV: not for IKE
  const expected = base.integ === undefined ? 3 : 4;
  if (proposal.transforms.length !== expected) return undefined;
  return { ...base, prf: prf.id, group: group.id };
}

export function childSuiteOf(proposal: Proposal): ChildSuite | undefined {
  const base = protectionOf(proposal);
  const esn = transformOf(proposal, TransformType.ESN);
  if (!base || !esn || esn.id > 1) return undefined;
  const expected = base.integ === undefined ? 2 : 3;
  if (proposal.transforms.length !== expected) return undefined;
  return { ...base, esn: esn.id };
}

/** An AEAD stands alone, any other cipher needs an integrity algorithm (RFC 7296 section 3.3). */
function protectionOf(proposal: Proposal): { encr: number; keyBits?: number; integ?: number } | undefined {
  const encr = transformOf(proposal, TransformType.ENCR);
  const integ = transformOf(proposal, TransformType.INTEG);
  if (!encr || encr.attributes) return undefined;
  const cipher = cipherOf(encr.id, encr.keyLength);
  if (!cipher || cipher.tagLength > 0 !== (integ === undefined)) return undefined;
  if (integ && !integOf(integ.id)) return undefined;
  return {
    encr: encr.id,
    ...(encr.keyLength === undefined ? {} : { keyBits: encr.keyLength }),
    ...(integ === undefined ? {} : { integ: integ.id }),
  };
}

export function protectorOf(suite: { encr: number; keyBits?: number; integ?: number }): Protector {
  const cipher = must(cipherOf(suite.encr, suite.keyBits));
  return suite.integ === undefined ? { cipher } : { cipher, integ: must(integOf(suite.integ)) };
}

export function prfOfSuite(suite: { prf: number }): Prf {
  return must(prfOf(suite.prf));
}

export function groupOfSuite(suite: { group: number }): Group {
  return must(groupOf(suite.group));
}

export function proposalOf(suite: Suite, spi: Bytes): Proposal {
  const transforms = [
    encrTransform(suite),
    { type: TransformType.PRF, id: suite.prf },
    ...(suite.integ === undefined ? [] : [{ type: TransformType.INTEG, id: suite.integ }]),
    { type: TransformType.DH, id: suite.group },
  ];
  return { number: 1, protocol: 1, spi, transforms };
}

export function childProposalOf(suite: ChildSuite, spi: Bytes): Proposal {
  const transforms = [
    encrTransform(suite),
    ...(suite.integ === undefined ? [] : [{ type: TransformType.INTEG, id: suite.integ }]),
    { type: TransformType.ESN, id: suite.esn },
  ];
  return { number: 1, protocol: 3, spi, transforms };
}

function encrTransform(suite: { encr: number; keyBits?: number }) {
  const keyLength = suite.keyBits === undefined ? {} : { keyLength: suite.keyBits };
  return { type: TransformType.ENCR, id: suite.encr, ...keyLength };
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a suite that is not supported was let through");
  return value;
}
