// The tests say `node:test`; inside of one process, where a mutant takes milliseconds, mocha runs them.

import { register } from "node:module";

register(
  `data:text/javascript,${encodeURIComponent(`
    const shim = "data:text/javascript," + encodeURIComponent(\`
      const { after, before, describe, it } = globalThis;
      export { after, before, describe };
      export const test = (name, run) => it(name, () => run({ diagnostic() {} }));
    \`);
    export const resolve = (specifier, context, next) =>
      specifier === "node:test" ? { url: shim, shortCircuit: true } : next(specifier, context);
  `)}`,
);
