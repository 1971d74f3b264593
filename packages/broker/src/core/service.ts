// What the workers offer that registered under one name, and the requests that wait for it.

import type { ServiceName } from "@pigato/protocol";
import type { Policy } from "./policy.ts";
import { RejectedQueue } from "./rejected-queue.ts";
import type { QueueLinks } from "./request-list.ts";
import { RouteHeap } from "./route-heap.ts";

export interface ServiceRequest<Self> extends QueueLinks<Self> {
  readonly rejectedBy: { has(worker: unknown): boolean } | undefined;
}

/** What a worker offers under the name of the service, as far as the service is concerned. */
interface Offered {
  readonly worker: unknown;
}

/** Generic so that it may be referred to by workers and requests; queued-request.ts names the one kind there is. */
export class ServiceOf<Registration extends Offered, Request extends ServiceRequest<Request>> {
  readonly name: ServiceName;
  /** Its workers that have a free slot, and perhaps some with several services that have none any more. */
  readonly available: Policy<Registration>;
  readonly workers: Map<Registration["worker"], Registration> = new Map();
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

  constructor(name: ServiceName, available: Policy<Registration>) {
    this.name = name;
    this.available = available;
  }
}
