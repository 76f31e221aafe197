/**
 * What the protocol needs of cryptography: three small contracts. Every algorithm of `ikelet/crypto/` fulfils
 * one of them; a firmware with a crypto engine of its own fulfils them itself and drops the software.
 *
 * Functions here are pure and synchronous. Arguments are never changed, except an `output` that was passed in.
 */

/**
 * Encryption with integrity, for the Encrypted payload of IKE and for ESP: an AEAD, or a block cipher mode
 * composed with an integrity algorithm.
 *
 * `key` is everything that one direction needs, in the order of KEYMAT (RFC 7296 section 2.17): the encryption
 * key, its salt, the integrity key; `keyLength + integrityKeyLength` octets.
 */
export interface Cipher {
  /** Transform ID of type 1, Encryption Algorithm (RFC 7296 section 3.3.2). */
  readonly encryptionId: number;
  /** The Key Length attribute in bits (RFC 7296 section 3.3.5), or 0 where the key has one length only. */
  readonly keyBits: number;
  /** Transform ID of type 3, Integrity Algorithm, or 0 for an AEAD, which proposes none (RFC 5282 section 8). */
  readonly integrityId: number;
  /** Octets of the encryption key and its salt: of SK_e, and of the first part of KEYMAT. */
  readonly keyLength: number;
  /** Octets of the integrity key, SK_a; 0 for an AEAD. */
  readonly integrityKeyLength: number;
  /** Octets of the IV on the wire. IKE does not take 0, the implicit IV of RFC 8750 section 7. */
  readonly ivLength: number;
  /** Octets of the ICV, which stands behind the ciphertext. */
  readonly icvLength: number;
  /** The plaintext is padded to a multiple of so many octets; 1 for an AEAD. */
  readonly blockLength: number;
  /**
   * Only where a counter may not serve as IV (CBC): makes from the 8-octet `counter` an IV that nobody can
   * predict who has no key (NIST SP 800-38A appendix C).
   */
  readonly unpredictableIv?: (key: Uint8Array, counter: Uint8Array) => Uint8Array;
  /**
   * Encrypts and authenticates.
   *
   * @param key `keyLength + integrityKeyLength` octets
   * @param iv 8 octets for an AEAD (with an implicit IV too), `ivLength` octets otherwise
   * @param associatedData authenticated, not encrypted
   * @param plaintext a multiple of `blockLength` octets
   * @param output where the result goes, if given: `plaintext.length + icvLength` octets that begin where the
   *   plaintext begins, or do not overlap it
   * @param tail octets that the ICV covers behind the ciphertext: the upper half of an extended sequence number
   *   in ESP (RFC 4303 section 3.3.2.1). An AEAD passes over them, there they are in `associatedData`
   * @returns ciphertext ‖ ICV
   */
  readonly seal: (
    key: Uint8Array,
    iv: Uint8Array,
    associatedData: Uint8Array,
    plaintext: Uint8Array,
    output?: Uint8Array,
    tail?: Uint8Array,
  ) => Uint8Array;
  /**
   * Verifies, then decrypts. Nothing is written to `output` before the ICV was found good. (CCM has to decrypt
   * before it can verify; what it decrypted is wiped where the ICV is wrong.)
   *
   * @param sealed ciphertext ‖ ICV, of any length: it comes from the network
   * @param output where the plaintext goes, if given: `sealed.length - icvLength` octets
   * @param tail as for `seal`
   * @returns the plaintext, or `undefined` if the ICV is wrong or the length impossible; never throws for
   *   what is in `iv`, `associatedData` or `sealed`
   */
  readonly open: (
    key: Uint8Array,
    iv: Uint8Array,
    associatedData: Uint8Array,
    sealed: Uint8Array,
    output?: Uint8Array,
    tail?: Uint8Array,
  ) => Uint8Array | undefined;
}

/** A keyed pseudorandom function: answers `prf(key, chunks[0] ‖ chunks[1] ‖ …)`, any number of times. */
export type KeyedPrf = (...chunks: Uint8Array[]) => Uint8Array;

/** A pseudorandom function (RFC 7296 section 2.13). */
export interface Prf {
  /** Transform ID of type 2, Pseudorandom Function. */
  readonly transformId: number;
  /** Preferred key length in octets: the length of SK_d, SK_pi and SK_pr. */
  readonly keyLength: number;
  /** Octets that it returns, never truncated. */
  readonly outputLength: number;
  /**
   * How many octets of each nonce key SKEYSEED, where that is not all of them: 8 for the PRFs made from AES
   * (RFC 7296 section 2.14).
   */
  readonly nonceKeyLength?: number;
  /** Keys the function once, for a key of any length; prf+ then pays for the key set-up a single time. */
  readonly keyed: (key: Uint8Array) => KeyedPrf;
}

/** An integrity algorithm, for ciphers that do not authenticate by themselves. */
export interface Integrity {
  /** Transform ID of type 3, Integrity Algorithm. */
  readonly transformId: number;
  /** Octets of the key, SK_a. */
  readonly keyLength: number;
  /** How many of the first octets of the MAC make the ICV. */
  readonly icvLength: number;
  /** Keys the MAC, which is untruncated: the cipher takes the first `icvLength` octets of it. */
  readonly keyed: (key: Uint8Array) => KeyedPrf;
}

/**
 * A block cipher of 16 octets, for modes: keyed once, it encrypts single blocks, in place (for CBC its inverse, of the
 * same form, decrypts them). A block begins at a `byteOffset` that is a multiple of 4, because noble works on words.
 */
export type BlockCipher = (key: Uint8Array) => (block: Uint8Array) => void;

/** A key exchange method (RFC 7296 section 3.4). */
export interface KeyExchange {
  /** Transform ID of type 4, the Diffie-Hellman group. */
  readonly transformId: number;
  /** Octets of randomness that make a private value. */
  readonly secretLength: number;
  /** Octets of a public value on the wire. */
  readonly publicLength: number;
  /**
   * What the KE payload of the request carries (RFC 7296 section 3.4).
   *
   * @param secret `secretLength` random octets
   * @returns our public value, `publicLength` octets in the encoding of the KE payload
   */
  readonly publicValue: (secret: Uint8Array) => Uint8Array;
  /**
   * What both sides know in the end, g^ir of RFC 7296 section 2.14.
   *
   * @param secret the octets that made our public value
   * @param peerValue what the peer sent as its public value: anything of any length
   * @returns g^ir, or `undefined` for a peer value that must not be used (wrong length, not on the curve,
   *   of small order, out of range); never throws for what is in `peerValue`
   */
  readonly sharedSecret: (secret: Uint8Array, peerValue: Uint8Array) => Uint8Array | undefined;
}

/** A hash function: the digest of `chunks[0] ‖ chunks[1] ‖ …`. */
export type Digest = (...chunks: Uint8Array[]) => Uint8Array;

/** The single proposal for the IKE SA: one cipher, one PRF, one key exchange method. */
export interface Suite {
  readonly cipher: Cipher;
  readonly prf: Prf;
  /** A device that only ever resumes has none. */
  readonly keyExchange?: KeyExchange;
}
