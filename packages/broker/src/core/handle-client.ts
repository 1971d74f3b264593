// Messages of clients.

import {
  type Capabilities,
  display,
  type Failure,
  type FromClient,
  type PeerId,
  type RequestId,
  requestId,
} from "@pigato/protocol";
import { addCredit, excessOfHeaders, type Instant, sharedCapabilities } from "@pigato/protocol/internal";
import { acceptRequest, answerFromCache, refuseRequest } from "./accept-request.ts";
import { cachedReplyTo } from "./cache-replies.ts";
import { loseClient, negotiate, newClient, onClientHeartbeat, requireClient } from "./clients.ts";
import type { DialectId, Input } from "./effects.ts";
import { endRequest, restartTimeout } from "./end-request.ts";
import { noteReceived } from "./heartbeat-lease.ts";
import { isMmi, mmiAnswer, serviceAskedAbout, serviceInName } from "./mmi.ts";
import { isFromItsProcess } from "./process-heartbeats.ts";
import type { ClientRecord, RequestMessage } from "./queued-request.ts";
import { onInput } from "./request-input.ts";
import type { CoreState } from "./state.ts";
import { onWorkerReceived, workerNamed } from "./workers.ts";

export function handleClient(
  state: CoreState,
  input: Input & { readonly type: "from-client" | "client-at-backend" },
  now: Instant,
): void {
  const { from, message, dialect } = input;
  if (message.type === "worker-heartbeat") return onHeartbeatForWorker(state, message.worker, input, now);
  const client = state.clients.get(from) ?? admit(state, from, dialect, now);
  if (client === undefined) return refuseUnknown(state, from, message, dialect);
  if (client.dialect !== dialect) return state.effects.reportDrop(from, "other-dialect");
  noteReceived(client, now);
  switch (message.type) {
    case "request":
      return onRequest(state, client, message, now);
    case "heartbeat":
      return onHeartbeat(state, client, message.offer, now);
    case "request-heartbeat":
      return onRequestHeartbeat(state, client, message.requestId);
    case "cancel": {
      const request = client.requests.get(message.requestId);
      if (request === undefined) return state.effects.reportDrop(from, "not-open", message.requestId);
      return endRequest(state, request, "canceled");
    }
    case "disconnect":
      return loseClient(state, client, "left", now);
    case "credit":
      return onCredit(state, client, message, now);
    case "input":
    case "input-end":
      return onInput(state, client, message, now);
    default:
      message satisfies never;
  }
}

/** D-DET-1: a peer is held to the dialect of its first message, also if it spoke as a worker then. */
function admit(state: CoreState, from: PeerId, dialect: DialectId, now: Instant): ClientRecord | undefined {
  return requireClient(state, from, state.workers.get(from)?.dialect ?? dialect, now);
}

function onRequest(state: CoreState, client: ClientRecord, received: RequestMessage, now: Instant): void {
  const message = client.traits.hasRequestIds ? received : withRequestId(state, received);
  if (client.requests.has(message.requestId)) {
    return state.effects.reportDrop(client.id, "duplicate-id", message.requestId);
  }
  if (state.phase.name !== "serving") {
    return refuseRequest(state, client, message, { code: "CLOSED", why: "was refused: the broker is stopping" });
  }
  const flaw = flawOf(client, message);
  if (flaw !== undefined)
    return refuseRequest(state, client, message, { code: "INVALID", why: `was refused: ${flaw}` });
  if (isMmi(message.service)) return answerMmi(state, client, message);
  const cached = cachedReplyTo(state, message);
  if (cached !== undefined) return answerFromCache(state, client, message, cached);
  const { worker } = message.options;
  acceptRequest(state, client, message, worker === undefined ? undefined : workerNamed(state, worker), now);
}

/** What is invalid in the capabilities that the client uses. */
function flawOf({ capabilities }: ClientRecord, { options, trailer, hasHeaders }: RequestMessage): string | undefined {
  if (options.flaw !== undefined && capabilities.methods) return options.flaw;
  return hasHeaders === true && capabilities.headers ? excessOfHeaders(trailer) : undefined;
}

function answerMmi(
  { services, effects }: CoreState,
  client: ClientRecord,
  { service, requestId, body, isRaw = false }: RequestMessage,
): void {
  const named = client.traits.hasFrames ? undefined : serviceInName(service);
  const about = named ?? serviceAskedAbout(service, body, isRaw);
  const absent = named === undefined ? "404" : "400";
  const code = about === undefined ? "501" : services.hasWorker(about) ? "200" : absent;
  const answer = { type: "final", requestId, service, status: 0, body: mmiAnswer(code, isRaw), isRaw } as const;
  effects.toClient(client, { ...answer, trailer: [] });
}

/** The dialect of the client has no request ids, so the broker assigns one. */
function withRequestId(state: CoreState, message: RequestMessage): RequestMessage {
  state.withoutId += 1;
  return { ...message, requestId: requestId(`~${state.withoutId}`) };
}

function onHeartbeat(state: CoreState, client: ClientRecord, offer: Capabilities | undefined, now: Instant): void {
  const accepted = offer && sharedCapabilities(state.capabilities, offer);
  if (accepted) negotiate(state, client, { shared: accepted, offer }, now);
  else onClientHeartbeat(state, client, now);
  state.effects.toClient(client, { type: "heartbeat", accepted });
}

/** P-HB-4: keeps the request alive at its worker, and is answered like any heartbeat, or as P-HB-7 says. */
function onRequestHeartbeat({ effects }: CoreState, client: ClientRecord, id: RequestId): void {
  const request = client.requests.get(id);
  const { requestHeartbeat } = client.capabilities;
  if (request === undefined) {
    effects.reportDrop(client.id, "not-open", id);
    if (requestHeartbeat) return effects.toClient(client, { type: "failure", requestId: id, failure: lost(id) });
  } else if (request.location.at === "worker") {
    const { worker } = request.location;
    effects.toWorker(worker, { type: "request-heartbeat", address: request.address, requestId: id });
    if (requestHeartbeat && worker.capabilities.requestHeartbeat) return;
  }
  if (requestHeartbeat) effects.toClient(client, { type: "request-heartbeat", requestId: id });
  else effects.toClient(client, { type: "heartbeat", accepted: undefined });
}

/** P-STREAM-5: the client takes more chunks of a reply, which shows that the client reads it. */
function onCredit(
  state: CoreState,
  client: ClientRecord,
  { requestId, chunks }: FromClient & { readonly type: "credit" },
  now: Instant,
): void {
  const { effects } = state;
  if (!client.capabilities.credit) return effects.reportDrop(client.id, "unsupported", requestId);
  const request = client.requests.get(requestId);
  if (request === undefined) return effects.reportDrop(client.id, "not-open", requestId);
  if (chunks === 0 || !request.isPaced) return effects.reportDrop(client.id, "void-credit", requestId);
  if (request.location.at !== "worker") {
    request.credit = addCredit(request.credit, chunks);
    return;
  }
  restartTimeout(state, request, now);
  effects.grant(request, chunks);
}

/**
 * P-HB-5: the process of a worker sends a heartbeat for it. Not answered: the socket that it came from is never read. An
 * unknown id is no fault: such a process names all its sockets.
 */
function onHeartbeatForWorker(
  state: CoreState,
  id: PeerId,
  { from, host }: Input & { readonly type: "from-client" | "client-at-backend" },
  now: Instant,
): void {
  const worker = workerNamed(state, id);
  if (worker === undefined) return;
  if (!isFromItsProcess(worker, from, host, now)) return state.effects.reportDrop(from, "foreign-worker");
  onWorkerReceived(state, worker, now);
}

function refuseUnknown(state: CoreState, from: PeerId, message: FromClient, dialect: DialectId): void {
  if (message.type !== "request") return;
  const why = "was refused: the broker has the maximum number of clients";
  refuseRequest(state, newClient(state, from, dialect), message, { code: "BUSY", why });
}

/** The failure of a request that its client considers open and the broker does not, for example after a silence. */
function lost(id: RequestId): Failure {
  const message = `request ${display(id)} is not known to the broker`;
  return { code: "BROKER_LOST", message, delivery: "maybe-executed" };
}
