// Which worker gets which request, and when: moves requests between queues and workers. Ends no request and knows no time.
//
// Invariants between two inputs: no request waits that a worker with a free slot could take; a request waits in exactly one
// queue. Requests for one service leave in order of arrival, also those that return because their worker was lost. Requests for
// one certain worker, and requests that some worker rejected, wait apart and block no other request.
//
// A worker with a free slot is in the list of each of its services. A worker that has become busy leaves a list only when a request of that
// service finds it there; that service then waits in line for the worker's next free slots. So neither taking nor freeing a slot costs
// a step for each service. Services get free slots in turn, so that a long queue of one does not delay the others.
//
// On the path of every request, measured by apps/bench, core.

import { pigato, type ToWorker } from "@pigato/protocol";
import { excessFor, excessOf, excessWithMethod, type Frames, withHeadersInOptions } from "@pigato/protocol/internal";
import { onDispatched } from "./hooks.ts";
import { shownPeer } from "./peer-names.ts";
import {
  NOWHERE,
  type QueuedRequest,
  type Registration,
  type Service,
  type WaitingLocation,
  type WorkerRecord,
} from "./queued-request.ts";
import { onWaited, onWaiting, timeLeft } from "./request-limits.ts";
import type { CoreState, UnsendableRequest } from "./state.ts";
import type { WorkerState } from "./worker-record.ts";

type Obstacle = Pick<UnsendableRequest, "why" | "missing">;
type RequestToWorker = ToWorker & { readonly type: "request" };

/** The result of placing a request. */
export type Placement =
  | "dispatched"
  | "queued"
  /** Every worker that could take it has rejected it. */
  | "rejected";

/**
 * Gives a request to a worker or queues it.
 * @param target the only worker that may have it
 */
export function place(state: CoreState, request: QueuedRequest, target: Registration | undefined): Placement {
  if (target !== undefined) return placeAtTarget(state, request, target);
  const { route, rejectedBy } = request;
  const { service } = route;
  const chosen = chooseFree(service, rejectedBy);
  if (chosen !== undefined) {
    dispatch(state, request, chosen);
    return "dispatched";
  }
  if (rejectedBy === undefined) return wait(state, request, route.queueLocation);
  if (isRejectedByAll(request)) return "rejected";
  return wait(state, request, service.rejectedLocation);
}

/** The worker with a free slot that gets the next request for a service; `undefined` if each is busy or excluded. */
export function chooseFree(
  service: Service,
  excluded: ReadonlySet<WorkerRecord> | undefined,
): Registration | undefined {
  for (;;) {
    const chosen = service.available.choose(excluded);
    if (chosen === undefined || chosen.worker.state === "available") return chosen;
    unlist(chosen);
  }
}

/** Lets a request that every worker has rejected wait for a new worker. */
export function waitForNewWorker(state: CoreState, request: QueuedRequest): void {
  wait(state, request, request.route.service.rejectedLocation);
}

/** The request that a worker holds under this address token. */
export function heldUnder(state: CoreState, address: string, worker: WorkerRecord): QueuedRequest | undefined {
  const request = state.open.byAddress(address);
  return request?.location.at === "worker" && request.location.worker === worker ? request : undefined;
}

/** The only worker that may have a request which a worker holds, if the client named one. */
export function targetOf({ location, options }: QueuedRequest): Registration | undefined {
  return location.at === "worker" && options.worker !== undefined ? location.registration : undefined;
}

/** Removes a request from its location: its queue, or the worker whose slot it occupied. */
export function remove(state: CoreState, request: QueuedRequest): void {
  const { location, route } = request;
  request.location = NOWHERE;
  switch (location.at) {
    case "route": {
      const isFirst = location.queue.first === request;
      route.waiting -= 1;
      route.service.waiting -= 1;
      location.queue.remove(request);
      if (isFirst) route.service.waitingRoutes.update(route);
      return;
    }
    case "target":
      route.waiting -= 1;
      location.registration.service.waiting -= 1;
      location.queue.remove(request);
      return;
    case "rejected":
      route.waiting -= 1;
      route.service.waiting -= 1;
      location.queue.remove(request);
      return;
    case "worker": {
      const { worker, registration } = location;
      worker.inFlight.remove(request);
      state.inFlight -= 1;
      if (worker.state === "available") registration.policy.onEnded(registration);
      return;
    }
    case "store":
      route.waiting -= 1;
      return;
    case "client":
    case "nowhere":
      return;
    default:
      location satisfies never;
  }
}

/** The free slots of a worker may have changed: gives it the requests that it can take. */
export function serve(state: CoreState, worker: WorkerRecord): void {
  // It had a free slot before, so nothing waits that it could take.
  if (worker.state === "available" && worker.hasFreeSlot) return;
  const { turns } = worker;
  for (let next = turns.first; next !== undefined && worker.hasFreeSlot; next = turns.first) {
    const request = next.service.waiting > 0 ? nextFor(next) : undefined;
    if (request === undefined) {
      list(next);
      continue;
    }
    if (turns.size > 1) {
      turns.remove(next);
      turns.append(next);
    }
    remove(state, request);
    dispatch(state, request, next);
  }
  updateAvailability(worker);
}

/** Requests that no worker has rejected came to a service from another one: gives them to its workers. */
export function serveAll(state: CoreState, service: Service): void {
  for (;;) {
    const request = service.waitingRoutes.first?.queue.first;
    const chosen = request && chooseFree(service, undefined);
    if (request === undefined || chosen === undefined) return;
    remove(state, request);
    dispatch(state, request, chosen);
  }
}

/**
 * The one place where the state of a worker changes. While it is available, it is listed at all its services. Afterwards a worker
 * with one service is not listed; one with several may be, at any but one of them.
 * @param last the service that it leaves at once, by default its first
 */
export function setWorkerState(worker: WorkerRecord, next: WorkerState, last: Registration = worker.first): void {
  const before = worker.state;
  if (next === before || before === "gone") return;
  worker.state = next;
  if (before === "available") unlist(last);
  else if (next === "available") listAll(worker);
}

/** Whether the service of a request has workers, and each of them has rejected it. Forgets workers that are gone. */
export function isRejectedByAll({ rejectedBy, route }: QueuedRequest): boolean {
  const { workers } = route.service;
  if (rejectedBy === undefined || rejectedBy.size < workers.size) return false;
  let rejected = 0;
  for (const worker of rejectedBy) {
    if (workers.has(worker)) rejected += 1;
    // A worker of another service stays, because the route may turn to that service again.
    else if (worker.state === "gone") rejectedBy.delete(worker);
  }
  return workers.size > 0 && rejected === workers.size;
}

function placeAtTarget(state: CoreState, request: QueuedRequest, target: Registration): Placement {
  if (request.rejectedBy?.has(target.worker)) return "rejected";
  if (target.worker.hasFreeSlot) {
    dispatch(state, request, target);
    return "dispatched";
  }
  unlist(target);
  return wait(state, request, target.targetLocation);
}

function wait(state: CoreState, request: QueuedRequest, location: WaitingLocation): Placement {
  const { route } = request;
  const service = location.at === "target" ? location.registration.service : route.service;
  route.waiting += 1;
  service.waiting += 1;
  request.location = location;
  location.queue.insert(request);
  if (request.limits !== undefined) onWaiting(state, request, request.limits);
  if (route.queue.first === request) service.waitingRoutes.update(route);
  state.effects.notify(request, undefined);
  return "queued";
}

/** The oldest of the requests for one service that a worker may take. */
function nextFor(registration: Registration): QueuedRequest | undefined {
  const { waitingRoutes, rejected } = registration.service;
  let next = waitingRoutes.first?.queue.first;
  const targeted = registration.targeted.first;
  if (targeted !== undefined && (next === undefined || targeted.number < next.number)) next = targeted;
  if (rejected.size === 0) return next;
  const other = rejected.firstFor(registration);
  return other !== undefined && (next === undefined || other.number < next.number) ? other : next;
}

function dispatch(state: CoreState, request: QueuedRequest, registration: Registration): void {
  const { worker } = registration;
  request.location = registration.heldLocation;
  request.isReceived = undefined;
  if (request.address === "") request.address = state.open.addressOf(request);
  worker.inFlight.append(request);
  state.inFlight += 1;
  request.dispatches += 1;
  const { limits } = request;
  if (limits !== undefined) onWaited(state, request);
  if (worker.state === "available") {
    if (worker.hasFreeSlot) registration.policy.onDispatched(registration);
    else setWorkerState(worker, "full", registration);
  }
  onDispatched(state, request, worker);
  const isFramed = request.isRaw && worker.capabilities.frames && request.client.traits.hasFrames;
  const hasMethodInBody =
    request.hasCallOptions && request.options.method !== undefined && !worker.capabilities.methods;
  const obstacle = obstacleTo(state, request, worker, { isFramed, hasMethodInBody });
  if (obstacle !== undefined) {
    request.isReceived = false;
    return void state.unsendable.push({ request, ...obstacle });
  }
  const hasFacts = worker.capabilities.headers;
  state.effects.toWorker(worker, {
    type: "request",
    address: request.address,
    service: request.route.name,
    requestId: request.id,
    body: request.body,
    isRaw: request.isRaw,
    isFramed,
    hasMethodInBody,
    trailer: request.hasHeaders ? trailerFor(worker, request) : request.trailer,
    hasHeaders: request.hasHeaders && worker.capabilities.headers,
    options: request.options,
    credit: request.isPaced && worker.capabilities.credit ? request.credit : undefined,
    deadlineMs: limits !== undefined && worker.capabilities.deadline ? timeLeft(state, limits) : undefined,
    caller: hasFacts ? request.caller : undefined,
    attempt: hasFacts && request.dispatches > 1 ? request.dispatches : undefined,
  });
  state.effects.notify(request, worker);
}

/** P-TAG-3: for a worker that does not read the frame of the headers, they are in the options. */
function trailerFor({ capabilities, dialect }: WorkerRecord, { trailer }: QueuedRequest): Frames {
  return capabilities.headers || dialect !== pigato.id ? trailer : withHeadersInOptions(trailer);
}

/** Why a worker cannot get a request, which then fails with INVALID (P-SIZE-1, P-CALL-3, P-STREAM-7, P-FAIL-7). */
function obstacleTo(
  { options }: CoreState,
  request: QueuedRequest,
  worker: WorkerRecord,
  { isFramed, hasMethodInBody }: Pick<RequestToWorker, "isFramed" | "hasMethodInBody">,
): Obstacle | undefined {
  if (request.input !== undefined && !worker.capabilities.duplex) {
    return unsupported(worker, "has streamed input", "duplex");
  }
  const { codec } = request.options;
  if (codec !== undefined && hasCodec(request, codec) && !worker.capabilities.codecs.includes(codec)) {
    return unsupported(worker, `has the codec "${codec}"`, `codec=${codec}`);
  }
  // Joined with what is not JSON, it would be neither.
  if (codec !== undefined && hasMethodInBody) {
    return unsupported(worker, `has a method together with the codec "${codec}"`, "methods");
  }
  const [sent, headers] = request.trailer;
  // In one frame or in two, the options and the headers have about the same number of bytes.
  const trailer = request.hasHeaders && worker.bounds !== undefined ? (headers ?? sent) : sent;
  let excess: string | undefined;
  if (isFramed) excess = worker.bounds && excessOf(worker.bounds, request.body, trailer);
  else if (hasMethodInBody) excess = excessWithMethod(options, worker, request, trailer);
  else excess = excessFor(options, worker, request, trailer);
  return excess === undefined ? undefined : { why: `is too large for its worker: ${excess}`, missing: undefined };
}

function unsupported({ id }: WorkerRecord, what: string, missing: string): Obstacle {
  return { why: `${what}, which its worker "${shownPeer(id)}" does not support (${missing})`, missing };
}

/** Whether the codec in the options is that of the body, and no option of an old client. */
function hasCodec({ client, hasCallOptions }: QueuedRequest, codec: string): boolean {
  return hasCallOptions || client.capabilities.codecs.includes(codec);
}

/** A service has its worker among those with a free slot. */
function list(registration: Registration): void {
  registration.worker.turns.remove(registration);
  registration.isListed = true;
  registration.policy.add(registration);
}

function listAll({ turns }: WorkerRecord): void {
  for (let next = turns.first; next !== undefined; next = turns.first) list(next);
}

/** The worker has no free slot. This service gets one in its turn. */
function unlist(registration: Registration): void {
  if (!registration.isListed) return;
  registration.policy.remove(registration);
  registration.isListed = false;
  registration.worker.turns.append(registration);
}

function updateAvailability(worker: WorkerRecord): void {
  if (worker.state === "available" || worker.state === "full") {
    setWorkerState(worker, worker.hasFreeSlot ? "available" : "full");
  }
}
