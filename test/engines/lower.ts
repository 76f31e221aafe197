/** From ES2020 to ES5, for engines that know no more. What syntax cannot say is added by `device/es5.ts`. */

import { load } from "./packages.ts";

interface Package {
  transformSync(source: string, options: object): { code: string };
}

export async function lower(program: string): Promise<string> {
  const { transformSync } = await load<Package>("@swc/core");
  return transformSync(program, {
    isModule: false,
    jsc: { parser: { syntax: "ecmascript" }, target: "es5", loose: true },
  }).code;
}
