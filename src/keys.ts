/** Key derivation: `ikelet/keys.js`. */
export { authentication, keyPad } from "./keys/auth.ts";
export { childKeys } from "./keys/child-keys.ts";
export { type IkeKeys, ikeKeys, skeyseed } from "./keys/ike-keys.ts";
export { prfPlus } from "./keys/prf-plus.ts";
