// Rows of the core's tables for unit tests of what works on them: real ones, but filed nowhere.

import {
  DEFAULT_REQUEST_OPTIONS,
  Deadlines,
  NO_CAPABILITIES,
  peerId,
  pigato,
  requestId,
  type ServiceName,
  serviceName,
} from "@pigato/protocol";
import { OpenRequests } from "../open-requests.ts";
import { newPolicy } from "../policy.ts";
import { Client, type Due, Request, Route, Service, Worker } from "../records.ts";

const deadlines = new Deadlines<Due>();
const service = aService(serviceName("echo"));
const route = new Route(service.name, service);
const someone = aClient("c1", new OpenRequests(() => 0));

export function aClient(name: string, open: OpenRequests): Client {
  return new Client(peerId(name), pigato.id, pigato.traits, 60_000, open, deadlines);
}

export function aService(name: ServiceName): Service {
  return new Service(
    name,
    newPolicy("lru", () => 0),
  );
}

export function aWorker(name: string): Worker {
  return new Worker(peerId(name), pigato.id, pigato.traits, service, NO_CAPABILITIES, deadlines);
}

/** @param number its place in the order of arrival */
export function aRequest(number: number): Request {
  return aRequestOf(someone, number);
}

/** @param number its place in the order of arrival, and in its id */
export function aRequestOf(client: Client, number: number): Request {
  return new Request(number, client, route, {
    type: "request",
    service: service.name,
    requestId: requestId(`r${number}`),
    body: [],
    trailer: [],
    options: DEFAULT_REQUEST_OPTIONS,
  });
}

/** Makes a worker hold so many requests. */
export function setLoad(worker: Worker, load: number): void {
  for (const request of worker.inFlight) worker.inFlight.remove(request);
  for (let number = 1; number <= load; number++) worker.inFlight.append(aRequest(number));
}
