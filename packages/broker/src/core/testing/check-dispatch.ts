// Dispatch: no worker gets more than its concurrency, a request that is not for it, or anything after a DISCONNECT. Requests
// leave in order of arrival.

import type { FromWorker, PeerId, ToWorker } from "@pigato/protocol";
import type { Input } from "../effects.ts";
import { TRAITS } from "./dialects.ts";
import type { Model } from "./model.ts";
import { invariant, type ModelRequest, ModelWorker } from "./model-records.ts";

export class DispatchChecks {
  readonly #model: Model;

  constructor(model: Model) {
    this.#model = model;
  }

  /** A worker has said something. */
  beforeMessage(worker: ModelWorker | undefined, message: FromWorker): void {
    if (worker === undefined || message.type === "ready") return;
    worker.isCongested = false;
    if (message.type === "heartbeat") {
      worker.concurrency = message.concurrency ?? worker.concurrency;
      worker.settledAt = this.#model.now;
    }
    const request = this.#model.heldUnder(worker, message);
    if (request === undefined) return;
    request.isReceived = true;
    if (message.type !== "reject") return;
    request.release();
    if (request.hasPartial) request.mayHaveRun = true;
    else if (worker.concurrency > 0) request.rejectedBy.add(worker);
  }

  /** Somebody has spoken for a worker. */
  beforeVouched(id: PeerId): void {
    const worker = this.#model.workers.get(id);
    if (worker) worker.isCongested = false;
  }

  beforeUndelivered({ to, address, reason }: Input & { readonly type: "request-undelivered" }): void {
    const worker = this.#model.workers.get(to);
    const request = worker?.held.get(address);
    if (worker === undefined || request === undefined) return;
    if (reason === "unreachable") {
      worker.isClosed = true;
      request.isReceived ??= false;
    } else {
      worker.isCongested = true;
      if (!request.isReceived) request.release();
    }
  }

  seeToWorker(to: PeerId, message: ToWorker): void {
    const worker = this.#model.workers.get(to);
    if (message.type === "disconnect") {
      if (worker) worker.isClosed = true;
      const { input } = this.#model;
      const isItsOwn = (input.type === "from-worker" || input.type === "worker-at-frontend") && input.from === to;
      const saidGoodbye = isItsOwn && input.message.type === "disconnect";
      return invariant(!saidGoodbye, `${to} said goodbye and was disconnected`);
    }
    if (message.type === "ready") return this.#seeReady(to);
    if (worker === undefined) return invariant(false, `${to} is no worker and got ${message.type}`);
    // To one out of reach the broker may still try to talk; one told to go must hear nothing more.
    invariant(!worker.isClosed || message.type !== "request", `${to} was told to go, or is gone, and got a request`);
    switch (message.type) {
      case "request":
        return this.#seeRequest(worker, message);
      case "cancel":
        invariant(worker.takesCancel, `${to} does not know cancel and got one`);
        invariant(this.#model.recalled.delete(message.address), `${to} got a cancel for what it does not hold`);
        return;
      case "request-heartbeat":
        return invariant(worker.held.has(message.address), `${to} got a heartbeat for what it does not hold`);
      case "credit":
        return invariant(worker.held.has(message.address), `${to} got a grant for what it does not hold`);
      case "heartbeat":
        return;
      default:
        invariant(false, `${to} got ${message.type}, which is not built yet`);
    }
  }

  #seeReady(to: PeerId): void {
    const { input, now, options, workers, names } = this.#model;
    if (input.type !== "from-worker" || input.message.type !== "ready" || input.from !== to || workers.has(to)) {
      return invariant(false, `${to} got a READY that it did not ask for`);
    }
    const { service, offer } = input.message;
    workers.set(
      to,
      new ModelWorker(to, service, offer, TRAITS[input.dialect]?.isSequential === true, now, options.settleMs),
    );
    names.offer(service);
  }

  #seeRequest(worker: ModelWorker, message: ToWorker & { readonly type: "request" }): void {
    const { now, names } = this.#model;
    const request = this.#model.requestOf(message.body[0]);
    if (request === undefined) return invariant(false, `${worker.id} got ${message.requestId}, which is not open`);
    const what = `${request.id} of ${request.client} to ${worker.id}`;
    if (request === this.#model.arriving) this.#model.accept(request);
    invariant(!request.isStoring, `${what}: before it is stored`);
    invariant(request.holder === undefined, `${what}: another worker holds it`);
    invariant(request.id === message.requestId && request.service === message.service, `${what}: under a wrong name`);
    invariant(request.suits(worker, names), `${what}: not for this worker, or declined by it`);
    invariant(request.deadlineAt > now, `${what}: after its deadline`);
    invariant(now >= worker.settledAt, `${what}: before its concurrency is known`);
    invariant(!worker.isCongested, `${what}: it takes no more for now`);
    invariant(worker.held.size < worker.concurrency, `${what}: it has ${worker.held.size} of ${worker.concurrency}`);
    this.#checkTurn(request, worker, what);
    request.holder = worker;
    request.address = message.address;
    request.isReceived = undefined;
    worker.held.set(message.address, request);
  }

  /** Of what was never declined, the worker gets what came first. */
  #checkTurn(request: ModelRequest, worker: ModelWorker, what: string): void {
    const { names } = this.#model;
    for (const other of this.#model.everyRequest()) {
      const isWaiting = other.holder === undefined && other.rejectedBy.size === 0 && other.suits(worker, names);
      invariant(!isWaiting || other.number >= request.number, `${what}: ${other.id} of ${other.client} came first`);
    }
  }
}
