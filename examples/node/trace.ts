/** An observer beside the driver: one line for every message that goes by, protected ones opened. */

import type { Profile, Session, SessionKeys } from "ikelet";
import { notifyName, spiText } from "ikelet/explain.js";
import { openMessage } from "ikelet/sk.js";
import {
  FLAG_RESPONSE,
  type Message,
  PAYLOAD_DELETE,
  PAYLOAD_NOTIFY,
  PAYLOAD_SK,
  type Payload,
  PROTOCOL_IKE,
  parseDeletes,
  parseMessage,
  parseNotifies,
} from "ikelet/wire.js";

const EXCHANGES: Record<number, string> = {
  34: "IKE_SA_INIT",
  35: "IKE_AUTH",
  36: "CREATE_CHILD_SA",
  37: "INFORMATIONAL",
  38: "IKE_SESSION_RESUME",
};

const PAYLOADS: Record<number, string> = {
  33: "SA",
  34: "KE",
  35: "IDi",
  36: "IDr",
  37: "CERT",
  38: "CERTREQ",
  39: "AUTH",
  40: "Nonce",
  43: "V",
  44: "TSi",
  45: "TSr",
  47: "CP",
  48: "EAP",
  53: "SKF",
};

export interface Trace {
  /** For the driver. */
  readonly onDatagram: (direction: "out" | "in", datagram: Uint8Array, session: Session) => void;
  /** Requests of ours, repetitions not counted. */
  readonly requests: () => number;
}

/** @param write gets one line for every message */
export function createTrace(profile: Profile, write: (line: string) => void): Trace {
  const start = performance.now();
  /** The end of a session takes its keys away, and its last message is still to be shown. */
  let keys: SessionKeys | undefined;
  let lastRequest: Uint8Array = new Uint8Array(0);
  let requests = 0;

  return {
    requests: () => requests,
    onDatagram(direction, datagram, session) {
      keys = session.keys ?? keys;
      const arrow = direction === "out" ? "→" : "←";
      const ms = (performance.now() - start).toFixed(1).padStart(8);
      const message = parseMessage(datagram);
      if (!message) return write(`${ms}  ${arrow} ${datagram.length} octets, not IKEv2`);

      const isRequest = !(message.flags & FLAG_RESPONSE);
      const again = direction === "out" && isRequest && Buffer.compare(datagram, lastRequest) === 0;
      if (direction === "out" && isRequest && !again) {
        requests++;
        lastRequest = datagram;
      }
      const key = direction === "out" ? keys?.skI : keys?.skR;
      const columns = [
        ms,
        ` ${arrow}`,
        (EXCHANGES[message.exchange] ?? `exchange ${message.exchange}`).padEnd(15),
        `${isRequest ? "request " : "response"} ${message.messageId}`,
        `${datagram.length}`.padStart(5),
        ` ${describe(profile, datagram, message, key)}${again ? "  (again)" : ""}`,
      ];
      write(columns.join(" "));
    },
  };
}

/** The payloads in the manner of the RFCs: `SA, KE, Nonce` or `SK {IDr, AUTH}`. */
function describe(
  { suite }: Profile,
  datagram: Uint8Array,
  { payloads }: Message,
  key: Uint8Array | undefined,
): string {
  const names = payloads.map((payload) => {
    if (payload.type !== PAYLOAD_SK) return payloadName(payload);
    const opened = key && openMessage(suite.cipher, key, datagram, payload);
    if (!opened) return "SK {not ours}";
    return opened.payloads ? `SK {${opened.payloads.map(payloadName).join(", ")}}` : "SK {malformed}";
  });
  return names.join(", ");
}

function payloadName(payload: Payload): string {
  const { type } = payload;
  if (type === PAYLOAD_NOTIFY)
    return `N(${parseNotifies([payload])?.map((notify) => notifyName(notify.type)) ?? "malformed"})`;
  if (type === PAYLOAD_DELETE) {
    const deletion = parseDeletes([payload])?.[0];
    if (!deletion) return "D(malformed)";
    return deletion.protocol === PROTOCOL_IKE
      ? "D(IKE SA)"
      : `D(ESP ${deletion.spis.map(spiText).join(" ")})`;
  }
  return PAYLOADS[type] ?? `payload ${type}`;
}
