// The invariants between the tables of the core. Tests check them after every input; the check walks all tables.

import type { ServiceName } from "@pigato/protocol";
import { compare } from "semver";
import { heldUnder } from "../dispatch.ts";
import { covers, prefixIn, rangeIn, versionIn } from "../names.ts";
import type { QueuedRequest, Registration, Route, Service, WorkerRecord } from "../queued-request.ts";
import { MAX_CACHED_ROUTES } from "../service-table.ts";
import type { CoreState } from "../state.ts";

/** Throws if the tables contradict each other. */
export function assertConsistent(state: CoreState): void {
  const { services, workers, clients, awayClients } = state;
  const open = new Set<QueuedRequest>();
  for (const client of [...clients.values(), ...awayClients.values()]) {
    for (const request of client.requests) {
      const isFound = client.requests.get(request.id) === request;
      expect(isFound && request.client === client, `request ${request.id} is filed under another id or client`);
      open.add(request);
    }
    expect(client.requests.size === [...client.requests].length, `requests of ${client.id} are filed and not open`);
  }
  expect(open.size === state.open.size, `${state.open.size} requests count as open, ${open.size} are`);

  const placed = new Set<QueuedRequest>();
  const place: Place = (request, where) => {
    expect(open.has(request), `request ${request.id} is ${where} but not open`);
    expect(!placed.has(request), `request ${request.id} is ${where} and somewhere else`);
    placed.add(request);
  };
  for (const request of open) {
    if (request.location.at === "store") place(request, "on its way into the store");
    if (request.location.at === "client") place(request, "answered");
  }
  checkRoutes(state, open);
  for (const service of [services.unserved, ...services.values()]) checkService(state, service, place);
  let inFlight = 0;
  let registrations = 0;
  for (const worker of workers.values()) {
    checkWorker(state, worker, place);
    inFlight += worker.inFlight.size;
    registrations += worker.registrations.length;
  }
  expect(registrations === state.registrations, `${state.registrations} services are offered, not ${registrations}`);
  expect(inFlight === state.inFlight, `${state.inFlight} requests count as in flight, ${inFlight} are`);
  expect(placed.size === open.size, `${open.size} requests are open, ${placed.size} have a location`);
  checkPinned(state, open);
  checkReplyCache(state);
  checkHeldReplies(state);
  checkStoredRequests(state, open);
}

type Place = (request: QueuedRequest, where: string) => void;

/** Every requested name resolves to the right service, and its counts are correct. */
function checkRoutes({ services }: CoreState, open: ReadonlySet<QueuedRequest>): void {
  const all = [...services.values()];
  const openOn = new Map<Route, number>();
  const waitingOn = new Map<Route, number>();
  for (const request of open) {
    count(openOn, request.route);
    if (request.location.at !== "worker" && request.location.at !== "client") count(waitingOn, request.route);
  }
  const routes = new Set(services.routes());
  let needed = 0;
  let kept = 0;
  for (const route of routes) {
    const { name, service } = route;
    const should = leadsTo(name, all) ?? services.unserved;
    expect(
      service === should,
      `${name} leads to ${service.name || "no service"}, not to ${should.name || "no service"}`,
    );
    expect(services.routesOf(service).has(route), `the service ${service.name} does not know that ${name} leads there`);
    expect(route.open === (openOn.get(route) ?? 0), `${route.open} requests for ${name} count as open`);
    expect(route.waiting === (waitingOn.get(route) ?? 0), `${route.waiting} requests for ${name} count as waiting`);
    expect(
      route.isExact === (service.name === name),
      `${name} does not know whether it leads to a service of that name`,
    );
    const isNeeded = (openOn.get(route) ?? 0) > 0 || all.some((service) => service.name === name);
    expect(isNeeded || route.isCached, `the route ${name} is neither needed nor cached`);
    if (isNeeded) needed += 1;
    if (route.isCached) kept += 1;
  }
  for (const { route } of open) expect(routes.has(route), `the route ${route.name} is forgotten with requests open`);
  expect(kept <= MAX_CACHED_ROUTES, `${kept} routes are cached`);
  expect(services.size === needed, `${services.size} names count as asked for or offered, ${needed} are`);
  for (const service of [services.unserved, ...all]) {
    for (const route of services.routesOf(service)) {
      expect(routes.has(route), `a forgotten route leads to the service ${service.name}`);
    }
  }
}

/** P-NAME-2, by a linear search. */
function leadsTo(name: ServiceName, services: readonly Service[]): Service | undefined {
  let best: Service | undefined;
  for (const service of services) {
    if (service.name === name) return service;
    if (!covers(service.name, name, rangeIn(name))) continue;
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

function checkService({ services }: CoreState, service: Service, place: Place): void {
  const { name, rejected, available, waitingRoutes } = service;
  let first = Number.POSITIVE_INFINITY;
  let waitingOn = 0;
  let waiting = 0;
  for (const route of services.routesOf(service)) {
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
  for (const request of rejected) {
    place(request, `rejected in ${name}`);
    expect(request.route.service === service, `request ${request.id} waits at ${name}, where its name does not lead`);
    waiting += 1;
    expect(request.location === service.rejectedLocation, `request ${request.id} does not know that it was rejected`);
  }
  let free = 0;
  let listed = 0;
  for (const [worker, registration] of service.workers) {
    const isRight = registration.service === service && registration.worker === worker;
    expect(isRight, `worker ${worker.id} is filed under another service`);
    waiting += registration.targeted.size;
    if (registration.isListed) listed += 1;
    if (registration.isListed && !worker.hasFreeSlot) checkNothingWaits(registration, name);
    if (!worker.hasFreeSlot) continue;
    free += 1;
    for (const request of rejected) {
      expect(request.rejectedBy?.has(worker) === true, `${worker.id} is idle while a request waits that it could take`);
    }
  }
  expect(waiting === service.waiting, `${service.waiting} requests count as waiting at ${name}, ${waiting} do`);
  expect(listed === available.size, `${available.size} workers of ${name} count as available, ${listed} do`);
  expect(free === 0 || waitingOn === 0, `a worker of ${name} is idle while requests wait`);
  expect(service.workers.size > 0 === (name !== ""), `the service "${name}" should have no workers, or should`);
}

/** A worker without a free slot may be listed as long as no request for that service could go to it. */
function checkNothingWaits({ worker, service, targeted }: Registration, name: string): void {
  const isPassed = service.waitingRoutes.size === 0 && targeted.size === 0;
  expect(isPassed, `${worker.id} has no free slot and no turn, while requests for ${name} wait`);
  for (const request of service.rejected) {
    expect(request.rejectedBy?.has(worker) === true, `${worker.id} has no turn for a rejected request to ${name}`);
  }
}

function checkQueue({ name, queue, queueLocation }: Route, place: Place): void {
  let last = 0;
  for (const request of queue) {
    place(request, `queued for ${name}`);
    expect(request.route.name === name, `request ${request.id} is queued for another name than its own`);
    expect(request.number > last, `request ${request.id} is queued behind one that came later`);
    expect(request.rejectedBy === undefined, `request ${request.id} was rejected and waits with those that were not`);
    last = request.number;
    expect(request.location === queueLocation, `request ${request.id} does not know that it is queued`);
  }
}

function checkWorker(state: CoreState, worker: WorkerRecord, place: Place): void {
  const { id, inFlight, registrations } = worker;
  for (const request of inFlight) {
    place(request, `in flight at ${id}`);
    expect(heldUnder(state, request.address, worker) === request, `${id} cannot speak of request ${request.id}`);
    const isKnown = registrations.some(({ heldLocation }) => request.location === heldLocation);
    expect(isKnown, `request ${request.id} does not know that ${id} holds it`);
  }
  expect((worker.state === "available") === worker.hasFreeSlot, `${id} is in the wrong state`);
  for (const registration of registrations) checkRegistration(registration, place);
  const inTurns = registrations.filter(({ isListed }) => !isListed).length;
  expect(worker.turns.size === inTurns, `${worker.turns.size} services of ${id} have a turn, not ${inTurns}`);
}

function checkRegistration(registration: Registration, place: Place): void {
  const { worker, service, targeted, name, isListed, isShared } = registration;
  const { id, registrations, offers } = worker;
  expect(service.workers.get(worker) === registration, `${id} is not filed under ${name}`);
  expect(isShared === registrations.length > 1, `${id} does not know whether ${name} is its only service`);
  expect(offers === undefined || offers.get(name) === registration, `${id} does not find its service ${name}`);
  if (worker.hasFreeSlot) expect(isListed, `${id} has a free slot and is not listed at ${name}`);
  else if (!isShared) expect(!isListed, `${id} has no free slot and is listed at its only service`);
  for (const request of targeted) {
    place(request, `waiting for ${id}`);
    const isKnown = request.location === registration.targetLocation;
    expect(isKnown, `request ${request.id} does not know that it waits for ${id}`);
    expect(!worker.hasFreeSlot, `${id} is idle while a request waits for it`);
  }
}

/** What the buffers of open requests hold besides their frames is counted, once for requests that follow each other. */
function checkPinned({ pinned }: CoreState, open: ReadonlySet<QueuedRequest>): void {
  let bytes = 0;
  for (const request of pinned) {
    expect(open.has(request), `request ${request.id} has ended and pins memory`);
    const { pinnedBuffer, pinnedPrev } = request;
    if (pinnedPrev?.pinnedBuffer !== pinnedBuffer) bytes += pinnedBuffer?.byteLength ?? 0;
    for (const frame of [...request.body, ...request.trailer]) {
      bytes -= frame.length;
      if (frame.buffer !== pinnedBuffer) bytes += frame.buffer.byteLength;
    }
  }
  expect(bytes === pinned.bytes, `${pinned.bytes} bytes count as pinned, ${bytes} are`);
}

function checkReplyCache({ replyCache }: CoreState): void {
  const { cached, collectedBytes, countedBytes } = replyCache.audit();
  expect(cached === replyCache.size, `${replyCache.size} replies are cached, ${cached} count`);
  expect(collectedBytes === countedBytes, `${collectedBytes} bytes of replies are collected, ${countedBytes} count`);
}

function checkHeldReplies({ heldReplies }: CoreState): void {
  let size = 0;
  let bytes = 0;
  let complete = 0;
  for (const reply of heldReplies.values()) {
    if (reply.messages.length > 0) size += 1;
    bytes += reply.bytes;
    if (reply.isComplete) complete += 1;
  }
  expect(size === heldReplies.size, `${heldReplies.size} replies count as held, ${size} are`);
  expect(bytes === heldReplies.bytes, `${heldReplies.bytes} bytes of replies count as held, ${bytes} are`);
  expect(complete === heldReplies.complete.size, `${heldReplies.complete.size} replies count as complete`);
}

/** The table has exactly the open requests that are persistent. */
function checkStoredRequests({ storedRequests }: CoreState, open: ReadonlySet<QueuedRequest>): void {
  let persistent = 0;
  for (const request of open) {
    if (!request.options.persist) continue;
    persistent += 1;
    const entry = storedRequests.of(request);
    const isRight = entry?.request === request && storedRequests.get(entry.key) === entry && entry.state !== "deleting";
    expect(isRight, `request ${request.id} is not in the store`);
    expect(
      (entry?.state === "storing") === (request.location.at === "store"),
      `request ${request.id} is not where the store has it`,
    );
  }
  expect(persistent === storedRequests.open.requests, "an ended request is still stored");
  checkStoredUsage(storedRequests.open.bytes, open);
}

function checkStoredUsage(openBytes: number, open: ReadonlySet<QueuedRequest>): void {
  const stored = [...open].filter(({ options }) => options.persist);
  expect(openBytes === bytesIn(stored), `${openBytes} bytes count as stored`);
  for (const client of new Set([...open].map(({ client }) => client))) {
    const own = stored.filter((request) => request.client === client);
    const { requests, bytes } = client.stored;
    const isRight = requests === own.length && bytes === bytesIn(own);
    expect(isRight, `${requests} requests and ${bytes} bytes of ${client.id} count as stored`);
    expect(client.requests.bytes === bytesIn(client.requests), `the bytes of ${client.id} do not add up`);
  }
}

function bytesIn(requests: Iterable<QueuedRequest>): number {
  let sum = 0;
  for (const { bytes } of requests) sum += bytes;
  return sum;
}

function count(counts: Map<Route, number>, route: Route): void {
  counts.set(route, (counts.get(route) ?? 0) + 1);
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`inconsistent: ${otherwise}`);
}
