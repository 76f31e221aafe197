/** What Espruino has beyond ES5 and Duktape has not. Nothing else may stand here: a device would miss it. */

function add(prototype: object, name: string, value: (...args: never[]) => unknown): void {
  if (!(name in prototype)) Object.defineProperty(prototype, name, { value });
}

add(Uint8Array.prototype, "fill", function (this: Uint8Array, value: number): Uint8Array {
  for (let i = 0; i < this.length; i++) this[i] = value;
  return this;
});

add(Array.prototype, "find", function (this: unknown[], wanted: (value: unknown) => boolean): unknown {
  return this.filter(wanted)[0];
});
