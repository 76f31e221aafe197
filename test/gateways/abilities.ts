// What each daemon can do, found by trying every combination against strongSwan as the device.

import type { Cipher, EspProposal, Group, Hash, IkeProposal } from "./config.ts";
import type { Kind } from "./lab.ts";

interface Abilities {
  readonly ikeCiphers: readonly Cipher[];
  readonly prfs: readonly IkeProposal["prf"][];
  readonly groups: readonly Group[];
  /** Integrity algorithms beside CBC in IKE: all three everywhere, but libreswan only together with the same PRF. */
  readonly ikeIntegrity: readonly Hash[];
  readonly espCiphers: readonly Cipher[];
  readonly espIntegrity: readonly Hash[];
  readonly esn: boolean;
}

const gcm = ["aes128gcm16", "aes256gcm16"] as const;
const ccm = ["aes128ccm8", "aes256ccm8", "aes128ccm16", "aes256ccm16"] as const;
const cbc = ["aes128cbc", "aes256cbc"] as const;
const hashes = ["sha256", "sha384", "sha512"] as const;
const groups = [31, 19, 20, 14] as const;
const everyEsp = {
  espCiphers: ["chacha20poly1305", ...gcm, ...ccm, ...cbc],
  espIntegrity: hashes,
  esn: true,
} as const;

export const abilities: Readonly<Record<Kind, Abilities>> = {
  strongswan: {
    ikeCiphers: ["chacha20poly1305", ...gcm, ...ccm, ...cbc],
    prfs: [...hashes, "cmac"],
    groups,
    ikeIntegrity: hashes,
    ...everyEsp,
  },
  libreswan: {
    ikeCiphers: ["chacha20poly1305", ...gcm, ...cbc],
    prfs: hashes,
    groups,
    ikeIntegrity: hashes,
    ...everyEsp,
  },
  iked: {
    ikeCiphers: [...gcm, ...cbc],
    prfs: hashes,
    groups,
    ikeIntegrity: hashes,
    // PF_KEY: GCM and ESN are refused, and with SHA-256 the daemon says yes but installs nothing.
    espCiphers: cbc,
    espIntegrity: ["sha384", "sha512"],
    esn: false,
  },
};

export const isCbc = (cipher: Cipher): boolean => cipher.endsWith("cbc");

/** Every ESP suite of a daemon. */
export function espSuites(kind: Kind): EspProposal[] {
  const { espCiphers, espIntegrity, esn } = abilities[kind];
  return espCiphers
    .flatMap((cipher): EspProposal[] =>
      isCbc(cipher) ? espIntegrity.map((integrity) => ({ cipher, integrity })) : [{ cipher }],
    )
    .flatMap((esp) => (esn ? [esp, { ...esp, esn }] : [esp]));
}

/** The Child suite that all three have. */
export const commonEsp: EspProposal = { cipher: "aes256cbc", integrity: "sha512" };

/**
 * Commands for `gateway.exec` that make the gateway begin an exchange. They return before the device has answered.
 * OpenIKED rekeys only by time: `childLifetimeSeconds` and `ikeLifetimeSeconds`. It cannot delete a Child SA alone.
 */
export const triggers = {
  strongswan: {
    initiate: "swanctl --initiate --child net --timeout 5",
    rekeyChild: "swanctl --rekey --child net",
    rekeyIke: "swanctl --rekey --ike dev",
    deleteChild: "swanctl --terminate --child net --timeout -1",
    deleteIke: "swanctl --terminate --ike dev --timeout -1",
  },
  libreswan: {
    initiate: "ipsec whack --rundir /run/pluto --asynchronous --initiate --name dev",
    /** Forgets the SA and keeps the ticket: the next `initiate` resumes. */
    suspend: "ipsec whack --rundir /run/pluto --suspend --name dev",
    rekeyChild: "ipsec whack --rundir /run/pluto --asynchronous --rekey-child --name dev",
    rekeyIke: "ipsec whack --rundir /run/pluto --asynchronous --rekey-ike --name dev",
    deleteChild: "ipsec whack --rundir /run/pluto --asynchronous --delete-child --name dev",
    deleteIke: "ipsec whack --rundir /run/pluto --asynchronous --delete-ike --name dev",
  },
  iked: { deleteIke: "ikectl reset sa" },
} as const;
