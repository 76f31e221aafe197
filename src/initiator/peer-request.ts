import type { CloseReason, Event, Step } from "../event.ts";
import type { Profile } from "../profile.ts";
import type { Session } from "../session.ts";
import { emitDelete, parseDeletes } from "../wire/delete.ts";
import { CREATE_CHILD_SA, INFORMATIONAL } from "../wire/header.ts";
import {
  emitNotify,
  INVALID_SYNTAX,
  NO_ADDITIONAL_SAS,
  parseNotifies,
  UNSUPPORTED_CRITICAL_PAYLOAD,
} from "../wire/notify.ts";
import { concat } from "../wire/octets.ts";
import { PAYLOAD_TSI, type Payload } from "../wire/payload.ts";
import { PROTOCOL_IKE } from "../wire/proposal.ts";
import { read } from "./extensions.ts";
import { respond } from "./protect.ts";
import { end, ignore, notified } from "./step.ts";

/**
 * A new request of the gateway with good integrity (RFC 7815 section 2.2), from `datagram`.
 *
 * @param payloads what is inside, or `undefined` if that could not be parsed
 */
export function receivePeerRequest(
  profile: Profile,
  session: Session,
  datagram: Uint8Array,
  exchange: number,
  payloads: readonly Payload[] | undefined,
): Step {
  if (exchange !== INFORMATIONAL && exchange !== CREATE_CHILD_SA) return ignore(session, "unexpected");
  const answer = (events: readonly Event[], ...reply: Payload[]): Step =>
    respond(profile, session, exchange, reply, events);
  /** The last answer stays at hand for a gateway that has not got it, and so does the way to it; the keys go. */
  const answerAndEnd = (reason: CloseReason, ...reply: Payload[]): Step => {
    const { send } = answer([], ...reply);
    const last = end(session, reason);
    const extensions = { ...session.extensions };
    for (const { name, secret } of profile.extensions ?? []) if (secret) delete extensions[name];
    return {
      ...last,
      send,
      session: {
        ...last.session,
        response: send[0],
        lastPeerRequest: concat(datagram),
        ...(session.extensions && { extensions }),
      },
    };
  };

  const notifies = payloads && parseNotifies(payloads);
  const deletes = payloads && parseDeletes(payloads);
  // Fatal by RFC 7296 section 2.21.3: the gateway forgets the IKE SA as well.
  if (!notifies || !deletes) return answerAndEnd("malformed", emitNotify(INVALID_SYNTAX));
  // The whole request is refused, and nothing else in it counts (RFC 7296 section 2.5).
  const critical = payloads.find((payload) => payload.critical);
  if (critical) return answer([], emitNotify(UNSUPPORTED_CRITICAL_PAYLOAD, [critical.type]));
  if (exchange === CREATE_CHILD_SA) {
    const sa = payloads.some(({ type }) => type === PAYLOAD_TSI) ? "child" : "ike";
    return answer([{ type: "rekey-refused", sa }], emitNotify(NO_ADDITIONAL_SAS));
  }
  if (deletes.some(({ protocol }) => protocol === PROTOCOL_IKE)) return answerAndEnd("deleted");
  const { session: next, events } = read(profile, exchange, session, payloads, false, notified(notifies));
  session = next;
  const { child } = session;
  // A Delete names the SPI of packets to its sender, so of ours outbound (RFC 7296 section 1.4.1).
  if (child && deletes.some(({ spis }) => spis.indexOf(child.spiOut) >= 0)) {
    session = { ...session, child: undefined };
    return answer([...events, { type: "child-deleted", ...child }], emitDelete(child.spiIn));
  }
  return answer(events);
}
