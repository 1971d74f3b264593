// The names that clients ask for (routes), each with the service that it leads to, and the services that workers offer.
// Name resolution is cached, including misses. When a service opens with its first worker, or closes with its last, the
// affected routes are resolved again and take their waiting requests along; nothing is resolved per request.
//
// Requests wait on their route, so a route turns with all of them at once. A route lives while one of its requests is open
// or a service has exactly its name. Other routes are kept in a bounded cache, so made-up names cost no more than that.

import { type ServiceName, serviceName } from "@pigato/protocol";
import { MAX_NAME_BYTES } from "@pigato/protocol/internal";
import type { CoreOptions } from "./core-options.ts";
import { prefixIn, rangeIn, versionIn } from "./names.ts";
import { Offers } from "./offers.ts";
import { newPolicy } from "./policy.ts";
import type { QueuedRequest, Registration, Route, Service, WorkerRecord } from "./queued-request.ts";
import { RouteOf } from "./route.ts";
import { RouteCache } from "./route-cache.ts";
import { ServiceOf } from "./service.ts";

/** The most routes that are cached without being needed (route-cache.ts). */
export const MAX_CACHED_ROUTES = 4_096;

/** A READY without a name is a violation, so no worker ever joins this service. */
const UNSERVED_NAME = serviceName("");

const NO_ROUTES: ReadonlySet<Route> = new Set();

export class ServiceTable {
  /** Where a name leads that no worker offers: a service without workers. */
  readonly unserved: Service;
  readonly #options: CoreOptions;
  readonly #offers = new Offers<Service>();
  readonly #routes = new Map<ServiceName, Route>();
  /** Routes that are not needed, and some that are needed again. */
  readonly #cache: RouteCache<Route>;
  /** The routes that lead to each service. */
  readonly #routesOf = new Map<Service, Set<Route>>();
  /** Routes that ask for a version within a range, by the name before the range. */
  readonly #ranges = new Map<string, Set<Route>>();
  /** How many routes are needed. */
  #needed = 0;

  /** @param maxCached how many routes are cached without being needed */
  constructor(options: CoreOptions, maxCached: number = MAX_CACHED_ROUTES) {
    this.#options = options;
    this.#cache = new RouteCache(maxCached);
    this.unserved = this.#newService(UNSERVED_NAME);
  }

  /** How many names workers offer or open requests ask for. */
  get size(): number {
    return this.#needed;
  }

  /** The services that workers offer. */
  values(): IterableIterator<Service> {
    return this.#offers.values();
  }

  /** Whether a name leads to a worker. A text that is too long for a name, as a body may hold, does not. */
  hasWorker(name: ServiceName): boolean {
    return name.length <= MAX_NAME_BYTES && this.route(name).service !== this.unserved;
  }

  /** Whether a worker offers a service of exactly this name. */
  isOfferedBy(worker: WorkerRecord, name: ServiceName): boolean {
    return this.#offers.get(name)?.workers.has(worker) === true;
  }

  routesOf(service: Service): ReadonlySet<Route> {
    return this.#routesOf.get(service) ?? NO_ROUTES;
  }

  routes(): IterableIterator<Route> {
    return this.#routes.values();
  }

  /** Where requests for this name go. Only an open request keeps the route beyond the current input. */
  route(name: ServiceName): Route {
    const known = this.#routes.get(name);
    if (known !== undefined) {
      known.isReferenced = true;
      return known;
    }
    const route = this.#newRoute(name);
    this.#addToCache(route);
    return route;
  }

  /** A request was accepted on this route. */
  onOpened(route: Route): void {
    if (!route.isNeeded) this.#needed += 1;
    route.open += 1;
  }

  /** A request of this route has ended. */
  onEnded(route: Route): void {
    route.open -= 1;
    if (route.isNeeded) return;
    this.#needed -= 1;
    this.#addToCache(route);
  }

  /** A worker is about to offer this name. Requests that it serves best follow. */
  open(name: ServiceName): Service {
    const known = this.#offers.get(name);
    if (known !== undefined) return known;
    const service = this.#newService(name);
    const own = this.#routes.get(name) ?? this.#newRoute(name);
    const others = this.#affectedBy(name);
    this.#offers.add(service);
    const left = new Set<Service>();
    for (const route of [own, ...others]) {
      const { service: before } = route;
      if (this.#resolve(route)) left.add(before);
    }
    for (const before of left) this.#moveRejected(before);
    return service;
  }

  /**
   * The last worker of a service is gone. Its requests turn to other services that cover their names.
   * @returns these services, which may have workers free; `unserved` may be among them
   */
  close(service: Service): ReadonlySet<Service> {
    this.#offers.remove(service);
    const reached = new Set<Service>();
    for (const route of [...this.routesOf(service)]) if (this.#resolve(route)) reached.add(route.service);
    this.#moveRejected(service);
    const own = this.#routes.get(service.name);
    if (own?.isNeeded === false) this.#addToCache(own);
    return reached;
  }

  /** The routes that may lead elsewhere once a worker offers this name, besides the route of exactly this name. */
  #affectedBy(name: ServiceName): Route[] {
    const one = versionIn(name);
    if (one !== undefined) return [...(this.#ranges.get(one.base) ?? [])];
    const prefix = prefixIn(name);
    if (prefix === undefined) return [];
    // Names that the new wildcard serves best lead to the next shorter wildcard so far.
    const around = this.#offers.wildcardAround(prefix) ?? this.unserved;
    return [...this.routesOf(around)].filter((route) => route.name.startsWith(prefix));
  }

  /** Resolves the name of a route again. Returns whether it leads to another service now. */
  #resolve(route: Route): boolean {
    const { service: before, isNeeded } = route;
    const service = this.#offers.resolve(route.name, route.range) ?? this.unserved;
    if (service === before) return false;
    before.waiting -= route.queue.size;
    before.waitingRoutes.remove(route);
    this.#removeRoute(before, route);
    route.service = service;
    route.isExact = service.name === route.name;
    this.#needed += Number(route.isNeeded) - Number(isNeeded);
    this.#addRoute(service, route);
    service.waitingRoutes.update(route);
    service.waiting += route.queue.size;
    return true;
  }

  /** Rejected requests wait at their service, not on their route. Those whose route turned must follow. */
  #moveRejected(before: Service): void {
    for (const request of before.rejected) {
      const { service } = request.route;
      if (service === before) continue;
      before.rejected.remove(request);
      before.waiting -= 1;
      service.rejected.insert(request);
      service.waiting += 1;
      request.location = service.rejectedLocation;
    }
  }

  #addRoute(service: Service, route: Route): void {
    const routes = this.#routesOf.get(service);
    if (routes === undefined) this.#routesOf.set(service, new Set([route]));
    else routes.add(route);
  }

  #removeRoute(service: Service, route: Route): void {
    const routes = this.#routesOf.get(service);
    routes?.delete(route);
    if (routes?.size === 0) this.#routesOf.delete(service);
  }

  #newService(name: ServiceName): Service {
    const { dispatchMode, random } = this.#options;
    return new ServiceOf<Registration, QueuedRequest>(name, newPolicy(dispatchMode, random));
  }

  #newRoute(name: ServiceName): Route {
    const range = rangeIn(name);
    const route = new RouteOf(name, this.#offers.resolve(name, range) ?? this.unserved, range);
    this.#routes.set(name, route);
    this.#addRoute(route.service, route);
    if (range === undefined) return route;
    const routes = this.#ranges.get(range.base) ?? new Set();
    this.#ranges.set(range.base, routes.add(route));
    return route;
  }

  #addToCache(route: Route): void {
    const other = route.isCached ? undefined : this.#cache.add(route);
    if (other !== undefined) this.#forget(other);
  }

  #forget(route: Route): void {
    this.#routes.delete(route.name);
    this.#removeRoute(route.service, route);
    const { range } = route;
    const routes = range && this.#ranges.get(range.base);
    routes?.delete(route);
    if (range !== undefined && routes?.size === 0) this.#ranges.delete(range.base);
  }
}
