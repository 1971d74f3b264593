// Records for unit tests of the tables: real records that are in no table.

import {
  DEFAULT_REQUEST_OPTIONS,
  NO_CAPABILITIES,
  peerId,
  pigato,
  requestId,
  type ServiceName,
  serviceName,
} from "@pigato/protocol";
import { Deadlines } from "@pigato/protocol/internal";
import { ClientRecordOf } from "../client-record.ts";
import { ClientRequests, OpenRequests } from "../open-requests.ts";
import { newPolicy } from "../policy.ts";
import {
  type ClientRecord,
  QueuedRequest,
  type Registration,
  type Route,
  type Service,
  type WorkerRecord,
} from "../queued-request.ts";
import { RouteOf } from "../route.ts";
import { ServiceOf } from "../service.ts";
import type { Timer } from "../timer.ts";
import { WorkerRecordOf } from "../worker-record.ts";

const timers = new Deadlines<Timer>();
const service = aService(serviceName("echo"));
const route = aRoute(service.name, service);
const client = aClient("c1", new OpenRequests(() => 0));

export function aClient(name: string, open: OpenRequests<QueuedRequest>): ClientRecord {
  const id = peerId(name);
  return new ClientRecordOf({
    id,
    dialect: pigato.id,
    traits: pigato.traits,
    requests: new ClientRequests(open.ids, open.newSalt()),
    leaseMs: 60_000,
    lease: timers.entry({ kind: "client-lease", client: id }),
    awayLease: timers.entry({ kind: "away-lease", client: id }),
  });
}

export function aService(name: ServiceName): Service {
  return new ServiceOf<Registration, QueuedRequest>(
    name,
    newPolicy("lru", () => 0),
  );
}

export function aRoute(name: ServiceName, to: Service): Route {
  return new RouteOf(name, to);
}

export function aWorker(name: string): WorkerRecord {
  const id = peerId(name);
  return new WorkerRecordOf<QueuedRequest>({
    id,
    dialect: pigato.id,
    traits: pigato.traits,
    service,
    capabilities: NO_CAPABILITIES,
    processHeartbeats: undefined,
    lease: timers.entry({ kind: "worker-lease", worker: id }),
    settling: timers.entry({ kind: "worker-settling", worker: id }),
  });
}

/** A worker at its only service. */
export function aRegistration(name: string): Registration {
  return aWorker(name).first;
}

/** @param number its place in the order of arrival */
export function aRequest(number: number): QueuedRequest {
  return aRequestOf(client, number);
}

/** @param number its place in the order of arrival, and in its id */
export function aRequestOf(client: ClientRecord, number: number): QueuedRequest {
  const request = new QueuedRequest(client, route, {
    type: "request",
    service: service.name,
    requestId: requestId(`r${number}`),
    body: [],
    trailer: [],
    options: DEFAULT_REQUEST_OPTIONS,
  });
  request.number = number;
  return request;
}

/** Makes a worker hold this many requests. */
export function setLoad(worker: Pick<WorkerRecord, "inFlight"> | undefined, load: number): void {
  if (worker === undefined) return;
  for (const request of worker.inFlight) worker.inFlight.remove(request);
  for (let number = 1; number <= load; number++) worker.inFlight.append(aRequest(number));
}
