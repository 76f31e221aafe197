// JSON in which octets are hexadecimal.

export const hex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");

export const octetsOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

/** The same value with every buffer in it as a string. */
export function plain(value: unknown): unknown {
  return JSON.parse(show(value));
}

export function show(value: unknown): string {
  return JSON.stringify(value, (_, it) => (it instanceof Uint8Array ? hex(it) : it));
}
