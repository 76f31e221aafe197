/** The Encrypted payload: `ikelet/sk.js`. */
export { type Opened, openMessage } from "./sk/open.ts";
export { makeIv, sealMessage } from "./sk/seal.ts";
