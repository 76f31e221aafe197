/** Wire formats: `ikelet/wire.js`. Octets to values and back; it knows no keys and no states. */
export * from "./wire/ascii.ts";
export * from "./wire/authentication.ts";
export * from "./wire/block.ts";
export * from "./wire/configuration.ts";
export * from "./wire/delete.ts";
export * from "./wire/header.ts";
export * from "./wire/identification.ts";
export * from "./wire/key-exchange.ts";
export * from "./wire/message.ts";
export * from "./wire/nonce.ts";
export * from "./wire/notify.ts";
export * from "./wire/octets.ts";
export * from "./wire/payload.ts";
export * from "./wire/proposal.ts";
export * from "./wire/selectors.ts";
