// Which parts of a reply a client gets (P-REP-5, D-MAP-4).

import type { Frame } from "@pigato/protocol";
import type { DropReason } from "./effects.ts";
import type { Client } from "./records.ts";

/** Why a client does not get a part of a reply. `null`: its stream would end with it, and it dies of what follows. */
export function refusalOfPartial(client: Client, body: readonly Frame[], isRaw: boolean): DropReason | undefined {
  const { takesPartials, endsOnNull } = client.traits;
  if (!takesPartials) return "no-partials";
  if (!endsOnNull || client.capabilities.error) return undefined;
  // A raw body becomes JSON on its way: an empty frame an empty text, several frames an array.
  const isEnd = isRaw ? body.length === 1 && body[0]?.length !== 0 && isNull(body[0]) : isNull(body[0]);
  return isEnd ? "null-partial" : undefined;
}

function isNull(frame: Frame | undefined): boolean {
  if (frame === undefined || frame.length === 0) return true;
  return frame.length === 4 && frame[0] === 0x6e && frame[1] === 0x75 && frame[2] === 0x6c && frame[3] === 0x6c;
}
