/** All inputs of the corpus once more: what was found and mended stays mended. */

import { test } from "node:test";
import { readCorpus } from "./corpus.ts";
import { TARGETS } from "./targets/index.ts";

for (const { name, fuzz } of TARGETS)
  test(`the corpus of the fuzzer: ${name}`, () => {
    for (const input of readCorpus()[name]!) fuzz(input);
  });
