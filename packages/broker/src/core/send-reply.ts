// Sends the messages of a reply to a client, in order. Decides which partials a client gets (P-REP-5, D-MAP-4), and marks
// the later messages of a reply, so that none of them reaches the client after its connection has refused an earlier one.

import type { Frame } from "@pigato/protocol";
import type { DropReason } from "./effects.ts";
import type { ReplyMessage } from "./held-reply-table.ts";
import type { ClientRecord } from "./queued-request.ts";
import type { CoreState } from "./state.ts";

/** All messages of one reply, or all that were held of it. */
export function sendMessages(state: CoreState, client: ClientRecord, messages: readonly ReplyMessage[]): void {
  let isContinuation = false;
  for (const message of messages) {
    const reason = message.type === "partial" ? dropReasonOf(client, message.body, message.isRaw ?? false) : undefined;
    if (reason !== undefined) {
      state.effects.reportDrop(client.id, reason, message.requestId);
      continue;
    }
    // A failure replaces the rest of a reply: the client gets it even after a gap.
    state.effects.toClient(client, message, isContinuation && message.type !== "failure");
    isContinuation = true;
  }
}

/** Why a client does not get a partial. A `null` would end the stream of an old client, which then fails on what follows. */
export function dropReasonOf(client: ClientRecord, body: readonly Frame[], isRaw: boolean): DropReason | undefined {
  const { takesPartials, endsOnNull } = client.traits;
  if (!takesPartials) return "no-partials";
  if (!endsOnNull || client.capabilities.error) return undefined;
  // A raw body becomes JSON on its way: an empty frame becomes an empty text, several frames become an array.
  const isEnd = isRaw ? body.length === 1 && body[0]?.length !== 0 && isNull(body[0]) : isNull(body[0]);
  return isEnd ? "null-partial" : undefined;
}

function isNull(frame: Frame | undefined): boolean {
  if (frame === undefined || frame.length === 0) return true;
  return frame.length === 4 && frame[0] === 0x6e && frame[1] === 0x75 && frame[2] === 0x6c && frame[3] === 0x6c;
}
