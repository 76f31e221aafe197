/** What the device uses of the Moddable SDK and of ECMA-419. */

/** `embedded:io/socket/udp` (ECMA-419 section 12.4): addresses are text, a datagram that came has its sender. */
declare module "embedded:io/socket/udp" {
  interface Datagram extends ArrayBuffer {
    readonly address: string;
    readonly port: number;
  }
  export default class UDP {
    constructor(options: { port?: number; onReadable(this: UDP, count: number): void });
    write(datagram: ArrayBuffer | Uint8Array, address: string, port: number): void;
    read(): Datagram | undefined;
    close(): void;
  }
}

/** `embedded:storage/key-value` (ECMA-419 section 20): on an ESP32, NVS, which survives a loss of power as it was. */
declare module "embedded:storage/key-value" {
  export interface Store {
    read(key: string): ArrayBuffer | undefined;
    write(key: string, value: ArrayBuffer | Uint8Array): void;
    delete(key: string): void;
    close(): void;
  }
  const storage: { open(options: { path: string }): Store };
  export default storage;
}

declare module "timer" {
  const Timer: {
    set(callback: () => void, milliseconds: number): object;
    clear(timer: object | undefined): void;
  };
  export default Timer;
}

declare module "crypt" {
  const Crypt: import("ikelet/providers/moddable.js").ModdableCrypt;
  export default Crypt;
}

/** A global of the SDK's modules/io. */
declare const System: {
  restart(): void;
};
/** To the console of the debugger. */
declare function trace(text: string): void;
