// An IKEv2 gateway in memory: datagrams in, datagrams out. No socket, no timer, and not one line of ikelet.

import type { Bytes } from "./bytes.ts";
import { isInitial } from "./checks.ts";
import { initialExchange } from "./initial.ts";
import { Exchange, Flag, Protocol } from "./numbers.ts";
import {
  createChildPayloads,
  deleteChildPayloads,
  ownRequest,
  type RequestChange,
  rekeyChildPayloads,
  rekeyIkePayloads,
} from "./own-requests.ts";
import { deletePayload } from "./payloads.ts";
import { protectedMessage } from "./protected.ts";
import { type Random, systemRandom } from "./random.ts";
import { unprotectedResponse } from "./send.ts";
import type { Answer, CookieState, Gateway, Options, Sa, Seen } from "./state.ts";
import { Malformed, type Payload, readHeader } from "./wire.ts";

export class Responder implements Gateway {
  /** May be changed at any time. */
  options: Options;
  sas: Sa[] = [];
  cookies: Record<string, CookieState> = {};
  log: Seen[] = [];
  answers: Answer[] = [];
  violations: string[] = [];
  ignored: string[] = [];
  now = 0;
  ticketStore: Record<string, Bytes> = {};
  spentTickets: Record<string, true> = {};
  revoked: Record<string, true> = {};

  constructor(options: Options) {
    this.options = options;
  }

  get random(): Random {
    return this.options.random ?? systemRandom;
  }

  /** The latest SA. */
  get sa(): Sa {
    const sa = this.sas[this.sas.length - 1];
    if (!sa) throw new Error("the gateway has no SA");
    return sa;
  }

  /** Whatever comes in, this returns: the replies, often one, sometimes none. */
  receive(datagram: Bytes): Bytes[] {
    try {
      const header = readHeader(datagram);
      if (header.version >> 4 !== 2) throw new Malformed(`version 0x${header.version.toString(16)}`);
      if (!isInitial(header.exchange)) return protectedMessage(this, header, datagram);
      if (header.flags & Flag.RESPONSE) throw new Malformed("a response to nothing");
      return initialExchange(this, header, datagram);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.violations.push(`malformed: ${error.message}`);
      return [];
    }
  }

  /**
   * A twin with the same state that goes its own way, with other options if wanted. It makes the wrong reply
   * to a request whose right reply the gateway itself will give afterwards.
   */
  fork(changes: Partial<Options> = {}): Responder {
    const twin = new Responder({ ...this.options, ...changes });
    const { options: _, ...state } = this;
    Object.assign(twin, structuredClone(state));
    return twin;
  }

  /** Loses its memory, as after a reboot. Tickets by value stay good, tickets by reference do not. */
  crash(): void {
    this.sas = [];
    this.cookies = {};
    this.ticketStore = {};
  }

  /** An unprotected response to this request of the device: a forgery, or an honest error. */
  unprotected(request: Bytes, ...payloads: Payload[]): Bytes {
    return unprotectedResponse(request, payloads);
  }

  // Requests of the gateway. Each takes the next Message ID and returns the datagram.

  request(exchange: number, payloads: Payload[], change?: RequestChange, sa: Sa = this.sa): Bytes {
    return ownRequest(this, sa, exchange, payloads, change);
  }

  informational(payloads: Payload[], change?: RequestChange): Bytes {
    return this.request(Exchange.INFORMATIONAL, payloads, change);
  }

  liveness(change?: RequestChange): Bytes {
    return this.informational([], change);
  }

  deleteIke(change?: RequestChange): Bytes {
    return this.informational([deletePayload(Protocol.IKE)], change);
  }

  deleteChild(spis?: readonly Bytes[]): Bytes {
    return this.informational(deleteChildPayloads(this.sa, spis));
  }

  rekeyIke(): Bytes {
    return this.request(Exchange.CREATE_CHILD_SA, rekeyIkePayloads(this, this.sa));
  }

  rekeyChild(spi?: Bytes): Bytes {
    return this.request(Exchange.CREATE_CHILD_SA, rekeyChildPayloads(this, this.sa, spi));
  }

  createChild(): Bytes {
    return this.request(Exchange.CREATE_CHILD_SA, createChildPayloads(this, this.sa));
  }
}

export function createResponder(options: Options): Responder {
  return new Responder(options);
}
