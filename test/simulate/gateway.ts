/**
 * A gateway for very many devices: it speaks the true messages, with tickets (RFC 5723) and tokens (RFC 6290), but
 * knows one suite and one kind of Child SA. Its formats and keys are those of the library, so it proves nothing about
 * them; `test/responder` does.
 */

import type { Identification } from "ikelet";
import { authentication, type IkeKeys, ikeKeys, skeyseed } from "ikelet/keys.js";
import { openMessage, sealMessage } from "ikelet/sk.js";
import {
  ascii,
  concat,
  emitAuthentication,
  emitIdentification,
  emitKeyExchange,
  emitMessage,
  emitNotify,
  emitProposal,
  emitTransform,
  equalOctets,
  FLAG_INITIATOR,
  FLAG_RESPONSE,
  findNotify,
  IKE_AUTH,
  IKE_SA_INIT,
  INFORMATIONAL,
  type Message,
  octets16,
  octets32,
  PAYLOAD_AUTH,
  PAYLOAD_IDI,
  PAYLOAD_IDR,
  PAYLOAD_KE,
  PAYLOAD_NONCE,
  PAYLOAD_NOTIFY,
  PAYLOAD_SA,
  PAYLOAD_SK,
  PAYLOAD_TSI,
  PAYLOAD_TSR,
  type Payload,
  PROTOCOL_ESP,
  PROTOCOL_IKE,
  parseAuthentication,
  parseKeyExchange,
  parseMessage,
  parseNotifies,
  solePayload,
  TRANSFORM_ENCRYPTION,
  TRANSFORM_ESN,
  TRANSFORM_KEY_EXCHANGE,
  TRANSFORM_PRF,
} from "ikelet/wire.js";
import type { Random } from "./random.ts";
import { SUITE } from "./stand-ins.ts";

const IKE_SESSION_RESUME = 38;
const INVALID_IKE_SPI = 4;
const TICKET_LT_OPAQUE = 16409;
const TICKET_REQUEST = 16410;
const TICKET_NACK = 16412;
const TICKET_OPAQUE = 16413;
const QCD_TOKEN = 16419;
const NONCE_LENGTH = 32;
const TICKET_LIFETIME = 86_400;
const SK_D_LENGTH = 32;

export interface Abilities {
  readonly tickets: boolean;
  readonly tokens: boolean;
}

export interface Gateway {
  abilities: Abilities;
  /** Diffie-Hellman operations so far. */
  readonly operations: number;
  receive(datagram: Uint8Array): Uint8Array | undefined;
  /** Loses all SAs. The keys of tickets and tokens are in flash. */
  crash(): void;
}

interface Sa {
  readonly spiI: Uint8Array;
  readonly spiR: Uint8Array;
  readonly keys: IkeKeys;
  readonly nonceI: Uint8Array;
  readonly nonceR: Uint8Array;
  readonly resumed: boolean;
  readonly request: Uint8Array;
  readonly response: Uint8Array;
  /** The last Message ID, and what was answered. */
  answered: number;
  reply: Uint8Array;
  ivCounter: number;
}

const nameOf = (spi: Uint8Array): string => String.fromCharCode(...spi);

export function makeGateway(
  identity: Identification,
  pskPad: Uint8Array,
  random: Random,
  abilities: Abilities,
): Gateway {
  const { cipher, prf, keyExchange } = SUITE;
  const ticketKey = random.octets(cipher.keyLength);
  const tokenKey = prf.keyed(random.octets(32));
  const idR = emitIdentification(identity);
  const encryption = emitTransform(TRANSFORM_ENCRYPTION, cipher.encryptionId);
  const ikeProposal = emitProposal(
    PROTOCOL_IKE,
    [],
    [
      encryption,
      emitTransform(TRANSFORM_PRF, prf.transformId),
      emitTransform(TRANSFORM_KEY_EXCHANGE, keyExchange.transformId),
    ],
  );
  let sas = new Map<string, Sa>();
  let operations = 0;

  function token({ spiI, spiR }: Pick<Sa, "spiI" | "spiR">): Payload {
    const body = concat([PROTOCOL_IKE, 0], octets16(QCD_TOKEN), tokenKey(spiI, spiR));
    return { type: PAYLOAD_NOTIFY, body };
  }

  /** SK_d and the identity, sealed. */
  function ticket({ keys }: Sa, idI: Uint8Array): Payload {
    const iv = random.octets(8);
    const sealed = cipher.seal(ticketKey, iv, new Uint8Array(), concat(keys.skD, idI));
    return emitNotify(TICKET_LT_OPAQUE, concat(octets32(TICKET_LIFETIME), iv, sealed));
  }

  function initial(datagram: Uint8Array, { spiI, exchange, payloads }: Message): Uint8Array | undefined {
    const name = nameOf(spiI);
    const known = sas.get(name);
    // A repetition; once the SA is up, the answer to IKE_AUTH has made it superfluous.
    if (known) return equalOctets(known.request, datagram) ? known.response : undefined;
    const nonceI = solePayload(payloads, PAYLOAD_NONCE)!;
    const nonceR = random.octets(NONCE_LENGTH);
    const answer: Payload[] = [{ type: PAYLOAD_NONCE, body: nonceR }];
    let seed: Uint8Array;
    if (exchange === IKE_SA_INIT) {
      const secret = random.octets(keyExchange.secretLength);
      const theirs = parseKeyExchange(solePayload(payloads, PAYLOAD_KE)!, keyExchange.transformId)!;
      const body = emitKeyExchange(keyExchange.transformId, keyExchange.publicValue(secret));
      answer.unshift({ type: PAYLOAD_SA, body: ikeProposal }, { type: PAYLOAD_KE, body });
      seed = skeyseed(prf, nonceI, nonceR, keyExchange.sharedSecret(secret, theirs)!);
      operations += 2;
    } else {
      const { data } = findNotify(parseNotifies(payloads)!, TICKET_OPAQUE)!;
      const state = cipher.open(ticketKey, data.subarray(0, 8), new Uint8Array(), data.subarray(8));
      if (!abilities.tickets || !state)
        return emitMessage({ spiI, spiR: new Uint8Array(8) }, exchange, FLAG_RESPONSE, 0, [
          emitNotify(TICKET_NACK),
        ]);
      seed = prf.keyed(state.subarray(0, SK_D_LENGTH))(ascii("Resumption"), nonceI, nonceR);
    }
    const spis = { spiI: concat(spiI), spiR: random.octets(8) };
    const response = emitMessage(spis, exchange, FLAG_RESPONSE, 0, answer);
    sas.set(name, {
      ...spis,
      keys: ikeKeys(SUITE, seed, concat(nonceI, nonceR), concat(spis.spiI, spis.spiR)),
      nonceI: concat(nonceI),
      nonceR,
      resumed: exchange === IKE_SESSION_RESUME,
      request: datagram,
      response,
      answered: 0,
      reply: response,
      ivCounter: 0,
    });
    return response;
  }

  function authenticate(sa: Sa, payloads: readonly Payload[]): Payload[] {
    const { keys, nonceI, nonceR, request, response } = sa;
    const idI = solePayload(payloads, PAYLOAD_IDI)!;
    const key = (skP: Uint8Array): Uint8Array => (sa.resumed ? skP : pskPad);
    const wanted = authentication(prf, key(keys.skPi), request, nonceR, keys.skPi, idI);
    if (!equalOctets(parseAuthentication(solePayload(payloads, PAYLOAD_AUTH)!)!, wanted))
      throw new Error("a device has signed other octets");
    const auth = authentication(prf, key(keys.skPr), response, nonceI, keys.skPr, idR);
    const asked = findNotify(parseNotifies(payloads)!, TICKET_REQUEST);
    const esp = emitProposal(PROTOCOL_ESP, random.octets(4), [encryption, emitTransform(TRANSFORM_ESN, 0)]);
    return [
      { type: PAYLOAD_IDR, body: idR },
      { type: PAYLOAD_AUTH, body: emitAuthentication(auth) },
      ...(abilities.tokens ? [token(sa)] : []),
      { type: PAYLOAD_SA, body: esp },
      { type: PAYLOAD_TSI, body: solePayload(payloads, PAYLOAD_TSI)! },
      { type: PAYLOAD_TSR, body: solePayload(payloads, PAYLOAD_TSR)! },
      ...(abilities.tickets && asked ? [ticket(sa, idI)] : []),
    ];
  }

  function protectedRequest(datagram: Uint8Array, message: Message): Uint8Array | undefined {
    const { spiI, spiR, exchange, messageId, payloads } = message;
    const sa = sas.get(nameOf(spiI));
    if (!sa || !equalOctets(sa.spiR, spiR))
      return abilities.tokens
        ? emitMessage(message, exchange, FLAG_RESPONSE, messageId, [
            emitNotify(INVALID_IKE_SPI),
            token(message),
          ])
        : undefined;
    if (messageId === sa.answered) return sa.reply;
    const sk = payloads[payloads.length - 1]!;
    const opened = sk.type === PAYLOAD_SK && openMessage(cipher, sa.keys.skI, datagram, sk);
    if (!opened || opened.payloads === undefined) throw new Error("a device has sent what cannot be opened");
    const answer = exchange === IKE_AUTH ? authenticate(sa, opened.payloads) : [];
    sa.answered = messageId;
    sa.reply = sealMessage(
      cipher,
      sa.keys.skR,
      sa.ivCounter++,
      sa,
      exchange,
      FLAG_RESPONSE,
      messageId,
      answer,
    );
    return sa.reply;
  }

  return {
    abilities,
    get operations() {
      return operations;
    },
    receive(datagram) {
      const message = parseMessage(datagram);
      if (!message || message.flags !== FLAG_INITIATOR) throw new Error("a device has sent no request");
      const { exchange } = message;
      return exchange === IKE_AUTH || exchange === INFORMATIONAL
        ? protectedRequest(datagram, message)
        : initial(datagram, message);
    },
    crash() {
      sas = new Map();
    },
  };
}
