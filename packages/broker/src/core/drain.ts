// Draining: after the `drain` input the broker refuses new requests and workers, finishes open requests, and ends the rest at
// the limit. `state.phase` is the progress.

import type { Instant } from "@pigato/protocol/internal";
import { closeRequests, closeUnserved } from "./fail-request.ts";
import { releaseAllReplies } from "./held-replies.ts";
import { type CoreState, everyOpenRequest } from "./state.ts";
import { disconnectWorker } from "./workers.ts";

export function startDraining(state: CoreState, limitMs: number, now: Instant): void {
  if (state.phase.name !== "serving") return;
  const limit = state.timers.entry({ kind: "drain-limit" });
  state.phase = { name: "draining", limit };
  state.timers.set(limit, limitMs, now);
  releaseAllReplies(state);
  closeUnserved(state);
}

/** The limit has passed. */
export function closeRemaining(state: CoreState): void {
  closeRequests(state, everyOpenRequest(state));
}

/** Called after every input while draining. */
export function finishDraining(state: CoreState): void {
  const { phase } = state;
  if (phase.name !== "draining" || state.open.size > 0) return;
  state.phase = { name: "drained" };
  state.timers.clear(phase.limit);
  for (const worker of state.workers.values()) disconnectWorker(state, worker, "drained");
  state.effects.drained();
}
