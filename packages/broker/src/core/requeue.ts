// Requests that return: rejected by a worker, undelivered, or waiting when services open and close.

import { isRejectedByAll, place, remove, serve, serveAll, targetOf, waitForNewWorker } from "./dispatch.ts";
import { failRequest } from "./fail-request.ts";
import type { QueuedRequest, Registration, Service, WorkerRecord } from "./queued-request.ts";
import type { CoreState } from "./state.ts";

/** Gives a request to a worker or its place in a queue. A request that all workers have rejected may fail. */
export function placeOrFail(state: CoreState, request: QueuedRequest, target: Registration | undefined): void {
  if (place(state, request, target) !== "rejected") return;
  // A request for one certain worker has no other to wait for.
  if (state.options.whenDeclined === "wait" && target === undefined) return waitForNewWorker(state, request);
  failRequest(state, request, "REJECTED", "was rejected by every worker of the service");
}

/** A worker rejected a request. */
export function onRejected(state: CoreState, request: QueuedRequest, worker: WorkerRecord): void {
  const target = targetOf(request);
  remove(state, request);
  if (!request.canStartOver) {
    // It has run, and neither a reply nor an input that has begun can start over.
    request.mayHaveRun = true;
    const why = request.hasPartial ? "the client had got a part of its reply" : "its input had begun";
    failRequest(state, request, "REJECTED", `was rejected after ${why}`);
  } else {
    // A worker that takes no requests at all, for example one that stops, says nothing about this request.
    if (worker.concurrency > 0) request.rejectedBy = (request.rejectedBy ?? new Set()).add(worker);
    placeOrFail(state, request, target);
  }
  serve(state, worker);
}

/** Requests came to a service from one that closed. Its workers may have free slots, or have rejected some of them. */
export function resumeService(state: CoreState, service: Service): void {
  if (service.workers.size === 0) return;
  serveAll(state, service);
  for (const request of [...service.rejected]) {
    remove(state, request);
    placeOrFail(state, request, undefined);
  }
}

/** A service lost a worker: fails the requests that all remaining workers have rejected. */
export function failRejected(state: CoreState, service: Service): void {
  if (state.options.whenDeclined === "wait") return;
  for (const request of service.rejected) {
    if (isRejectedByAll(request))
      failRequest(state, request, "REJECTED", "was rejected by every worker of the service");
  }
}
