import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Event, net, type Profile } from "ikelet";
import { type Configuration, type ConfigurationRequest, configuration } from "ikelet/configuration.js";
import { connect, type Device, deliver, exchange, makeProfile, octets, only } from "./initiator/harness.ts";
import { halfWay, one, seen } from "./initiator/scenes.ts";
import {
  type Bytes,
  concat,
  Exchange,
  editBody,
  fromHex,
  hex,
  insertBefore,
  ipv4,
  type Options,
  type Payload,
  configuration as payload,
  type Responder,
  range,
  Type,
} from "./responder/index.ts";

const REPLY = 2;
const ADDRESS = ipv4("192.0.2.202");
const ADDRESS6 = fromHex("20010db8000000010002000300040005");
const ALL4 = net([0, 0, 0, 0], 0);

type Attribute = readonly [number, Bytes];

/** A device that asks, and a gateway that answers. */
function asking(
  request: ConfigurationRequest | undefined,
  options: Partial<Options> = {},
  child: Partial<Profile["child"]> = {},
): { device: Device; gateway: Responder } {
  const found = connect(
    {
      extensions: [configuration(request)],
      child: { ...makeProfile().child, local: ALL4, remote: ALL4, ...child },
    },
    options,
  );
  assert.deepEqual(found.gateway.violations, []);
  return found;
}

function answered(attributes: readonly Attribute[], cfgType: number = REPLY): readonly Event[] {
  return asking({}, { configuration: payload(cfgType, attributes) }).device.events;
}

function given(attributes: readonly Attribute[]): Configuration {
  return only(answered([[1, ADDRESS], ...attributes]), "configured").configuration;
}

test("the request stands in front of SA, and asks for an address and whatever else is wanted [7296-2.19-a, 7296-3.15-a]", () => {
  const requests: [ConfigurationRequest | undefined, string][] = [
    [undefined, "01000000 00010000"],
    [{}, "01000000 00010000"],
    [{ ipv6: true }, "01000000 00010000 00080000"],
    [{ ipv4: false, ipv6: true }, "01000000 00080000"],
    [{ dns: true }, "01000000 00010000 00030000"],
    [{ subnets: true }, "01000000 00010000 000d0000"],
    [{ ipv4: false, ipv6: true, dns: true, subnets: true }, "01000000 00080000 000a0000 000f0000"],
    [
      { ipv6: true, dns: true, subnets: true },
      "01000000 00010000 00080000 00030000 000a0000 000d0000 000f0000",
    ],
  ];
  for (const [request, expected] of requests) {
    const { gateway } = asking(request);
    const { payloads } = seen(gateway, Exchange.IKE_AUTH);
    assert.deepEqual(
      payloads.map(({ type }) => type),
      [Type.IDi, Type.IDr, Type.AUTH, Type.CP, Type.SA, Type.TSi, Type.TSr],
    );
    assert.deepEqual(payloads[3]!.body, fromHex(expected));
  }
});

test("in transport mode it stands in front of all that concerns the Child SA [7296-2.19-a]", () => {
  const local = net([10, 0, 0, 2], 32);
  const { gateway } = asking({}, {}, { mode: "transport", local, remote: net([192, 0, 2, 1], 32) });
  const { payloads } = seen(gateway, Exchange.IKE_AUTH);
  assert.deepEqual(payloads.map(({ type }) => type).slice(2, 6), [Type.AUTH, Type.CP, Type.NOTIFY, Type.SA]);
});

test("to ask for no address at all is a mistake of the caller [7296-2.19-a]", () => {
  for (const request of [{ ipv4: false }, { ipv4: false, dns: true }, { ipv4: false, ipv6: false }])
    assert.throws(() => configuration(request), {
      name: "IkeletError",
      code: "argument",
      message: "configuration: expected ipv4 or ipv6, got neither",
    });
});

test("the answer comes before the Child SA, whose selectors follow it [7296-2.19-a]", () => {
  const { device } = asking(
    { dns: true, subnets: true },
    {
      configuration: payload(REPLY, [
        [1, ADDRESS],
        [2, ipv4("255.255.255.0")],
        [13, fromHex("c0000200 ffffff00")],
      ]),
      child: { tsI: [range("192.0.2.202")], tsR: [range("192.0.2.0", "192.0.2.255")] },
    },
  );
  assert.deepEqual(
    device.events.map(({ type }) => type),
    ["configured", "established"],
  );
  assert.deepEqual(only(device.events, "configured").configuration, {
    addresses: [ADDRESS],
    netmask: ipv4("255.255.255.0"),
    dns: [],
    subnets: [net([192, 0, 2, 0], 24)],
  });
  const { child } = only(device.events, "established");
  assert.deepEqual(child.local, [net([192, 0, 2, 202], 32)]);
  assert.deepEqual(child.remote, [net([192, 0, 2, 0], 24)]);
});

test("an inner address of IPv6 (RFC 7296 section 3.15.3) [7296-3.15-a]", () => {
  const dns = fromHex("20010db8009900880077006600550044");
  const all = { type: 8, protocol: 0, startPort: 0, endPort: 65535 };
  const { device } = asking(
    { ipv4: false, ipv6: true, dns: true, subnets: true },
    {
      configuration: payload(REPLY, [
        [8, concat(ADDRESS6, Uint8Array.of(64))],
        [10, dns],
        [15, concat(fromHex("20010db8abcdffff0000000000000001"), Uint8Array.of(44))],
      ]),
      child: { tsI: [{ ...all, start: ADDRESS6, end: ADDRESS6 }] },
    },
    { local: net(new Uint8Array(16), 0), remote: net(new Uint8Array(16), 0) },
  );
  assert.deepEqual(only(device.events, "configured").configuration, {
    addresses: [ADDRESS6],
    dns: [dns],
    subnets: [
      {
        protocol: 0,
        startPort: 0,
        endPort: 65535,
        start: fromHex("20010db8abc000000000000000000000"),
        end: fromHex("20010db8abcfffffffffffffffffffff"),
      },
    ],
  });
  assert.deepEqual(only(device.events, "established").child.local, [net(ADDRESS6, 128)]);
});

test("every attribute is read by its own length, unknown ones are skipped, and the reserved bit does not count [7296-3.15-a]", () => {
  const prefix6 = (length: number) => concat(ADDRESS6, Uint8Array.of(length));
  assert.deepEqual(
    given([
      [0x7abc, octets(5)],
      [4, ipv4("10.0.0.9")],
      [3, ipv4("10.0.0.53")],
      [7, octets(12)],
      [0x8003, ipv4("10.0.0.54")],
      [0x8001, ipv4("192.0.2.203")],
      [8, prefix6(64)],
      [13, fromHex("0a630000 ffff0000")],
      [15, prefix6(128)],
      [14, octets(6)],
    ]),
    {
      addresses: [ADDRESS, ipv4("192.0.2.203"), ADDRESS6],
      dns: [ipv4("10.0.0.53"), ipv4("10.0.0.54")],
      subnets: [net([10, 99, 0, 0], 16), net(ADDRESS6, 128)],
    },
  );
  const lengths: [number, number[]][] = [
    [1, [0, 3, 5, 16]],
    [2, [0, 3, 5]],
    [3, [0, 3, 5, 16]],
    [8, [0, 4, 15, 16, 18]],
    [10, [0, 4, 15, 17]],
    [13, [0, 4, 7, 9]],
    [15, [0, 8, 16, 18]],
  ];
  for (const [type, wrong] of lengths)
    for (const length of wrong)
      assert.deepEqual(given([[type, new Uint8Array(length)]]), {
        addresses: [ADDRESS],
        dns: [],
        subnets: [],
      });
  assert.deepEqual(given([[15, prefix6(129)]]).subnets, []);
});

test("a netmask is a row of ones and then of zeros, and everything else is none [7296-3.15-a]", () => {
  for (let prefix = 0; prefix <= 32; prefix++) {
    const mask = Buffer.alloc(4);
    mask.writeUInt32BE(Number((0xffffffff00000000n >> BigInt(prefix)) & 0xffffffffn));
    const [subnet] = given([[13, concat(ipv4("10.99.171.205"), mask)]]).subnets;
    assert.deepEqual(subnet, net([10, 99, 171, 205], prefix), `/${prefix}`);
  }
  for (const mask of ["ff00ff00", "00ffffff", "00000001", "ffff0100", "feff0000", "fffffffd", "7fffffff"])
    assert.deepEqual(given([[13, concat(ipv4("10.99.0.0"), fromHex(mask))]]).subnets, [], mask);
});

test("a gateway that gives no address is told of by an event, be it silent or odd [7296-2.19-a]", () => {
  const silent = [
    asking({}).device.events,
    answered([]),
    answered([[1, new Uint8Array(0)]]),
    answered([[3, ipv4("10.0.0.53")]]),
    // CFG_REQUEST, CFG_SET, CFG_ACK and what nobody knows are no answers.
    ...[0, 1, 3, 4, 255].map((cfgType) => answered([[1, ADDRESS]], cfgType)),
  ];
  for (const events of silent) {
    assert.deepEqual(
      events.map(({ type }) => type),
      ["not-configured", "established"],
    );
  }
});

test("an attribute that is cut off makes the whole answer none [7296-3.15-a]", () => {
  const { body } = payload(REPLY, [
    [3, ADDRESS],
    [1, ADDRESS],
  ]);
  const auth = (cut: Bytes) => (payloads: Payload[]) =>
    insertBefore(payloads, Type.SA, { type: Type.CP, body: cut });
  only(asking({}, { edit: { auth: auth(body) } }).device.events, "configured");
  for (let length = 13; length < body.length; length++)
    only(asking({}, { edit: { auth: auth(body.slice(0, length)) } }).device.events, "not-configured");
});

test("two answers are none [7296-2.19-a]", () => {
  const cp = payload(REPLY, [[1, ADDRESS]]);
  const { device } = asking({}, { edit: { auth: (payloads) => insertBefore(payloads, Type.SA, cp, cp) } });
  only(device.events, "not-configured");
});

test("a gateway that has no address left refuses, and the session closes itself [7296-2.19-a]", () => {
  const { device } = asking({}, { child: { refuse: 36 } });
  assert.deepEqual(
    device.events.map(({ type }) => type),
    ["not-configured", "child-failed", "closed"],
  );
  assert.equal(only(device.events, "child-failed").notify, 36);
});

test("an answer that nobody has asked for is ignored [7296-2.19-a]", () => {
  const cp = payload(REPLY, [[1, ADDRESS]]);
  const { device, gateway } = connect(
    {},
    { edit: { auth: (payloads) => insertBefore(payloads, Type.SA, cp) } },
  );
  assert.deepEqual(
    device.events.map(({ type }) => type),
    ["established"],
  );
  const { payloads } = seen(gateway, Exchange.IKE_AUTH);
  assert.deepEqual(
    payloads.filter(({ type }) => type === Type.CP),
    [],
  );
});

test("what the gateway says before it has proved itself counts for nothing", () => {
  const { device, gateway, request } = halfWay(
    { extensions: [configuration()], child: { ...makeProfile().child, local: ALL4 } },
    { configuration: payload(REPLY, [[1, ADDRESS]]) },
  );
  const twin = gateway.fork({ edit: { authData: (data) => octets(data.length) } });
  exchange(device, gateway, deliver(device, one(twin.receive(request))).send);
  assert.deepEqual(
    device.events.map(({ type }) => type),
    ["closed"],
  );
  assert.equal(only(device.events, "closed").reason, "authentication");
});

test("requests of the gateway are answered as ever, whatever configuration is in them", () => {
  const { device, gateway } = asking({}, { configuration: payload(REPLY, [[1, ADDRESS]]) });
  const count = device.events.length;
  for (const cfgType of [1, 2, 3]) {
    const { send } = deliver(device, gateway.informational([payload(cfgType, [[1, ADDRESS]])]));
    gateway.receive(one(send));
  }
  assert.equal(gateway.answers.length, 3);
  for (const { payloads } of gateway.answers) assert.deepEqual(payloads, []);
  assert.equal(device.events.length, count);
});

test("the answer lies in memory of its own", () => {
  const { device, gateway, request } = halfWay(
    { extensions: [configuration()], child: { ...makeProfile().child, local: ALL4 } },
    {
      configuration: payload(REPLY, [
        [1, ADDRESS],
        [3, ADDRESS],
        [13, concat(ADDRESS, ADDRESS)],
      ]),
    },
  );
  const datagram = one(gateway.receive(request));
  const { events } = deliver(device, datagram);
  const before = structuredClone(only(events, "configured").configuration);
  datagram.fill(0xee);
  const { addresses, dns } = only(events, "configured").configuration;
  // Nor do they keep all that came with them from being forgotten.
  for (const { buffer } of [...addresses, ...dns]) assert.equal(buffer.byteLength, 4);
  assert.deepEqual(only(events, "configured").configuration, before);
});

/** The attributes, read once more by other hands; `undefined` where the lengths do not add up. */
function reference(body: Bytes): { addresses: string[]; dns: string[] } | undefined {
  const view = Buffer.from(body);
  const addresses: string[] = [];
  const dns: string[] = [];
  let at = 4;
  while (at < view.length) {
    if (view.length - at < 4) return undefined;
    const [type, length] = [view.readUInt16BE(at) % 0x8000, view.readUInt16BE(at + 2)];
    if (view.length - at - 4 < length) return undefined;
    const value = view.subarray(at + 4, at + 4 + length).toString("hex");
    if (type === 1 && length === 4) addresses.push(value);
    if (type === 8 && length === 17) addresses.push(value.slice(0, 32));
    if ((type === 3 && length === 4) || (type === 10 && length === 16)) dns.push(value);
    at += 4 + length;
  }
  return { addresses, dns };
}

test("any body is read without fault: attributes whole, or none at all [7296-3.15-a]", () => {
  const { device, gateway, request } = halfWay(
    { extensions: [configuration()], child: { ...makeProfile().child, local: ALL4 } },
    { configuration: payload(REPLY, []) },
  );
  const { session } = device;
  const attribute = fc
    .tuple(
      fc.oneof(fc.constantFrom(1, 2, 3, 8, 10, 13, 15), fc.nat(0xffff)),
      fc.oneof(fc.constantFrom(0, 4, 8, 16, 17), fc.nat(20)),
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
    )
    .map(([type, length, value]) =>
      concat(Uint8Array.of(type >> 8, type, 0, length), value.slice(0, length)),
    );
  const attributes = fc.array(attribute, { maxLength: 6 }).map((list) => concat(...list));
  const start = Uint8Array.of(REPLY, 0, 0, 0);
  const body = fc.oneof(
    attributes.map((list) => concat(start, list)),
    fc.tuple(attributes, fc.nat(60)).map(([list, length]) => concat(start, list).slice(0, length)),
    fc.uint8Array({ maxLength: 40 }).map((rest) => concat(start.slice(0, 1), rest)),
    fc.uint8Array({ maxLength: 40 }),
  );
  fc.assert(
    fc.property(body, (octets) => {
      const twin = gateway.fork({ edit: { auth: (payloads) => editBody(payloads, Type.CP, () => octets) } });
      device.session = session;
      const { events } = deliver(device, one(twin.receive(request)));
      const expected = octets[0] === REPLY ? reference(octets) : undefined;
      only(events, "established");
      if (!expected?.addresses.length) return void only(events, "not-configured");
      const { addresses, dns } = only(events, "configured").configuration;
      assert.deepEqual({ addresses: addresses.map(hex), dns: dns.map(hex) }, expected);
    }),
    { numRuns: 300 },
  );
});
