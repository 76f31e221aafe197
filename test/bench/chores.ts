/** What a device does beside cryptography: storing and loading, and taking datagrams apart that are not for it. */

import { type ChildSa, receive, type Session } from "ikelet";
import { type InboundSa, inboundSa, type OutboundSa, outboundSa } from "ikelet/esp.js";
import { resumption } from "ikelet/resumption.js";
import { loadSa, loadSession, loadTicket, saveSa, saveSession, saveTicket } from "ikelet/storage.js";
import { parseMessage } from "ikelet/wire.js";
import { connect, makeDevice, makeGateway, makeProfile, only } from "../initiator/harness.ts";

export interface Chore {
  readonly name: string;
  readonly work: () => void;
}

function storageChores(): Chore[] {
  const { device } = connect({ extensions: [resumption()] }, { tickets: {} });
  const session: Session = device.session;
  const { ticket } = only(device.events, "ticket");
  const child: ChildSa = only(device.events, "established").child;
  const outbound = outboundSa(child);
  const inbound = inboundSa(child);
  return [
    { name: "session, to octets and back", work: () => loadSession(saveSession(session)) },
    { name: "ticket, to octets and back", work: () => loadTicket(saveTicket(ticket)) },
    {
      name: "both SAs, to octets and back",
      work: () => {
        loadSa<OutboundSa>(saveSa(outbound, 1000));
        loadSa<InboundSa>(saveSa(inbound, 1000));
      },
    },
  ];
}

function parsingChores(): Chore[] {
  const profile = makeProfile();
  const device = makeDevice();
  const [response] = makeGateway().receive(device.step.send[0]!);
  const foreign = new Uint8Array(response!);
  foreign[0]! ^= 1;
  const cut = response!.subarray(0, -1);
  return [
    { name: "IKE_SA_INIT response into payloads", work: () => parseMessage(response!) },
    { name: "receive, a message of somebody else", work: () => receive(profile, device.session, foreign) },
    { name: "receive, a message that was cut off", work: () => receive(profile, device.session, cut) },
  ];
}

export const chores = (): Chore[] => [...storageChores(), ...parsingChores()];
