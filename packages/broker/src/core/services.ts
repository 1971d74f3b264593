// The names that clients ask for, each with the service it leads to at this moment, and the services that workers offer.
// Where a name leads, be it nowhere, is found out once and kept (a route). When a service opens with its first worker, or
// closes with its last, the routes that this concerns turn, and take along what waits on them; nothing is worked out for
// each request.
//
// Requests wait on their route, so that a route turns with all of them at once. A route lives while a request that came
// by it is open, or a service has exactly its name. Of all others, wherever they lead, so many are kept for the next
// request: names that are made up cost that much, however many they are.

import { MAX_NAME_BYTES, type ServiceName, serviceName } from "@pigato/protocol";
import type { CoreOptions } from "./core-options.ts";
import { KeptRoutes } from "./kept-routes.ts";
import { prefixIn, rangeIn, versionIn } from "./names.ts";
import { Offers } from "./offers.ts";
import { newPolicy } from "./policy.ts";
import { Route, Service } from "./records.ts";

/** Routes kept although nobody needs them. Beyond it, one goes that has not been asked for in a while (kept-routes.ts). */
export const MAX_KEPT_ROUTES = 4_096;

/** READY without a name is refused, so that no worker is ever among nobody's. */
const NOBODYS_NAME = serviceName("");

export class Services {
  /** Where a name leads that nobody offers: a service without workers. */
  readonly nobody: Service;
  readonly #options: CoreOptions;
  readonly #offers = new Offers();
  readonly #routes = new Map<ServiceName, Route>();
  /** Those that nobody needs, and some that are needed again. */
  readonly #kept: KeptRoutes;
  /** Routes that ask for a range, by what they ask for a range of. */
  readonly #ranges = new Map<string, Set<Route>>();
  /** How many routes are needed. */
  #needed = 0;

  /** @param mostKept how many routes are kept that nobody needs */
  constructor(options: CoreOptions, mostKept: number = MAX_KEPT_ROUTES) {
    this.#options = options;
    this.#kept = new KeptRoutes(mostKept);
    this.nobody = this.#newService(NOBODYS_NAME);
  }

  /** How many names are offered by workers, or asked for by open requests. */
  get size(): number {
    return this.#needed;
  }

  /** Those that workers offer. */
  values(): IterableIterator<Service> {
    return this.#offers.values();
  }

  /** Whether a name leads to anybody. One that is longer than names are, as a body may hold, does not. */
  hasWorker(name: ServiceName): boolean {
    return name.length <= MAX_NAME_BYTES && this.route(name).service !== this.nobody;
  }

  routes(): IterableIterator<Route> {
    return this.#routes.values();
  }

  /** Where requests for this name go. Only a request that is open on it keeps it for longer than the input at hand. */
  route(name: ServiceName): Route {
    const known = this.#routes.get(name);
    if (known !== undefined) {
      known.isAskedAgain = true;
      return known;
    }
    const route = this.#newRoute(name);
    this.#keep(route);
    return route;
  }

  /** A request has come by this route. */
  onOpened(route: Route): void {
    if (!route.isNeeded) this.#needed += 1;
    route.open += 1;
  }

  /** One that came by this route has ended. */
  onEnded(route: Route): void {
    route.open -= 1;
    if (route.isNeeded) return;
    this.#needed -= 1;
    this.#keep(route);
  }

  /** A worker is about to offer this name. All that waits for it, and cannot be better served, comes along. */
  open(name: ServiceName): Service {
    const known = this.#offers.get(name);
    if (known !== undefined) return known;
    const service = this.#newService(name);
    const own = this.#routes.get(name) ?? this.#newRoute(name);
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
    const own = this.#routes.get(service.name);
    if (own?.isNeeded === false) this.#keep(own);
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
    const { service: before, isNeeded } = route;
    const service = this.#offers.resolve(route.name, route.range) ?? this.nobody;
    if (service === before) return false;
    before.waiting -= route.queue.size;
    before.waitingRoutes.remove(route);
    before.routes.delete(route);
    route.service = service;
    route.isOwn = service.name === route.name;
    this.#needed += Number(route.isNeeded) - Number(isNeeded);
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
    const range = rangeIn(name);
    const route = new Route(name, this.#offers.resolve(name, range) ?? this.nobody, range);
    this.#routes.set(name, route);
    route.service.routes.add(route);
    if (range === undefined) return route;
    const routes = this.#ranges.get(range.base) ?? new Set();
    this.#ranges.set(range.base, routes.add(route));
    return route;
  }

  #keep(route: Route): void {
    const other = route.isKept ? undefined : this.#kept.add(route);
    if (other !== undefined) this.#forget(other);
  }

  #forget(route: Route): void {
    this.#routes.delete(route.name);
    route.service.routes.delete(route);
    const { range } = route;
    const routes = range && this.#ranges.get(range.base);
    routes?.delete(route);
    if (range !== undefined && routes?.size === 0) this.#ranges.delete(range.base);
  }
}
