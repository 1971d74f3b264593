// The names that clients ask for, each with the service it leads to at this moment, and the services that workers offer.
// Where a name leads is found out once and kept (a route). When a service opens with its first worker, or closes with its
// last, the routes that this concerns turn, and take along what waits on them; nothing is worked out for each request.
//
// Requests wait on their route, so that a route turns with all of them at once. A route lives while a request that came
// by it is open, or a service has exactly its name. Some others that lead somewhere are kept for the next request; what
// leads nowhere is not, so that names that are made up cost nothing once they are refused or their requests have ended.

import { type ServiceName, serviceName } from "@pigato/protocol";
import type { CoreOptions } from "./core-options.ts";
import { prefixIn, rangeIn, versionIn } from "./names.ts";
import { Offers } from "./offers.ts";
import { newPolicy } from "./policy.ts";
import { Route, Service } from "./records.ts";

/** Routes kept although no request is open on them. Beyond it, the one that has been unused for longest goes. */
export const MAX_UNUSED_ROUTES = 4_096;

/** READY without a name is refused, so that no worker is ever among nobody's. */
const NOBODYS_NAME = serviceName("");

export class Services {
  /** Where a name leads that nobody offers: a service without workers. */
  readonly nobody: Service;
  readonly #options: CoreOptions;
  readonly #offers = new Offers();
  readonly #routes = new Map<ServiceName, Route>();
  /** Routes without open requests that lead to a service of another name, unused for longest first. */
  readonly #unused = new Set<Route>();
  /** Routes that ask for a range, by what they ask for a range of. */
  readonly #ranges = new Map<string, Set<Route>>();

  constructor(options: CoreOptions) {
    this.#options = options;
    this.nobody = this.#newService(NOBODYS_NAME);
  }

  /** How many names are offered by workers, or asked for by open requests. */
  get size(): number {
    return this.#routes.size - this.#unused.size;
  }

  /** Those that workers offer. */
  values(): IterableIterator<Service> {
    return this.#offers.values();
  }

  /** Whether a name leads to anybody. */
  hasWorker(name: ServiceName): boolean {
    return this.#offers.resolve(name) !== undefined;
  }

  routes(): IterableIterator<Route> {
    return this.#routes.values();
  }

  /** Where requests for this name go. To be released when it is not needed any more. */
  route(name: ServiceName): Route {
    const known = this.#routes.get(name);
    if (known === undefined) return this.#newRoute(name);
    if (known.open === 0 && known.isUnused) this.#use(known);
    return known;
  }

  /** Forgets a route that no open request has come by, unless it may be worth keeping. */
  release(route: Route): void {
    if (route.open > 0 || route.isOwn || route.isUnused) return;
    if (route.service === this.nobody) return this.#forget(route);
    route.isUnused = true;
    this.#unused.add(route);
    if (this.#unused.size <= MAX_UNUSED_ROUTES) return;
    const [oldest] = this.#unused;
    if (oldest !== undefined) this.#forget(oldest);
  }

  /** A worker is about to offer this name. All that waits for it, and cannot be better served, comes along. */
  open(name: ServiceName): Service {
    const known = this.#offers.get(name);
    if (known !== undefined) return known;
    const service = this.#newService(name);
    const own = this.route(name);
    const others = this.#concernedBy(name);
    this.#offers.add(service);
    const left = new Set<Service>();
    for (const route of [own, ...others]) {
      const { service: before } = route;
      if (this.#turn(route)) left.add(before);
    }
    for (const before of left) this.#moveDeclined(before);
    return service;
  }

  /**
   * The last worker of a service is gone. What waits for it turns to whoever else offers it.
   * @returns the services it turned to, which may have workers free for it; `nobody` may be among them
   */
  close(service: Service): ReadonlySet<Service> {
    this.#offers.remove(service);
    const reached = new Set<Service>();
    const routes = [...service.routes];
    for (const route of routes) if (this.#turn(route)) reached.add(route.service);
    this.#moveDeclined(service);
    for (const route of routes) {
      if (route.isUnused) this.#use(route);
      this.release(route);
    }
    return reached;
  }

  /** The routes that may lead elsewhere once this name, which has a route of its own, is offered. */
  #concernedBy(name: ServiceName): Route[] {
    const one = versionIn(name);
    if (one !== undefined) return [...(this.#ranges.get(one.base) ?? [])];
    const prefix = prefixIn(name);
    if (prefix === undefined) return [];
    // Whatever is under the new wildcard, and not better served, is now under the next shorter one: nowhere else to look.
    const around = this.#offers.wildcardAround(prefix) ?? this.nobody;
    return [...around.routes].filter((route) => route.name.startsWith(prefix));
  }

  /** Lets a route lead where it should; returns whether that is another service now. */
  #turn(route: Route): boolean {
    const { service: before } = route;
    const service = this.#offers.resolve(route.name) ?? this.nobody;
    if (service === before) return false;
    before.waiting -= route.queue.size;
    before.waitingRoutes.remove(route);
    before.routes.delete(route);
    route.service = service;
    route.isOwn = service.name === route.name;
    service.routes.add(route);
    service.waitingRoutes.settle(route);
    service.waiting += route.queue.size;
    return true;
  }

  /** Requests that were declined wait at their service, not on their route: those whose route has turned must follow. */
  #moveDeclined(before: Service): void {
    for (const request of before.declined) {
      const { service } = request.route;
      if (service === before) continue;
      before.declined.remove(request);
      before.waiting -= 1;
      service.declined.insert(request);
      service.waiting += 1;
      request.place = service.awaitsOthers;
    }
  }

  #newService(name: ServiceName): Service {
    return new Service(name, newPolicy(this.#options.dispatchMode, this.#options.random));
  }

  #newRoute(name: ServiceName): Route {
    const route = new Route(name, this.#offers.resolve(name) ?? this.nobody);
    this.#routes.set(name, route);
    route.service.routes.add(route);
    const any = rangeIn(name);
    if (any === undefined) return route;
    const routes = this.#ranges.get(any.base) ?? new Set();
    this.#ranges.set(any.base, routes.add(route));
    return route;
  }

  #use(route: Route): void {
    route.isUnused = false;
    this.#unused.delete(route);
  }

  #forget(route: Route): void {
    this.#use(route);
    this.#routes.delete(route.name);
    route.service.routes.delete(route);
    const any = rangeIn(route.name);
    const routes = any && this.#ranges.get(any.base);
    routes?.delete(route);
    if (any !== undefined && routes?.size === 0) this.#ranges.delete(any.base);
  }
}
