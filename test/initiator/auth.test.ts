/** IKE_AUTH: the request, and the octets that AUTH covers (RFC 7815 section 2.1, RFC 7296 section 2.15). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fqdn, type Profile } from "ikelet";
import {
  Exchange,
  editBody,
  hex,
  insertBefore,
  type Options,
  type Payload,
  patch,
  readAuth,
  readSa,
  readTs,
  Type,
  unknownPayload,
  vendorId,
} from "../responder/index.ts";
import { connect, octets, only, PSK } from "./harness.ts";
import { bodyOf, idOf, KEY_PAD, mac, one, seen } from "./scenes.ts";

function authRequest(changes: Partial<Profile> = {}, options: Partial<Options> = {}) {
  const both = connect(changes, options);
  return { ...both, ...seen(both.gateway, Exchange.IKE_AUTH) };
}

test("the request: IDi, IDr, AUTH, SA, TSi, TSr in one SK, Message ID 1 [7815-2.1-f]", () => {
  const { device, gateway, payloads, messageId, flags, ...message } = authRequest();
  assert.deepEqual([message.protected, messageId, flags], [true, 1, 0x08]);
  const { IDi, IDr, AUTH, SA, TSi, TSr, SK } = Type;
  assert.deepEqual(
    payloads.map(({ type }) => type),
    [IDi, IDr, AUTH, SA, TSi, TSr],
  );
  assert.equal(message.datagram[16], SK);
  assert.equal(hex(bodyOf(payloads, IDi)), hex(idOf(device.profile.local)));
  assert.equal(hex(bodyOf(payloads, IDr)), hex(idOf(device.profile.remote!)));
  const { spiIn } = device.session.child!;
  const { spi, transforms, ...proposal } = one(readSa(bodyOf(payloads, SA)));
  assert.deepEqual(proposal, { number: 1, protocol: 3 });
  assert.equal(Buffer.from(spi).readUInt32BE(), spiIn);
  assert.deepEqual(transforms, [
    { type: 1, id: 28 },
    { type: 5, id: 0 },
  ]);
  const { local, remote } = device.profile.child;
  assert.deepEqual(readTs(bodyOf(payloads, TSi)), [{ type: 7, ...local }]);
  assert.deepEqual(readTs(bodyOf(payloads, TSr)), [{ type: 7, ...remote }]);
  assert.deepEqual(gateway.violations, []);
});

test("without a remote identity there is no IDr [7815-2.1-f]", () => {
  const { payloads } = authRequest({ remote: undefined as never });
  assert.deepEqual(
    payloads.map(({ type }) => type),
    [Type.IDi, Type.AUTH, Type.SA, Type.TSi, Type.TSr],
  );
});

test("AUTH of both sides from node:crypto alone [7296-2.15-a, 7815-2.1-g, 7296-2.15-e]", () => {
  const { gateway, payloads, device } = authRequest();
  const { messageI, messageR, nonceI, nonceR, keys } = gateway.sa;
  const pad = mac(PSK, KEY_PAD);
  const sent = readAuth(bodyOf(payloads, Type.AUTH)).data;
  assert.equal(hex(sent), hex(mac(pad, messageI, nonceR, mac(keys.skPi, idOf(fqdn("device.example"))))));
  const response = gateway.log.at(-1)!.payloads;
  const received = readAuth(bodyOf(response, Type.AUTH)).data;
  assert.equal(hex(received), hex(mac(pad, messageR, nonceI, mac(keys.skPr, idOf(fqdn("gw.example"))))));
  only(device.events, "established");
});

test("AUTH payload: method 2, three octets of zero [7815-A.8-b]", () => {
  const body = bodyOf(authRequest().payloads, Type.AUTH);
  assert.equal(hex(body.slice(0, 4)), "02000000");
  assert.equal(body.length, 4 + 32);
});

test("AUTH covers the response as it was on the wire, down to bits without a meaning [7296-2.15-b]", () => {
  const { device, gateway } = connect(
    {},
    {
      edit: {
        saInit: (payloads) =>
          insertBefore([...payloads, vendorId(octets(700))], Type.NONCE, unknownPayload(200)).map((p) => ({
            ...p,
            reserved: 0x55,
          })),
        // The version and reserved flags, and the minor version: all are ignored, all are signed.
        header: (header, { exchange: type }) =>
          type === Exchange.IKE_SA_INIT ? { ...header, flags: 0xf7, version: 0x2f } : header,
      },
    },
  );
  only(device.events, "established");
  assert.equal(gateway.sa.messageR[19], 0xf7);
  assert.equal(gateway.sa.messageR.length > 800, true);
});

test("AUTH covers the ID payload with its RESERVED octets as received [7296-2.15-c]", () => {
  const edit = { auth: (p: Payload[]) => editBody(p, Type.IDr, (body) => patch(body, 1, 1, 2, 3)) };
  const { device } = connect({}, { edit });
  assert.deepEqual(only(device.events, "established").remote, fqdn("gw.example"));
});

test("AUTH covers the version of the first request that was sent last [7296-2.15-d]", () => {
  const { device, gateway } = connect({}, { cookie: { rounds: 3 } });
  only(device.events, "established");
  assert.equal(gateway.sa.messageI.length, 124 + 8 + 32);
  assert.deepEqual(gateway.violations, []);
});

// INITIAL_CONTACT.

test("INITIAL_CONTACT is in the request of IKE_AUTH if configured, and nowhere else [7815-2.1-j]", () => {
  const isContact = ({ type, body }: Payload) => type === Type.NOTIFY && hex(body) === "00004000";
  for (const initialContact of [undefined, false, true]) {
    const { device, gateway, payloads } = authRequest({ initialContact: initialContact as boolean });
    only(device.events, "established");
    assert.equal(gateway.sa.initialContact, !!initialContact);
    assert.equal(payloads.filter(isContact).length, initialContact ? 1 : 0);
    const others = gateway.log.filter(({ exchange: type }) => type !== Exchange.IKE_AUTH);
    assert.equal(others.flatMap((m) => m.payloads).some(isContact), false);
    assert.deepEqual(gateway.violations, []);
  }
});
