// Messages of workers: READY first, then heartbeats, and replies to requests that they hold.

import {
  type Frame,
  type FromWorker,
  NO_CAPABILITIES,
  type PeerId,
  type RequestId,
  type ServiceName,
  type ToClient,
  type ToWorker,
} from "@pigato/protocol";
import { excessFor, excessOf, type Instant, sharedCapabilities } from "@pigato/protocol/internal";
import { partialOf } from "./cache-replies.ts";
import { noteDirectoryChange } from "./directory.ts";
import { disconnectWith, isCoreName, MAX_SERVICES, type Refusal, refusalReason } from "./disconnect-reason.ts";
import { heldUnder } from "./dispatch.ts";
import type { DialectId, Input } from "./effects.ts";
import { endRequest, restartTimeout } from "./end-request.ts";
import { failRequest } from "./fail-request.ts";
import { noteReceived } from "./heartbeat-lease.ts";
import { completeReply, holdPartial, mustHold } from "./held-replies.ts";
import { onFinal, onPartial } from "./hooks.ts";
import { isMmi } from "./mmi.ts";
import { ADDRESS_MARK } from "./open-requests.ts";
import type { FinalMessage, PartialMessage, PartialsMessage, QueuedRequest, WorkerRecord } from "./queued-request.ts";
import { onInputGrant } from "./request-input.ts";
import { onRejected } from "./requeue.ts";
import { dropReasonOf } from "./send-reply.ts";
import type { CoreState } from "./state.ts";
import {
  disconnectWorker,
  loseWorker,
  offerService,
  onCongestionEnded,
  onLateReply,
  onWorkerHeartbeat,
  onWorkerReceived,
  registerWorker,
} from "./workers.ts";

/** The maximum number of requests of a worker for a lookup without the broker's address token, which scans all of them. */
const MAX_LOOKUP = 1_000;

/** What a registered worker sends about one request. */
type ReplyMessage = Exclude<FromWorker, { readonly type: "ready" | "heartbeat" | "disconnect" }>;

export function handleWorker(state: CoreState, input: Input & { readonly type: "from-worker" }, now: Instant): void {
  const { from, message, dialect } = input;
  const worker = state.workers.get(from);
  if (worker === undefined) return onUnregistered(state, input, now);
  if (worker.dialect !== dialect) return state.effects.reportDrop(from, "other-dialect");
  switch (message.type) {
    case "ready":
      if (worker.capabilities.services) return onFurtherReady(state, worker, message.service, now);
      // P-READY-3, D-MDP-8.
      if (worker.traits.dropsInvalid) return disconnectWorker(state, worker, "violation");
      return state.effects.reportDrop(from, "already-registered");
    case "heartbeat":
      onWorkerHeartbeat(state, worker, message.concurrency, now);
      if (message.update && isCoreService(worker)) noteDirectoryChange(state);
      return state.effects.toWorker(worker, heartbeatFor(worker, message.concurrency));
    case "disconnect":
      return loseWorker(state, worker, "left");
    default:
      // Noted only afterwards: the message cannot be about a request that the worker gets because of it.
      onReply(state, worker, message, now);
      noteReceived(worker, now);
      if (worker.state === "congested") onCongestionEnded(state, worker);
  }
}

/** P-HB-9. */
function heartbeatFor({ capabilities }: WorkerRecord, concurrency: number | undefined): ToWorker {
  return capabilities.drain && concurrency === 0 ? { type: "heartbeat", isDrained: true } : { type: "heartbeat" };
}

function onReply(state: CoreState, worker: WorkerRecord, message: ReplyMessage, now: Instant): void {
  const { requestId } = message;
  const request = heldBy(state, worker, message);
  if (request === undefined) {
    state.effects.reportDrop(worker.id, "not-held", requestId);
    return onLateReply(state, worker, message);
  }
  // A reply proves receipt, even if the connection reported the send as failed.
  request.isReceived = true;
  switch (message.type) {
    case "partial":
      if (failIfTooLarge(state, request, message, message.trailer[0])) return;
      onPartialReply(state, request, message, now, false);
      return;
    case "partials":
      return onPartialsReply(state, request, message, now);
    case "final":
      onFinalReply(state, request, message, now);
      // A sequential worker is free again even if its reply was too large for the client.
      if (worker.abandoned !== undefined) onLateReply(state, worker, message);
      return;
    case "reject":
      return onRejected(state, request, worker);
    case "request-heartbeat":
      return onRequestHeartbeat(state, request);
    case "credit":
      return onInputGrant(state, request, worker, message, now);
    case "input":
    case "input-end":
      return state.effects.reportDrop(worker.id, "unsupported", requestId);
    default:
      message satisfies never;
  }
}

/** The request that a message of a worker is about; `undefined` if the worker does not hold it (any more). */
export function heldBy(
  state: CoreState,
  worker: WorkerRecord,
  { address, requestId }: Pick<ReplyMessage, "address" | "requestId">,
): QueuedRequest | undefined {
  return address.startsWith(ADDRESS_MARK) ? heldUnder(state, address, worker) : heldByIdAlone(worker, requestId);
}

/** P-SIZE-1. @returns whether the client does not accept this part of a reply, which then ends the request */
function failIfTooLarge(
  state: CoreState,
  request: QueuedRequest,
  part: Pick<PartialMessage | FinalMessage, "body" | "isRaw" | "isText">,
  options: Frame | undefined,
): boolean {
  const excess = excessFor(state.options, request.client, part, options);
  if (excess === undefined) return false;
  failRequest(state, request, "INVALID", `got a reply that is too large for its client: ${excess}`);
  return true;
}

function onFinalReply(state: CoreState, request: QueuedRequest, message: FinalMessage, now: Instant): void {
  if (failIfTooLarge(state, request, message, message.trailer[0])) return;
  onFinal(state, request, message, now);
  // A persistent request ends once its client has the reply.
  if (request.options.persist) return completeReply(state, request, replyTo(request, message), undefined);
  state.effects.toClient(request.client, replyTo(request, message));
  endRequest(state, request, message.status === 0 ? "answered" : "WORKER_FAILED");
}

/**
 * @param isContinuation whether this input has already sent a part of the same reply
 * @returns whether the client was sent the partial
 */
function onPartialReply(
  state: CoreState,
  request: QueuedRequest,
  message: PartialMessage,
  now: Instant,
  isContinuation: boolean,
): boolean {
  const { client } = request;
  restartTimeout(state, request, now);
  // P-KEEP-3: which partials the client takes is known when it is back.
  const isHeld = request.options.persist && mustHold(state, request);
  const reason = isHeld ? undefined : dropReasonOf(client, message.body, message.isRaw ?? false);
  onPartial(state, request, message, reason === undefined);
  if (reason !== undefined) {
    // The client does not know that the chunk was sent, so it will never grant another for it.
    if (request.isPaced) state.effects.grant(request, 1);
    state.effects.reportDrop(client.id, reason, request.id);
    return false;
  }
  request.hasPartial = true;
  if (isHeld) holdPartial(state, request, replyTo(request, message));
  else state.effects.toClient(client, replyTo(request, message), isContinuation);
  return !isHeld;
}

/** P-REP-9, P-SIZE-1: one message for each chunk to a client that did not negotiate them, or that does not accept them all at once. */
function onPartialsReply(state: CoreState, request: QueuedRequest, message: PartialsMessage, now: Instant): void {
  const { client, id } = request;
  const { chunks, options } = message;
  const isTooLarge = client.bounds !== undefined && excessOf(client.bounds, chunks, options) !== undefined;
  if (isTooLarge || !client.capabilities.partials || (request.options.persist && mustHold(state, request))) {
    let isContinuation = false;
    for (const chunk of chunks) {
      if (failIfTooLarge(state, request, { body: [chunk] }, options)) return;
      if (onPartialReply(state, request, partialOf(message, chunk), now, isContinuation)) isContinuation = true;
    }
    return;
  }
  restartTimeout(state, request, now);
  onPartial(state, request, message, true);
  request.hasPartial = true;
  state.effects.toClient(client, { type: "partials", requestId: id, chunks, options });
}

/** P-HB-7: does not restart the timeout, which counts the time without any part of a reply. */
function onRequestHeartbeat({ effects }: CoreState, { client, id, options }: QueuedRequest): void {
  const { capabilities, traits } = client;
  // D-OMDP-6.
  const isWanted = capabilities.requestHeartbeat || (options.notices && traits.notifiesByHeartbeat);
  if (isWanted) effects.heartbeatOf(client, id);
}

/** P-DISC-4: every message before READY is answered by a DISCONNECT, except a DISCONNECT. */
function onUnregistered(
  state: CoreState,
  { from, message, dialect, host }: Input & { readonly type: "from-worker" },
  now: Instant,
): void {
  if (message.type === "disconnect") return;
  if (message.type !== "ready") return state.effects.toUnregistered(from, { type: "disconnect" }, dialect);
  const refusal = registrationError(state, from, message.service, dialect);
  if (refusal !== undefined) {
    if (refusal !== "stopping") state.effects.reportDrop(from, refusal);
    const reason = refusalReason(refusal, message.service, state.options.maxWorkers);
    return state.effects.toUnregistered(from, disconnectWith(message.offer, reason), dialect);
  }
  const accepted = message.offer && sharedCapabilities(state.capabilities, message.offer);
  state.effects.toUnregistered(from, { type: "ready", accepted }, dialect);
  registerWorker(state, { id: from, dialect, host, message, capabilities: accepted ?? NO_CAPABILITIES }, now);
}

function registrationError(
  { registrations, clients, options, phase }: CoreState,
  from: PeerId,
  service: ServiceName,
  dialect: DialectId,
): Refusal | undefined {
  if (phase.name !== "serving") return "stopping";
  if (registrations >= options.maxWorkers) return "too-many-workers";
  if (isMmi(service)) return "reserved-name";
  // D-DET-1: as with a client.
  const client = clients.get(from);
  return client === undefined || client.dialect === dialect ? undefined : "other-dialect";
}

/** P-READY-4: a registered worker offers a further service, or one that it offers already. */
function onFurtherReady(state: CoreState, worker: WorkerRecord, service: ServiceName, now: Instant): void {
  onWorkerReceived(state, worker, now);
  const refusal = state.services.isOfferedBy(worker, service) ? undefined : furtherRefusal(state, worker, service);
  if (refusal === undefined) {
    state.effects.toWorker(worker, { type: "service-answer", service, refusal });
    return offerService(state, worker, service);
  }
  if (refusal !== "stopping") state.effects.reportDrop(worker.id, refusal);
  const reason = refusalReason(refusal, service, state.options.maxWorkers);
  state.effects.toWorker(worker, { type: "service-answer", service, refusal: reason });
}

/** P-READY-6. */
function furtherRefusal(
  { registrations, options, phase }: CoreState,
  worker: WorkerRecord,
  service: ServiceName,
): Refusal | undefined {
  if (phase.name !== "serving") return "stopping";
  if (isMmi(service) || isCoreName(service)) return "reserved-name";
  if (worker.registrations.length >= MAX_SERVICES) return "too-many-services";
  return registrations >= options.maxWorkers ? "too-many-workers" : undefined;
}

/** P-DIR-2: core services, whose names start with `$`, may request the directory again. */
function isCoreService(worker: WorkerRecord): boolean {
  return isCoreName(worker.first.name);
}

/**
 * P-ADDR-2: a worker echoes the address token. A worker that makes up another one, without the mark, is looked up by the
 * request id among the requests it holds. If requests of two clients have that id, the reply is dropped: it must not reach
 * the wrong client.
 */
function heldByIdAlone(worker: WorkerRecord, id: RequestId): QueuedRequest | undefined {
  if (worker.inFlight.size > MAX_LOOKUP) return undefined;
  let found: QueuedRequest | undefined;
  for (const request of worker.inFlight) {
    if (request.id !== id) continue;
    if (found !== undefined) return undefined;
    found = request;
  }
  return found;
}

function replyTo(
  request: QueuedRequest,
  message: PartialMessage | FinalMessage,
): ToClient & { readonly type: "partial" | "final" } {
  const { type, status, body, isRaw, trailer } = message;
  const reply = { type, requestId: request.id, service: request.name, status, body, isRaw: isRaw ?? false, trailer };
  return isRaw && message.isText ? { ...reply, isText: true } : reply;
}
