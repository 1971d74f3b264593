// What the workers offer that registered under one name, and the requests that wait for it.

import type { ServiceName } from "@pigato/protocol";
import type { Policy } from "./policy.ts";
import { RejectedQueue } from "./rejected-queue.ts";
import type { QueueLinks } from "./request-list.ts";
import { RouteHeap } from "./route-heap.ts";

export interface ServiceRequest<Self> extends QueueLinks<Self> {
  readonly rejectedBy: { has(worker: unknown): boolean } | undefined;
}

/** Generic so that it may be referred to by workers and requests; queued-request.ts names the one kind there is. */
export class ServiceOf<Worker, Request extends ServiceRequest<Request>> {
  readonly name: ServiceName;
  /** Those of its workers that have a free slot. */
  readonly available: Policy<Worker>;
  readonly workers: Set<Worker> = new Set();
  /** How many requests wait here: on its routes, rejected by some worker, or for one of its workers. */
  waiting = 0;
  /** The routes to it on which requests for any worker wait. Empty while a worker is available. */
  readonly waitingRoutes: RouteHeap<Request> = new RouteHeap();
  /** Requests that some workers have rejected, waiting for one that has not. */
  readonly rejected: RejectedQueue<Request> = new RejectedQueue();
  /** The location of these requests: one object for all, so that moving a request allocates nothing. */
  readonly rejectedLocation: { readonly at: "rejected"; readonly queue: RejectedQueue<Request> } = {
    at: "rejected",
    queue: this.rejected,
  };

  constructor(name: ServiceName, available: Policy<Worker>) {
    this.name = name;
    this.available = available;
  }
}
