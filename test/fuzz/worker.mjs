/** Starts `loop.ts` with the hooks that count branches; hooks have to be there before the library is. */

import { register } from "node:module";
import { register as registerTypeScript } from "tsx/esm/api";

register("./instrument/hooks.mjs", import.meta.url);
registerTypeScript();
await import("./loop.ts");
