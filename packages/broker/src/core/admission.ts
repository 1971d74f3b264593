// Whether one more request is taken: its worker must offer what it asks for, and there must be room for it. What is at a bound is
// refused and never queued.

import { display, type FailureCode, type FromClient } from "@pigato/protocol";
import type { CoreOptions } from "./core-options.ts";
import { covers } from "./names.ts";
import type { OpenRequests } from "./open-requests.ts";
import type { Persistence } from "./persistence.ts";
import type { Client, Route, Service, Worker } from "./records.ts";
import type { Services } from "./services.ts";

type RequestMessage = FromClient & { readonly type: "request" };

export interface Refusal {
  readonly code: FailureCode;
  readonly why: string;
}

export class Admission {
  readonly #options: CoreOptions;
  readonly #open: OpenRequests;
  readonly #services: Services;
  readonly #persistence: Persistence;

  constructor(options: CoreOptions, open: OpenRequests, services: Services, persistence: Persistence) {
    this.#options = options;
    this.#open = open;
    this.#services = services;
    this.#persistence = persistence;
  }

  /**
   * Why a request is not taken, if it is not.
   * @param target the worker that its options name, if there is one
   */
  refusal(client: Client, route: Route, target: Worker | undefined, message: RequestMessage): Refusal | undefined {
    const { worker: targetId, failFast, persist } = message.options;
    if (targetId !== undefined && (target === undefined || !isWithin(route, target.service))) {
      return { code: "UNAVAILABLE", why: `is for the worker "${display(targetId)}", which does not offer it` };
    }
    if (failFast && route.service === this.#services.nobody) {
      return { code: "UNAVAILABLE", why: "has no worker that offers it" };
    }
    const bound = this.#bound(client, route, target, persist);
    return bound === undefined ? undefined : { code: "BUSY", why: bound };
  }

  /** What stands in the way of one more request, if a bound is reached. */
  #bound(client: Client, route: Route, target: Worker | undefined, persist: boolean): string | undefined {
    const { maxRequests, maxRequestsPerClient, maxRequestBytes, maxQueuedPerService } = this.#options;
    if (this.#open.size >= maxRequests) return `came when the broker held ${maxRequests} requests, its most`;
    if (this.#open.bytes >= maxRequestBytes) return `came when the broker held ${maxRequestBytes} bytes, its most`;
    if (client.requests.size >= maxRequestsPerClient) {
      return `came when its client had ${maxRequestsPerClient} requests open, the most`;
    }
    if (persist && this.#persistence.size >= maxRequests) {
      return `came when the store had ${maxRequests} requests, or had not finished with them, its most`;
    }
    const hasNoSlot = target === undefined ? route.service.available.size === 0 : !target.hasFreeSlot;
    if ((persist || hasNoSlot) && route.waiting >= maxQueuedPerService) {
      return `came when ${maxQueuedPerService} requests for the service waited, the most`;
    }
    return undefined;
  }
}

/** Whether the workers of a service may be asked for by a route's name: also those that it does not lead to now. */
export function isWithin(route: Route, service: Service): boolean {
  return route.service === service || covers(service.name, route.name);
}
