// Messages that are larger than their recipient accepts (P-SIZE-1, P-SIZE-2). Only the request concerned ends. A request that is
// too large for the chosen worker, or has a codec that it does not support, ends after the current input, when all tables are consistent.

import { type Instant, violation } from "@pigato/protocol/internal";
import { requireClient } from "./clients.ts";
import type { Input } from "./effects.ts";
import { describe, sendFailure } from "./end-request.ts";
import { failRequest } from "./fail-request.ts";
import { heldBy } from "./handle-worker.ts";
import { noteReceived } from "./heartbeat-lease.ts";
import type { CoreState } from "./state.ts";
import { onLateReply } from "./workers.ts";

type OversizedInput = Extract<Input, { readonly type: "oversized-request" | "oversized-reply" }>;

export function handleOversized(state: CoreState, input: OversizedInput, now: Instant): void {
  if (input.type === "oversized-reply") return onReply(state, input, now);
  const { from, message, dialect, detail } = input;
  const client = requireClient(state, from, dialect, now);
  if (client === undefined) return;
  if (client.dialect !== dialect) return state.effects.reportDrop(from, "other-dialect");
  noteReceived(client, now);
  const { requestId, service } = message;
  state.effects.report({ type: "violation", peer: from, role: "client", violation: violation("P-SIZE-2", detail) });
  // A failure under the id of an open request would end that one.
  if (client.requests.has(requestId)) return;
  state.counts.refusals.INVALID += 1;
  const text = describe(requestId, service, `is too large for the broker: ${detail}`);
  const failure = { code: "INVALID", message: text, delivery: "not-sent", detail: "P-SIZE-2" } as const;
  sendFailure(state, client, service, requestId, failure);
}

function onReply(
  state: CoreState,
  { from, message, detail }: OversizedInput & { readonly type: "oversized-reply" },
  now: Instant,
): void {
  const worker = state.workers.get(from);
  if (worker === undefined) return;
  const request = heldBy(state, worker, message);
  if (request === undefined) state.effects.reportDrop(from, "not-held", message.requestId);
  else {
    request.isReceived = true;
    failRequest(state, request, "INVALID", `got a reply that is too large for the broker: ${detail}`);
  }
  onLateReply(state, worker, message);
  noteReceived(worker, now);
}

/** Ends the requests that were given to a worker in this step and that it cannot get. */
export function failUnsendable(state: CoreState): void {
  for (let next = state.unsendable.pop(); next !== undefined; next = state.unsendable.pop()) {
    const { request, why, missing } = next;
    // It may have ended, or have lost this worker, in the same step.
    if (request.location.at === "worker" && request.isReceived === false) {
      failRequest(state, request, "INVALID", why, missing === undefined ? undefined : { missing, peer: "worker" });
    }
  }
}
