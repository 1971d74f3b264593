// A name that clients request, and the service that it resolves to at the moment. Requests wait on their route, so that all of
// them follow when the route changes to another service.

import type { ServiceName } from "@pigato/protocol";
import type { RangeName } from "./names.ts";
import { RequestList } from "./request-list.ts";
import type { CachedRoute } from "./route-cache.ts";
import type { HeapRoute } from "./route-heap.ts";
import type { ServiceOf, ServiceRequest } from "./service.ts";

/** Generic so that requests may refer to it; queued-request.ts defines the only instance. */
export class RouteOf<Registration extends { readonly worker: unknown }, Request extends ServiceRequest<Request>>
  implements HeapRoute<Request>, CachedRoute
{
  readonly name: ServiceName;
  /** The requested range, if the name has one. */
  readonly range: RangeName | undefined;
  service: ServiceOf<Registration, Request>;
  /** Whether that is the service of exactly this name. */
  isExact = false;
  /** How many of its requests are open, waiting or not. */
  open = 0;
  /** How many of its requests wait, in whichever queue, also for one worker of another service. */
  waiting = 0;
  // These belong to the route cache and the heap of the service.
  isCached = false;
  isReferenced = false;
  heapIndex = -1;
  heapKey = 0;
  /** Requests for any worker, oldest first. */
  readonly queue: RequestList<Request> = new RequestList();
  readonly queueLocation: { readonly at: "route"; readonly queue: RequestList<Request> } = {
    at: "route",
    queue: this.queue,
  };

  constructor(name: ServiceName, service: ServiceOf<Registration, Request>, range?: RangeName) {
    this.name = name;
    this.service = service;
    this.range = range;
  }

  get isNeeded(): boolean {
    return this.open > 0 || this.isExact;
  }
}
