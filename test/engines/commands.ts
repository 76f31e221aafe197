/** What a device in an engine is told, and what it answers: octet strings, which every engine can take and give. */

/** The first octet of a command; its argument follows. */
export const INITIATE = 1;
/** A datagram from the gateway. */
export const RECEIVE = 2;
/** Entropy of `ENTROPY_LENGTH` octets, then a stored ticket. */
export const RESUME = 3;
export const CHECK_LIVENESS = 4;
export const CLOSE = 5;
/** The answer is the stored session. */
export const SAVE_SESSION = 6;
export const LOAD_SESSION = 7;
/** The device lets go of all that it holds. */
export const FORGET = 8;
/** The argument is a packet for the tunnel; the answer is the ESP packet. */
export const SEAL = 9;
/** The argument is an ESP packet; the answer is what was in it. */
export const OPEN = 10;

/** More than any exchange takes. */
export const ENTROPY_LENGTH = 64;

/** An answer is a row of parts: one octet of these, two of length, and so many octets. */
export const DATAGRAM = 1;
/** The type of an event and its reason, in ASCII. */
export const EVENT = 2;
/** A stored ticket. */
export const TICKET = 3;
/** What was asked for. */
export const RESULT = 4;
