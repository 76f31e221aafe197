// The tests say `node:test`; inside of one process, where a mutant takes milliseconds, mocha runs them. Stryker chooses
// tests by one regular expression of all their names, so they are numbers here: that saves a third of a second a mutant.

import { register } from "node:module";

register(
  `data:text/javascript,${encodeURIComponent(`
    const shim = "data:text/javascript," + encodeURIComponent(\`
      const mocha = globalThis;
      let number = 0;
      export const { after, before } = mocha;
      export const describe = (_, run) => mocha.describe(\\\`\\\${number++}\\\`, run);
      export const test = (_, run) => mocha.it(\\\`\\\${number++}\\\`, () => run({ diagnostic() {} }));
    \`);
    export const resolve = (specifier, context, next) =>
      specifier === "node:test" ? { url: shim, shortCircuit: true } : next(specifier, context);
  `)}`,
);
