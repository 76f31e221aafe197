/** What is a number or an octet string on the wire, in the words of the registries and of people. */

import type { Profile } from "../profile.ts";
import {
  ID_FQDN,
  ID_IPV4_ADDR,
  ID_IPV6_ADDR,
  ID_RFC822_ADDR,
  type Identification,
} from "../wire/identification.ts";
import type { TrafficSelector } from "../wire/selectors.ts";

type Names = Readonly<Record<number, string>>;

const ENCRYPTION: Names = {
  2: "ENCR_DES",
  3: "ENCR_3DES",
  11: "ENCR_NULL",
  12: "ENCR_AES_CBC",
  13: "ENCR_AES_CTR",
  14: "ENCR_AES_CCM_8",
  15: "ENCR_AES_CCM_12",
  16: "ENCR_AES_CCM_16",
  18: "ENCR_AES_GCM_8",
  19: "ENCR_AES_GCM_12",
  20: "ENCR_AES_GCM_16",
  21: "ENCR_NULL_AUTH_AES_GMAC",
  23: "ENCR_CAMELLIA_CBC",
  28: "ENCR_CHACHA20_POLY1305",
  29: "ENCR_AES_CCM_8_IIV",
  30: "ENCR_AES_GCM_16_IIV",
  31: "ENCR_CHACHA20_POLY1305_IIV",
};

const PRF: Names = {
  1: "PRF_HMAC_MD5",
  2: "PRF_HMAC_SHA1",
  4: "PRF_AES128_XCBC",
  5: "PRF_HMAC_SHA2_256",
  6: "PRF_HMAC_SHA2_384",
  7: "PRF_HMAC_SHA2_512",
  8: "PRF_AES128_CMAC",
};

const INTEGRITY: Names = {
  1: "AUTH_HMAC_MD5_96",
  2: "AUTH_HMAC_SHA1_96",
  5: "AUTH_AES_XCBC_96",
  8: "AUTH_AES_CMAC_96",
  12: "AUTH_HMAC_SHA2_256_128",
  13: "AUTH_HMAC_SHA2_384_192",
  14: "AUTH_HMAC_SHA2_512_256",
};

const GROUPS: Names = {
  1: "768-bit MODP",
  2: "1024-bit MODP",
  5: "1536-bit MODP",
  14: "2048-bit MODP",
  15: "3072-bit MODP",
  16: "4096-bit MODP",
  17: "6144-bit MODP",
  18: "8192-bit MODP",
  19: "256-bit random ECP",
  20: "384-bit random ECP",
  21: "521-bit random ECP",
  28: "brainpoolP256r1",
  29: "brainpoolP384r1",
  30: "brainpoolP512r1",
  31: "Curve25519",
  32: "Curve448",
  35: "ML-KEM-512",
  36: "ML-KEM-768",
  37: "ML-KEM-1024",
};

const NOTIFIES: Names = {
  1: "UNSUPPORTED_CRITICAL_PAYLOAD",
  4: "INVALID_IKE_SPI",
  5: "INVALID_MAJOR_VERSION",
  7: "INVALID_SYNTAX",
  9: "INVALID_MESSAGE_ID",
  11: "INVALID_SPI",
  14: "NO_PROPOSAL_CHOSEN",
  17: "INVALID_KE_PAYLOAD",
  24: "AUTHENTICATION_FAILED",
  34: "SINGLE_PAIR_REQUIRED",
  35: "NO_ADDITIONAL_SAS",
  36: "INTERNAL_ADDRESS_FAILURE",
  37: "FAILED_CP_REQUIRED",
  38: "TS_UNACCEPTABLE",
  39: "INVALID_SELECTORS",
  40: "UNACCEPTABLE_ADDRESSES",
  41: "UNEXPECTED_NAT_DETECTED",
  42: "USE_ASSIGNED_HoA",
  43: "TEMPORARY_FAILURE",
  44: "CHILD_SA_NOT_FOUND",
  45: "INVALID_GROUP_ID",
  46: "AUTHORIZATION_FAILED",
  16384: "INITIAL_CONTACT",
  16385: "SET_WINDOW_SIZE",
  16386: "ADDITIONAL_TS_POSSIBLE",
  16387: "IPCOMP_SUPPORTED",
  16388: "NAT_DETECTION_SOURCE_IP",
  16389: "NAT_DETECTION_DESTINATION_IP",
  16390: "COOKIE",
  16391: "USE_TRANSPORT_MODE",
  16392: "HTTP_CERT_LOOKUP_SUPPORTED",
  16393: "REKEY_SA",
  16394: "ESP_TFC_PADDING_NOT_SUPPORTED",
  16395: "NON_FIRST_FRAGMENTS_ALSO",
  16396: "MOBIKE_SUPPORTED",
  16403: "AUTH_LIFETIME",
  16404: "MULTIPLE_AUTH_SUPPORTED",
  16406: "REDIRECT_SUPPORTED",
  16407: "REDIRECT",
  16409: "TICKET_LT_OPAQUE",
  16410: "TICKET_REQUEST",
  16411: "TICKET_ACK",
  16412: "TICKET_NACK",
  16413: "TICKET_OPAQUE",
  16417: "EAP_ONLY_AUTHENTICATION",
  16418: "CHILDLESS_IKEV2_SUPPORTED",
  16419: "QCD_TOKEN",
  16430: "IKEV2_FRAGMENTATION_SUPPORTED",
  16431: "SIGNATURE_HASH_ALGORITHMS",
  16435: "USE_PPK",
  16438: "INTERMEDIATE_EXCHANGE_SUPPORTED",
};

function nameOf(names: Names, number: number, kind: string): string {
  return names[number] ?? `${kind} ${number}`;
}

/** A Notify message type: `TS_UNACCEPTABLE`. */
export function notifyName(type: number): string {
  return nameOf(NOTIFIES, type, "notification");
}

/** A pseudorandom function: `PRF_HMAC_SHA2_256`. */
export function prfName(transformId: number): string {
  return nameOf(PRF, transformId, "PRF");
}

/** A key exchange method: `group 31 (Curve25519)`. */
export function groupName(transformId: number): string {
  const name = GROUPS[transformId];
  return `group ${transformId}${name ? ` (${name})` : ""}`;
}

/** The transforms of a cipher or of a Child SA: `ENCR_AES_CBC (256 bits) with AUTH_HMAC_SHA2_256_128`. */
export function cipherName(cipher: {
  readonly encryptionId: number;
  readonly keyBits: number;
  readonly integrityId: number;
}): string {
  const bits = cipher.keyBits ? ` (${cipher.keyBits} bits)` : "";
  const integrity = cipher.integrityId
    ? ` with ${nameOf(INTEGRITY, cipher.integrityId, "integrity algorithm")}`
    : "";
  return nameOf(ENCRYPTION, cipher.encryptionId, "encryption algorithm") + bits + integrity;
}

/** The one proposal for the IKE SA. */
export function suiteName({ cipher, prf, keyExchange }: Profile["suite"]): string {
  return `${cipherName(cipher)}, ${prfName(prf.transformId)}, ${keyExchange ? groupName(keyExchange.transformId) : "no key exchange"}`;
}

function hex(octets: Uint8Array): string {
  let digits = "0x";
  for (let i = 0; i < octets.length; i++) digits += (octets[i]! + 0x100).toString(16).slice(1);
  return digits;
}

/** An address of 4 or 16 octets: `10.1.0.7`, `2001:db8::7`. */
export function addressText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join(".");
  if (octets.length !== 16) return hex(octets);
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((octets[i]! << 8) | octets[i + 1]!).toString(16));
  // The longest run of zero groups becomes "::" (RFC 5952 section 4.2).
  const text = groups.join(":");
  const runs = text.match(/\b0(:0)+\b/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  return longest ? text.replace(new RegExp(`:?\\b${longest}\\b:?`), "::") : text;
}

/** An identity: `gw.example`, `10.1.0.7`, or `0x6b65` where octets are no plain text. */
export function identityText({ type, data }: Identification): string {
  if (type === ID_IPV4_ADDR || type === ID_IPV6_ADDR) return addressText(data);
  // What comes from the network must not steer a terminal or fake a line of a log.
  const plain = data.every((octet) => octet > 0x20 && octet < 0x7f);
  if (plain && (type === ID_FQDN || type === ID_RFC822_ADDR)) return String.fromCharCode(...data);
  return hex(data);
}

/** A traffic selector: `10.99.0.0/16`, or `10.1.0.1-10.1.0.9 protocol 17 port 53` where it is no network. */
export function selectorText({ protocol, startPort, endPort, start, end }: TrafficSelector): string {
  const bits = 8 * start.length;
  const bit = (octets: Uint8Array, i: number): number => (octets[i >> 3]! >> (7 - (i & 7))) & 1;
  let prefix = 0;
  while (prefix < bits && bit(start, prefix) === bit(end, prefix)) prefix++;
  // A network begins with nothing but zeros behind its prefix and ends with nothing but ones.
  let rest = prefix;
  while (rest < bits && bit(start, rest) < bit(end, rest)) rest++;
  const range = rest < bits ? `-${addressText(end)}` : prefix < bits ? `/${prefix}` : "";
  const ports = startPort === endPort ? `port ${startPort}` : `ports ${startPort}-${endPort}`;
  return (
    addressText(start) +
    range +
    (protocol ? ` protocol ${protocol}` : "") +
    (startPort === 0 && endPort === 0xffff ? "" : ` ${ports}`)
  );
}

/** A 32-bit SPI: `0x0a1b2c3d`. */
export function spiText(spi: number): string {
  return `0x${(spi + 0x100000000).toString(16).slice(1)}`;
}
