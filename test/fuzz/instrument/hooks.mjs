/** Module hooks: counts which branches of the library are taken. */

import { createInstrumenter } from "istanbul-lib-instrument";

const LIBRARY = new URL("../../../dist/", import.meta.url).href;
const instrumenter = createInstrumenter({ esModules: true, coverageVariable: "__branches__" });

export async function load(url, context, next) {
  const loaded = await next(url, context);
  if (!url.startsWith(LIBRARY) || !loaded.source) return loaded;
  return { ...loaded, source: instrumenter.instrumentSync(String(loaded.source), url.slice(LIBRARY.length)) };
}
