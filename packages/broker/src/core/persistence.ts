// Persistent requests: the store keeps them until they have ended, so that a restarted broker finds them. Decides when to call
// the store. A persistent request is stored before any worker gets it.

import { type PeerId, peerId, readText, requestId, serviceName } from "@pigato/protocol";
import { type Instant, parseRequestOptions } from "@pigato/protocol/internal";
import { AT_STORE, type QueuedRequest, type RequestMessage } from "./queued-request.ts";
import type { CoreState } from "./state.ts";
import type { StoredRequest } from "./stored-request.ts";
import type { StoredEntry } from "./stored-request-table.ts";

/** A persistent request was accepted: it waits for the store, and counts as waiting on its route. */
export function storeAccepted(state: CoreState, request: QueuedRequest, now: Instant): true {
  request.route.waiting += 1;
  request.location = AT_STORE;
  // A store may keep the frames that it gets.
  state.pinned.copy(request);
  const key = state.storedRequests.add(request, now + state.options.maxStoredMs);
  state.effects.store(key, entryOf(request));
  return true;
}

/** A persistent request has ended. */
export function deleteStored(state: CoreState, request: QueuedRequest): void {
  const entry = state.storedRequests.of(request);
  if (entry === undefined) return;
  state.storedRequests.detach(entry);
  if (entry.state === "stored") deleteEntry(state, entry);
}

/** A request lost a worker: a restarted broker continues the count (P-LOST-3). Does not wait for the store. */
export function storeLoss(state: CoreState, request: QueuedRequest): void {
  const entry = state.storedRequests.of(request);
  // An entry that is being written is written again afterwards.
  if (entry?.state === "stored") updateEntry(state, entry, request);
}

/** The store settled an update. If it failed, the store still has the entry as it was. @returns whether there was one */
export function settleUpdate(state: CoreState, key: string): boolean {
  const entry = state.storedRequests.get(key);
  if (entry?.state !== "updating") return false;
  entry.state = "stored";
  const { request } = entry;
  if (request === undefined) deleteEntry(state, entry);
  else if (request.lostWorkers > entry.lostWorkers) updateEntry(state, entry, request);
  return true;
}

/** The store confirmed a request. @returns the request, if it is still open */
export function confirmStored(state: CoreState, key: string): QueuedRequest | undefined {
  const entry = storingUnder(state, key);
  if (entry === undefined) return undefined;
  entry.state = "stored";
  if (entry.request === undefined) deleteEntry(state, entry);
  return entry.request;
}

/** The store failed, or stored the request and failed to confirm it. @returns the request, if it is still open */
export function giveUpStoring(state: CoreState, key: string): QueuedRequest | undefined {
  const entry = storingUnder(state, key);
  if (entry === undefined) return undefined;
  const { request } = entry;
  state.storedRequests.detach(entry);
  deleteEntry(state, entry);
  return request;
}

/** The delete call settled, successfully or not. */
export function confirmDeleted(state: CoreState, key: string): void {
  const entry = state.storedRequests.get(key);
  if (entry?.state === "deleting") state.storedRequests.drop(entry);
}

/** The broker stops: the store keeps this request for the next start. @returns whether it is a persistent request */
export function leaveInStore(state: CoreState, request: QueuedRequest): boolean {
  const entry = state.storedRequests.of(request);
  if (entry === undefined) return false;
  state.storedRequests.drop(entry);
  return true;
}

/** Deletes a request that was in the store when the broker started and cannot be opened again. */
export function discardStored(state: CoreState, key: string): void {
  state.storedRequests.addDeleting(key);
  state.effects.delete(key);
}

/** A stored request as the message that it once was. */
export function messageOf(stored: StoredRequest): { readonly from: PeerId; readonly message: RequestMessage } {
  const { service, body, trailer, timeoutMs, retry, worker } = stored;
  const [written] = trailer;
  const options = {
    // The method and the codec.
    ...(written === undefined ? undefined : parseRequestOptions(readText(written))),
    timeoutMs: timeoutMs ?? Number.POSITIVE_INFINITY,
    retry,
    worker: worker === null ? undefined : peerId(worker),
    failFast: false,
    noCache: true,
    persist: true,
    notices: false,
    hasInput: false,
  };
  const ids = { service: serviceName(service), requestId: requestId(stored.requestId) };
  const hasHeaders = stored.headers === true;
  return { from: peerId(stored.client), message: { type: "request", ...ids, body, trailer, options, hasHeaders } };
}

function storingUnder(state: CoreState, key: string): StoredEntry | undefined {
  const entry = state.storedRequests.get(key);
  return entry?.state === "storing" ? entry : undefined;
}

function updateEntry(state: CoreState, entry: StoredEntry, request: QueuedRequest): void {
  entry.state = "updating";
  entry.lostWorkers = request.lostWorkers;
  state.effects.store(entry.key, entryOf(request));
}

function deleteEntry(state: CoreState, entry: StoredEntry): void {
  entry.state = "deleting";
  state.effects.delete(entry.key);
}

function entryOf(request: QueuedRequest): StoredRequest {
  const { client, id, name, body, trailer, options, hasCallOptions, hasHeaders, caller, limits, lostWorkers } = request;
  const hasDeadline = limits !== undefined && limits.deadlineMs !== Number.POSITIVE_INFINITY;
  const { timeoutMs, retry, worker, method, codec } = options;
  const hasMethods = hasCallOptions && (method !== undefined || codec !== undefined);
  return {
    version: 1,
    client: client.id,
    requestId: id,
    service: name,
    body,
    trailer,
    timeoutMs: timeoutMs === Number.POSITIVE_INFINITY ? null : timeoutMs,
    retry,
    worker: worker ?? null,
    ...(hasMethods && { methods: true }),
    ...(hasHeaders && { headers: true }),
    ...(caller !== undefined && { caller }),
    ...(hasDeadline && { deadlineMs: limits.deadlineMs }),
    ...(lostWorkers > 0 && { lostWorkers }),
  };
}
