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

  /** A worker sent a message. */
  beforeMessage(worker: ModelWorker | undefined, message: FromWorker): void {
    if (worker === undefined || (message.type === "ready" && !worker.takesServices)) return;
    worker.isCongested = false;
    if (message.type === "heartbeat") {
      worker.concurrency = message.concurrency ?? worker.concurrency;
      worker.hasBeaten = true;
      worker.settledAt = this.#model.now;
    }
    const request = this.#model.heldUnder(worker, message);
    if (request === undefined) return;
    request.isReceived = true;
    if (message.type !== "reject") return;
    request.release();
    if (!request.canStartOver) request.mayHaveRun = true;
    else if (worker.concurrency > 0) request.rejectedBy.add(worker);
  }

  /** A heartbeat for a worker came from another socket. */
  beforeWorkerHeartbeat(from: PeerId, id: PeerId): void {
    const worker = this.#model.workers.get(id);
    if (worker?.acceptsFrom(from, this.#model.now)) worker.isCongested = false;
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
      const isOwn = (input.type === "from-worker" || input.type === "worker-at-frontend") && input.from === to;
      const hasLeft = isOwn && input.message.type === "disconnect";
      return invariant(!hasLeft, `${to} sent a DISCONNECT and got one`);
    }
    if (message.type === "ready") return this.#seeReady(to);
    if (worker === undefined) return invariant(false, `${to} is not registered and got ${message.type}`);
    // The broker may still send other messages to a worker that is out of reach.
    invariant(!worker.isClosed || message.type !== "request", `${to} is disconnected or gone and got a request`);
    switch (message.type) {
      case "request":
        return this.#seeRequest(worker, message);
      case "cancel":
        invariant(worker.takesCancel, `${to} got a cancel that it did not negotiate`);
        invariant(
          this.#model.recalled.delete(message.address),
          `${to} got a cancel for a request that it does not hold`,
        );
        return;
      case "service-answer":
        return this.#seeServiceAnswer(worker, message);
      case "request-heartbeat":
        return invariant(worker.held.has(message.address), `${to} got a heartbeat for a request that it does not hold`);
      case "credit":
      case "input":
      case "input-end":
        return invariant(
          worker.held.has(message.address),
          `${to} got ${message.type} for a request that it does not hold`,
        );
      case "heartbeat":
        return invariant(
          !message.isDrained || worker.concurrency === 0,
          `${to} counts as drained and may get requests`,
        );
      default:
        message satisfies never;
    }
  }

  #seeReady(to: PeerId): void {
    const { input, now, options, workers, names } = this.#model;
    if (input.type !== "from-worker" || input.message.type !== "ready" || input.from !== to || workers.has(to)) {
      return invariant(false, `${to} got a READY without registering`);
    }
    const { service, offer } = input.message;
    const isSequential = TRAITS[input.dialect]?.isSequential === true;
    const { settleMs, heartbeatMs, heartbeatLiveness } = options;
    const silenceMs = offer === undefined && input.dialect === "pigato" ? heartbeatMs * heartbeatLiveness : 0;
    workers.set(to, new ModelWorker({ id: to, service, offer, isSequential, now, settleMs, silenceMs }));
    names.offer(service);
  }

  #seeServiceAnswer(worker: ModelWorker, { service, refusal }: ToWorker & { readonly type: "service-answer" }): void {
    const { input, names } = this.#model;
    const isAsked = input.type === "from-worker" && input.from === worker.id && input.message.type === "ready";
    invariant(isAsked && input.message.service === service, `${worker.id} got an answer about ${service}`);
    invariant(worker.takesServices, `${worker.id} got an answer that it did not negotiate`);
    if (refusal !== undefined) return invariant(!worker.services.has(service), `${worker.id} lost ${service}`);
    invariant(!service.startsWith("mmi."), `${worker.id} offers ${service}`);
    if (!worker.services.has(service)) names.offer(service);
    worker.services.add(service);
  }

  #seeRequest(worker: ModelWorker, message: ToWorker & { readonly type: "request" }): void {
    const { now, names, options } = this.#model;
    const request = this.#model.requestOf(message.body[0]);
    if (request === undefined) return invariant(false, `${worker.id} got ${message.requestId}, which is not open`);
    const subject = `${request.id} of ${request.client} to ${worker.id}`;
    if (request === this.#model.arriving) this.#model.accept(request);
    invariant(!request.isStoring, `${subject}: the store has not confirmed it`);
    invariant(request.holder === undefined, `${subject}: another worker holds it`);
    invariant(
      request.id === message.requestId && request.service === message.service,
      `${subject}: wrong id or service`,
    );
    invariant(request.input === undefined || worker.takesInput, `${subject}: the worker takes no input`);
    invariant(request.input?.isGranted !== true, `${subject}: its input has begun at another worker`);
    invariant(request.mayGoTo(worker, names), `${subject}: this worker may not get it, or has rejected it`);
    invariant(request.deadlineAt > now, `${subject}: its deadline has passed`);
    invariant(request.lostWorkers < options.maxDispatches, `${subject}: it lost ${request.lostWorkers} workers`);
    this.#checkTags(request, worker, message);
    invariant(now >= worker.settledAt, `${subject}: the concurrency of the worker is unknown`);
    invariant(!worker.isCongested, `${subject}: its connection is congested`);
    invariant(
      worker.held.size < worker.concurrency,
      `${subject}: it holds ${worker.held.size} of ${worker.concurrency}`,
    );
    this.#checkTurn(request, worker, subject);
    request.holder = worker;
    request.servedBy = names.servedAs(request.service);
    request.address = message.address;
    request.isReceived = undefined;
    worker.held.set(message.address, request);
  }

  /** P-CALL-2, P-TAG-1: what a worker gets of a request depends on what it negotiated. */
  #checkTags(request: ModelRequest, worker: ModelWorker, message: ToWorker & { readonly type: "request" }): void {
    const subject = `${request.id} of ${request.client} to ${worker.id}`;
    const { methods = false, deadline = false, headers = false } = worker.offer ?? {};
    invariant(!(methods && message.hasMethodInBody), `${subject}: its method is in the body`);
    const leftMs = request.lastAt - this.#model.now;
    const isExpected = deadline && Number.isFinite(leftMs) ? Math.max(1, Math.floor(leftMs + 0.001)) : undefined;
    invariant(message.deadlineMs === isExpected, `${subject}: ${message.deadlineMs} ms are left, not ${isExpected}`);
    invariant(headers || !message.hasHeaders, `${subject}: it has a frame of headers`);
    invariant(headers || (message.attempt ?? message.caller) === undefined, `${subject}: it has facts of the broker`);
  }

  /** Of the requests for one service that no worker has rejected, the worker gets the one that came first. */
  #checkTurn(request: ModelRequest, worker: ModelWorker, subject: string): void {
    const { names } = this.#model;
    for (const other of this.#model.everyRequest()) {
      if (!this.#haveOneQueue(request, other, worker)) continue;
      // It was given to the worker in this step, and fails after it.
      if (other.input !== undefined && !worker.takesInput) continue;
      const isWaiting = other.holder === undefined && other.rejectedBy.size === 0 && other.mayGoTo(worker, names);
      invariant(!isWaiting || other.number >= request.number, `${subject}: ${other.id} of ${other.client} came first`);
    }
  }

  /** The services of a worker have separate queues. Which one a request for a certain worker joins, no effect shows. */
  #haveOneQueue(request: ModelRequest, other: ModelRequest, { services }: ModelWorker): boolean {
    if (services.size === 1) return true;
    const { names } = this.#model;
    const isForAny = request.options.worker === undefined && other.options.worker === undefined;
    return isForAny && names.servedAs(request.service) === names.servedAs(other.service);
  }
}
