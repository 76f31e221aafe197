// The face of the test responder: an IKEv2 gateway in memory, independent of ikelet.
//
//   const gateway = createResponder({ psk, edit: { authData: (data) => flip(data, 0) } });
//   const [response] = gateway.receive(request);   // IKE_SA_INIT
//   const [wrong] = gateway.receive(authRequest);  // IKE_AUTH with a bad AUTH
//   assert.deepEqual(gateway.violations, []);      // the device itself did nothing wrong
//
// The wrong reply first and the right one afterwards: gateway.fork({ edit }).receive(request), then gateway.receive(request).

export * from "./bytes.ts";
export * from "./checks.ts";
export * from "./ciphers.ts";
export * from "./cookies.ts";
export * from "./esp.ts";
export * from "./groups.ts";
export * from "./keys.ts";
export * from "./nat.ts";
export * from "./numbers.ts";
export * from "./payloads.ts";
export * from "./prfs.ts";
export * from "./proposals.ts";
export * from "./qcd.ts";
export * from "./random.ts";
export * from "./reserved.ts";
export * from "./responder.ts";
export * from "./selectors.ts";
export { unprotectedResponse } from "./send.ts";
export * from "./sk.ts";
export * from "./state.ts";
export * from "./suites.ts";
export * from "./tickets.ts";
export * from "./wire.ts";
