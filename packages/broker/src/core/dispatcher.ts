// Which worker gets which request, and when. Holds no time and ends no request: it moves requests between queues and
// workers, and says what goes out.
//
// What always holds between two inputs: a worker with a free slot has no request waiting that it could take; a request
// waits in exactly one queue. Requests leave in order of arrival, also those that come back because their worker was
// lost; except that one which names its worker, or which some worker has declined, waits apart and holds up nobody.

import type { OpenRequests } from "./open-requests.ts";
import type { Outbox } from "./outbox.ts";
import { NOWHERE, type Request, type Service, STORE, type Waiting, type Worker } from "./records.ts";

/** What became of a request that was to be placed. */
export type Placement =
  | "dispatched"
  | "queued"
  /** Every worker that could take it has declined it. */
  | "rejected";

export class Dispatcher {
  readonly #outbox: Outbox;
  readonly #open: OpenRequests;
  #inFlight = 0;

  constructor(open: OpenRequests, outbox: Outbox) {
    this.#open = open;
    this.#outbox = outbox;
  }

  /**
   * Gives a request to a worker or queues it.
   * @param target the only worker that may have it
   */
  place(request: Request, target: Worker | undefined): Placement {
    const { route, rejectedBy } = request;
    const { service } = route;
    if (target !== undefined) return this.#placeAtTarget(request, target);
    const worker = service.available.choose(rejectedBy);
    if (worker !== undefined) {
      this.#dispatch(request, worker);
      return "dispatched";
    }
    if (rejectedBy === undefined) return this.#wait(request, route.awaits);
    if (hasDeclinedAll(request)) return "rejected";
    return this.#wait(request, service.awaitsOthers);
  }

  /** Has a request that every worker has declined wait for one that is yet to come. */
  keep(request: Request): void {
    this.#wait(request, request.route.service.awaitsOthers);
  }

  /** How many requests are with workers. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The request that a worker holds under this address token. */
  heldUnder(address: string, worker: Worker): Request | undefined {
    const request = this.#open.byAddress(address);
    return request?.place === worker.holds ? request : undefined;
  }

  /** Lets a request wait for the store; it counts as waiting for the name that it came by. */
  hold(request: Request): void {
    request.route.waiting += 1;
    request.place = STORE;
  }

  /** Takes a request from where it is: its queue, or the worker whose slot it held. */
  remove(request: Request): void {
    const { place, route } = request;
    request.place = NOWHERE;
    switch (place.at) {
      case "route": {
        const isFirst = place.queue.first === request;
        route.waiting -= 1;
        route.service.waiting -= 1;
        place.queue.remove(request);
        if (isFirst) route.service.waitingRoutes.settle(route);
        return;
      }
      case "target":
        route.waiting -= 1;
        place.worker.service.waiting -= 1;
        place.queue.remove(request);
        return;
      case "declined":
        route.waiting -= 1;
        route.service.waiting -= 1;
        place.queue.remove(request);
        return;
      case "worker":
        place.worker.inFlight.remove(request);
        this.#inFlight -= 1;
        if (place.worker.isAvailable) place.worker.policy.onEnded(place.worker);
        return;
      case "store":
        route.waiting -= 1;
        return;
      case "client":
      case "nowhere":
        return;
      default:
        place satisfies never;
    }
  }

  /** A worker's free slots, or whether it has one, may have changed: gives it what it can take. */
  serve(worker: Worker): void {
    // It had one before: then nothing waits that it could take.
    if (worker.isAvailable && worker.hasFreeSlot) return;
    const { service } = worker;
    while (service.waiting > 0 && worker.hasFreeSlot) {
      const request = this.#nextFor(worker);
      if (request === undefined) break;
      this.remove(request);
      this.#dispatch(request, worker);
    }
    this.#settleAvailability(worker);
  }

  /** Requests that nobody has declined came to a service from elsewhere: gives them to its workers, as far as it can. */
  serveAll(service: Service): void {
    for (;;) {
      const request = service.waitingRoutes.first?.queue.first;
      const worker = service.available.choose(undefined);
      if (request === undefined || worker === undefined) return;
      this.remove(request);
      this.#dispatch(request, worker);
    }
  }

  /** A worker's connection is full: nothing is given to it until it is heard again. */
  pause(worker: Worker): void {
    worker.isCongested = true;
    this.#settleAvailability(worker);
  }

  /** A worker is gone: nothing is given to it any more. */
  retire(worker: Worker): void {
    worker.isRetired = true;
    this.#settleAvailability(worker);
  }

  #placeAtTarget(request: Request, target: Worker): Placement {
    if (request.rejectedBy?.has(target)) return "rejected";
    if (target.hasFreeSlot) {
      this.#dispatch(request, target);
      return "dispatched";
    }
    return this.#wait(request, target.awaits);
  }

  #wait(request: Request, place: Waiting): Placement {
    const { route } = request;
    const service = place.at === "target" ? place.worker.service : route.service;
    route.waiting += 1;
    service.waiting += 1;
    request.place = place;
    place.queue.insert(request);
    if (route.queue.first === request) service.waitingRoutes.settle(route);
    this.#outbox.notify(request, undefined);
    return "queued";
  }

  /** The oldest of the requests that this worker may take. */
  #nextFor(worker: Worker): Request | undefined {
    const { waitingRoutes, declined } = worker.service;
    let next = waitingRoutes.first?.queue.first;
    const targeted = worker.targeted.first;
    if (targeted !== undefined && (next === undefined || targeted.number < next.number)) next = targeted;
    if (declined.size === 0) return next;
    const other = declined.firstFor(worker);
    return other !== undefined && (next === undefined || other.number < next.number) ? other : next;
  }

  #dispatch(request: Request, worker: Worker): void {
    request.place = worker.holds;
    request.isReceived = undefined;
    if (request.address === "") request.address = this.#open.addressOf(request);
    worker.inFlight.append(request);
    this.#inFlight += 1;
    if (worker.isAvailable) {
      if (worker.hasFreeSlot) worker.policy.onDispatched(worker);
      else this.#settleAvailability(worker);
    }
    this.#outbox.toWorker(worker, {
      type: "request",
      address: request.address,
      service: request.route.name,
      requestId: request.id,
      body: request.body,
      isRaw: request.isRaw,
      trailer: request.trailer,
      options: request.options,
      credit: request.isPaced && worker.capabilities.credit ? request.credit : undefined,
    });
    this.#outbox.notify(request, worker);
  }

  #settleAvailability(worker: Worker): void {
    const { policy } = worker;
    if (worker.hasFreeSlot === worker.isAvailable) return;
    worker.isAvailable = worker.hasFreeSlot;
    if (worker.isAvailable) policy.add(worker);
    else policy.remove(worker);
  }
}

/** Whether its service has workers, and each of them has declined the request. Forgets those that are gone. */
export function hasDeclinedAll({ rejectedBy, route }: Request): boolean {
  const { workers } = route.service;
  if (rejectedBy === undefined || rejectedBy.size < workers.size) return false;
  let declined = 0;
  for (const worker of rejectedBy) {
    if (workers.has(worker)) declined += 1;
    // One of another service stays: the name that the request came by may lead there again.
    else if (worker.isRetired) rejectedBy.delete(worker);
  }
  return workers.size > 0 && declined === workers.size;
}
