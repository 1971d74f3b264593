// What must hold between the core's tables after every input. Tests call it after each step; the broker never does.

import type { ServiceName } from "@pigato/protocol";
import { compare } from "semver";
import type { Dispatcher } from "./dispatcher.ts";
import { covers, prefixIn, versionIn } from "./names.ts";
import type { Client, Request, Route, Service, Worker } from "./records.ts";
import { MAX_KEPT_ROUTES, type Services } from "./services.ts";

interface Tables {
  readonly services: Services;
  readonly workers: Iterable<Worker>;
  readonly clients: Iterable<Client>;
  readonly dispatcher: Dispatcher;
  readonly openCount: number;
}

export function assertConsistent({ services, workers, clients, dispatcher, openCount }: Tables): void {
  const open = new Set<Request>();
  for (const client of clients) {
    for (const request of client.requests) {
      const isFound = client.requests.get(request.id) === request;
      expect(isFound && request.client === client, `request ${request.id} is filed under another id or client`);
      open.add(request);
    }
    expect(client.requests.size === [...client.requests].length, `requests of ${client.id} are filed and not open`);
  }
  expect(open.size === openCount, `${openCount} requests count as open, ${open.size} are`);

  const placed = new Set<Request>();
  const place: Place = (request, where) => {
    expect(open.has(request), `request ${request.id} is ${where} but not open`);
    expect(!placed.has(request), `request ${request.id} is ${where} and somewhere else`);
    placed.add(request);
  };
  for (const request of open) {
    if (request.place.at === "store") place(request, "on its way into the store");
    if (request.place.at === "client") place(request, "answered");
  }
  checkRoutes(services, open);
  for (const service of [services.nobody, ...services.values()]) checkService(service, place);
  let inFlight = 0;
  for (const worker of workers) {
    checkWorker(worker, place, dispatcher);
    inFlight += worker.inFlight.size;
  }
  expect(inFlight === dispatcher.inFlight, `${dispatcher.inFlight} requests count as in flight, ${inFlight} are`);
  expect(placed.size === open.size, `${open.size} requests are open, ${placed.size} have a place`);
}

type Place = (request: Request, where: string) => void;

/** Every name that is asked for leads where it should, and its counts add up. */
function checkRoutes(services: Services, open: ReadonlySet<Request>): void {
  const all = [...services.values()];
  const openOn = new Map<Route, number>();
  const waitingOn = new Map<Route, number>();
  for (const request of open) {
    count(openOn, request.route);
    if (request.place.at !== "worker" && request.place.at !== "client") count(waitingOn, request.route);
  }
  const routes = new Set(services.routes());
  let needed = 0;
  let kept = 0;
  for (const route of routes) {
    const { name, service } = route;
    const should = leadsTo(name, all) ?? services.nobody;
    expect(service === should, `${name} leads to ${service.name || "nobody"}, not to ${should.name || "nobody"}`);
    expect(service.routes.has(route), `the service ${service.name} does not know that ${name} leads there`);
    expect(route.open === (openOn.get(route) ?? 0), `${route.open} requests for ${name} count as open`);
    expect(route.waiting === (waitingOn.get(route) ?? 0), `${route.waiting} requests for ${name} count as waiting`);
    expect(route.isOwn === (service.name === name), `${name} does not know whether it leads to a service of that name`);
    const isNeeded = (openOn.get(route) ?? 0) > 0 || all.some((service) => service.name === name);
    expect(isNeeded || route.isKept, `nobody needs the route ${name}, and it is not among those that are kept`);
    if (isNeeded) needed += 1;
    if (route.isKept) kept += 1;
  }
  for (const { route } of open) expect(routes.has(route), `the route ${route.name} is forgotten with requests open`);
  expect(kept <= MAX_KEPT_ROUTES, `${kept} routes are kept for the next request`);
  expect(services.size === needed, `${services.size} names count as asked for or offered, ${needed} are`);
  for (const { routes: known, name } of [services.nobody, ...all]) {
    for (const route of known) expect(routes.has(route), `the service ${name} knows a forgotten route`);
  }
}

/** The rule of P-NAME-2, by looking at all there is. */
function leadsTo(name: ServiceName, services: readonly Service[]): Service | undefined {
  let best: Service | undefined;
  for (const service of services) {
    if (service.name === name) return service;
    if (!covers(service.name, name)) continue;
    if (best === undefined || isBetter(service.name, best.name)) best = service;
  }
  return best;
}

/** Of two that cover the same name and are not it: a version before a wildcard, the higher, the longer. */
function isBetter(one: ServiceName, other: ServiceName): boolean {
  const version = versionIn(one)?.version;
  const otherVersion = versionIn(other)?.version;
  if (version !== undefined && otherVersion !== undefined) return compare(version, otherVersion) > 0;
  if (version !== undefined || otherVersion !== undefined) return version !== undefined;
  return (prefixIn(one) ?? "").length > (prefixIn(other) ?? "").length;
}

function checkService(service: Service, place: Place): void {
  const { name, declined, available, waitingRoutes } = service;
  let first = Number.POSITIVE_INFINITY;
  let waitingOn = 0;
  let waiting = 0;
  for (const route of service.routes) {
    expect(route.service === service, `${route.name} is filed under ${name}, where it does not lead`);
    checkQueue(route, place);
    const { size } = route.queue;
    expect(waitingRoutes.has(route) === size > 0, `${size} requests for ${route.name} wait, and ${name} does not know`);
    first = Math.min(first, route.queue.first?.number ?? first);
    if (size > 0) waitingOn += 1;
    waiting += size;
  }
  const turn = waitingRoutes.first?.queue.first?.number ?? Number.POSITIVE_INFINITY;
  expect(turn === first, `it is the turn of request number ${turn} at ${name}, not of number ${first}`);
  expect(
    waitingOn === waitingRoutes.size,
    `requests wait for ${waitingRoutes.size} names at ${name}, not ${waitingOn}`,
  );
  for (const request of declined) {
    place(request, `declined in ${name}`);
    expect(request.route.service === service, `request ${request.id} waits at ${name}, where its name does not lead`);
    waiting += 1;
    expect(request.place === service.awaitsOthers, `request ${request.id} does not know that it was declined`);
  }
  let free = 0;
  for (const worker of service.workers) {
    expect(worker.service === service, `worker ${worker.id} is filed under another service`);
    waiting += worker.targeted.size;
    if (!worker.hasFreeSlot) continue;
    free += 1;
    for (const request of declined) {
      expect(request.rejectedBy?.has(worker) === true, `${worker.id} is idle while a request waits that it could take`);
    }
  }
  expect(waiting === service.waiting, `${service.waiting} requests count as waiting at ${name}, ${waiting} do`);
  expect(free === available.size, `${available.size} workers of ${name} count as available, ${free} are`);
  expect(free === 0 || waitingOn === 0, `a worker of ${name} is idle while requests wait`);
  expect(service.workers.size > 0 === (name !== ""), `the service "${name}" should have no workers, or should`);
}

function checkQueue({ name, queue, awaits }: Route, place: Place): void {
  let last = 0;
  for (const request of queue) {
    place(request, `queued for ${name}`);
    expect(request.route.name === name, `request ${request.id} is queued for another name than its own`);
    expect(request.number > last, `request ${request.id} is queued behind one that came later`);
    expect(request.rejectedBy === undefined, `request ${request.id} was declined and waits with those that were not`);
    last = request.number;
    expect(request.place === awaits, `request ${request.id} does not know that it is queued`);
  }
}

function checkWorker(worker: Worker, place: Place, dispatcher: Dispatcher): void {
  const { id, inFlight, targeted } = worker;
  for (const request of inFlight) {
    place(request, `in flight at ${id}`);
    expect(dispatcher.heldUnder(request.address, worker) === request, `${id} cannot speak of request ${request.id}`);
    expect(request.place === worker.holds, `request ${request.id} does not know that ${id} holds it`);
  }
  for (const request of targeted) {
    place(request, `waiting for ${id}`);
    expect(request.place === worker.awaits, `request ${request.id} does not know that it waits for ${id}`);
    expect(!worker.hasFreeSlot, `${id} is idle while a request waits for it`);
  }
  expect(worker.isAvailable === worker.hasFreeSlot, `${id} is in the wrong list`);
}

function count(counts: Map<Route, number>, route: Route): void {
  counts.set(route, (counts.get(route) ?? 0) + 1);
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`inconsistent: ${otherwise}`);
}
