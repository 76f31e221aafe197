/** QuickJS, compiled to WebAssembly: `quickjs-emscripten`. */

import type { Engine } from "./engine.ts";
import { load } from "./packages.ts";

/** As much of the package as is used here. */
interface Package {
  getQuickJS(): Promise<{ newContext(): Context }>;
}

interface Handle {
  dispose(): void;
}

interface Context {
  readonly global: Handle;
  evalCode(source: string): unknown;
  unwrapResult(result: unknown): Handle;
  getProp(of: Handle, name: string): Handle;
  callFunction(callee: Handle, self: Handle, ...args: Handle[]): unknown;
  newArrayBuffer(octets: ArrayBuffer): Handle;
  getArrayBuffer(handle: Handle): { value: Uint8Array; dispose(): void };
  dispose(): void;
}

export async function startQuickjs(program: string): Promise<Engine> {
  const { getQuickJS } = await load<Package>("quickjs-emscripten");
  const context = (await getQuickJS()).newContext();
  context.unwrapResult(context.evalCode(program)).dispose();
  const call = context.unwrapResult(
    context.evalCode("(buffer) => command(new Uint8Array(buffer)).slice().buffer"),
  );
  return {
    async command(octets) {
      const argument = context.newArrayBuffer(new Uint8Array(octets).buffer);
      const result = context.unwrapResult(context.callFunction(call, context.global, argument));
      const lifetime = context.getArrayBuffer(result);
      const answer = new Uint8Array(lifetime.value);
      for (const handle of [lifetime, result, argument]) handle.dispose();
      return answer;
    },
    async stop() {
      call.dispose();
      context.dispose();
    },
  };
}
