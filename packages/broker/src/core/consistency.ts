// What must hold between the core's tables after every input. Tests call it after each step; the broker never does.

import type { Dispatcher } from "./dispatcher.ts";
import type { Client, Request, Service, Worker } from "./records.ts";

interface Tables {
  readonly services: Iterable<Service>;
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
  for (const service of services) checkService(service, place);
  let inFlight = 0;
  for (const worker of workers) {
    checkWorker(worker, place, dispatcher);
    inFlight += worker.inFlight.size;
  }
  expect(inFlight === dispatcher.inFlight, `${dispatcher.inFlight} requests count as in flight, ${inFlight} are`);
  expect(placed.size === open.size, `${open.size} requests are open, ${placed.size} have a place`);
}

type Place = (request: Request, where: string) => void;

function checkService(service: Service, place: Place): void {
  const { name, queue, declined, available } = service;
  let waiting = 0;
  let open = 0;
  let last = 0;
  for (const request of queue) {
    place(request, `queued for ${name}`);
    expect(request.number > last, `request ${request.id} is queued behind one that came later`);
    last = request.number;
    expect(request.place === service.awaits, `request ${request.id} does not know that it is queued`);
    waiting += 1;
  }
  for (const request of declined) {
    place(request, `declined in ${name}`);
    expect(request.place === service.awaitsOthers, `request ${request.id} does not know that it was declined`);
    waiting += 1;
  }
  let free = 0;
  for (const worker of service.workers) {
    expect(worker.service === service, `worker ${worker.id} is filed under another service`);
    waiting += worker.targeted.size;
    open += worker.inFlight.size;
    if (!worker.hasFreeSlot) continue;
    free += 1;
    for (const request of declined) {
      expect(request.rejectedBy?.has(worker) === true, `${worker.id} is idle while a request waits that it could take`);
    }
  }
  open += waiting;
  expect(open === service.open, `${service.open} requests for ${name} count as open, ${open} are`);
  expect(queue.size + declined.size <= waiting, `a queue of ${name} counts more than it has`);
  expect(waiting === service.waiting, `${service.waiting} requests count as waiting for ${name}, ${waiting} do`);
  expect(free === available.size, `${available.size} workers of ${name} count as available, ${free} are`);
  expect(free === 0 || queue.size === 0, `a worker of ${name} is idle while requests wait`);
  expect(service.workers.size > 0 || open > 0, `the service ${name} has neither workers nor requests`);
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

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`inconsistent: ${otherwise}`);
}
