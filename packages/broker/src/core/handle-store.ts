// Inputs of the store: the requests that it held when the broker started, and the results of its calls.

import type { Instant } from "@pigato/protocol/internal";
import { addRequest, placeAccepted, renumber } from "./accept-request.ts";
import { restoredClient } from "./clients.ts";
import { remove } from "./dispatch.ts";
import type { Input } from "./effects.ts";
import { describe, endUnsent, restartTimeout, sendFailure } from "./end-request.ts";
import { closeUnserved, expireRequest, failRequest } from "./fail-request.ts";
import { confirmDeleted, confirmStored, discardStored, giveUpStoring, messageOf, settleUpdate } from "./persistence.ts";
import { setLimits } from "./request-limits.ts";
import { placeOrFail } from "./requeue.ts";
import type { CoreState } from "./state.ts";

type StoreInput = Input & { readonly type: "restore" | "stored" | "store-failed" | "deleted" | "delete-failed" };

export function handleStore(state: CoreState, input: StoreInput, now: Instant): void {
  switch (input.type) {
    case "restore":
      return restore(state, input, now);
    case "stored":
      return onStored(state, input.key);
    case "store-failed":
      return onStoreFailed(state, input.key, input.reason);
    case "delete-failed":
      state.effects.report({ type: "store-failed", operation: "delete", key: input.key, reason: input.reason });
      return confirmDeleted(state, input.key);
    case "deleted":
      return confirmDeleted(state, input.key);
    default:
      input satisfies never;
  }
}

/**
 * Opens a request that the store held when the broker started. It may have run already. A request for one certain worker
 * fails, because there is none yet.
 */
function restore(
  state: CoreState,
  { key, request: stored, ageMs }: Input & { readonly type: "restore" },
  now: Instant,
): void {
  state.storedRequests.skip(key);
  const { from, message } = messageOf(stored);
  const client = restoredClient(state, from, now);
  // The client used the id again before the store had deleted the first request.
  if (client.requests.has(message.requestId)) return discardStored(state, key);
  const request = addRequest(state, client, state.services.route(message.service), message);
  request.lostWorkers = stored.lostWorkers ?? 0;
  request.dispatches = request.lostWorkers;
  request.hasCallOptions = stored.methods === true;
  request.hasHeaders = stored.headers === true;
  request.caller = stored.caller;
  const { deadlineMs } = stored;
  if (deadlineMs !== undefined) setLimits(state, request, deadlineMs, Number.POSITIVE_INFINITY, ageMs);
  state.storedRequests.adopt(key, request, now + state.options.maxStoredMs - ageMs);
  restartTimeout(state, request, now);
  request.mayHaveRun = true;
  state.effects.report({ type: "request-restored", client: client.id, service: request.name, requestId: request.id });
  if (ageMs >= state.options.maxStoredMs || ageMs >= (deadlineMs ?? Number.POSITIVE_INFINITY))
    return expireRequest(state, request);
  const { lostWorkers } = request;
  if (lostWorkers >= state.options.maxDispatches) {
    const why = `lost ${lostWorkers} workers before the broker restarted, the maximum (maxDispatches)`;
    return failRequest(state, request, "WORKER_LOST", why);
  }
  if (message.options.worker === undefined) return placeOrFail(state, request, undefined);
  failRequest(
    state,
    request,
    "UNAVAILABLE",
    "failed: the broker has restarted, and the worker that it names is unknown",
  );
}

/** The store has the request, so a worker may get it. */
function onStored(state: CoreState, key: string): void {
  if (settleUpdate(state, key)) return;
  const request = confirmStored(state, key);
  if (request === undefined) return;
  remove(state, request);
  // Behind all requests that arrived in the meantime, because finding its old place would take a search.
  renumber(state, request);
  state.effects.notifyStored(request);
  const { worker } = request.options;
  placeAccepted(state, request, worker === undefined ? undefined : state.workers.get(worker));
  closeUnserved(state);
}

/** The store does not have the request, so it was not accepted after all; or not the workers that it lost since. */
function onStoreFailed(state: CoreState, key: string, reason: string): void {
  state.effects.report({ type: "store-failed", operation: "store", key, reason });
  if (settleUpdate(state, key)) return;
  const request = giveUpStoring(state, key);
  if (request === undefined) return;
  const { client, id, name } = request;
  const why = "was refused: the broker could not store it";
  endUnsent(state, request, "UNAVAILABLE", why);
  const message = describe(id, name, why);
  sendFailure(state, client, name, id, { code: "UNAVAILABLE", message, delivery: "not-sent", detail: "store" });
}
