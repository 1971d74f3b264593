// Which parts of a reply a client gets (P-REP-5).

import type { Frame } from "@pigato/protocol";
import type { Client } from "./records.ts";

/** The original's client takes a `null` part for the end of its stream, and dies of what follows. */
export function takesPartial(client: Client, body: readonly Frame[]): boolean {
  return !client.dialect.traits.endsOnNull || client.capabilities.error || !isNull(body[0]);
}

function isNull(frame: Frame | undefined): boolean {
  if (frame === undefined || frame.length === 0) return true;
  return frame.length === 4 && frame[0] === 0x6e && frame[1] === 0x75 && frame[2] === 0x6c && frame[3] === 0x6c;
}
