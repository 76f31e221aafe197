/** What went wrong when the library was called wrongly; stable, to be compared. */
export type IkeletErrorCode =
  /** The octets given as entropy are too few, or begin with zeros only. */
  | "entropy"
  /** The profile cannot work: the message names the field. */
  | "profile"
  /** An argument has the wrong form: the message names it. */
  | "argument"
  /** The ticket is expired, or does not fit the profile: make a full handshake. */
  | "ticket"
  /** Stored octets are damaged, or no record of this library. */
  | "storage"
  /** Not in this state of the session, or another request of ours is still unanswered. */
  | "state";

/**
 * What every function throws when it is called wrongly. Nothing that arrives from the network is ever thrown.
 *
 * To be told apart by `name` and `code`: some engines lose the class of an error.
 */
export interface IkeletError extends Error {
  readonly name: "IkeletError";
  readonly code: IkeletErrorCode;
}

/** An `IkeletError` to throw. */
export function misuse(code: IkeletErrorCode, message: string): IkeletError {
  const error = new Error(message) as { -readonly [K in keyof IkeletError]: IkeletError[K] };
  error.name = "IkeletError";
  error.code = code;
  return error;
}
