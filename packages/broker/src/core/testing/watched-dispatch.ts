// No worker gets more than it takes, what is not for it, or anything after a DISCONNECT; requests leave in order of arrival.

import type { FromWorker, PeerId, ToWorker } from "@pigato/protocol";
import type { Input } from "../effects.ts";
import type { Books } from "./books.ts";
import { TRAITS } from "./dialects.ts";
import { promise, type WatchedRequest, WatchedWorker } from "./watched.ts";

export class WatchedDispatch {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  /** A worker has said something. */
  beforeMessage(worker: WatchedWorker | undefined, message: FromWorker): void {
    if (worker === undefined || message.type === "ready") return;
    worker.isCongested = false;
    if (message.type === "heartbeat") {
      worker.concurrency = message.concurrency ?? worker.concurrency;
      worker.settledAt = this.#books.now;
    }
    const request = this.#books.heldUnder(worker, message);
    if (request === undefined) return;
    request.isReceived = true;
    if (message.type !== "reject") return;
    request.release();
    if (request.hasPartial) request.mayHaveRun = true;
    else if (worker.concurrency > 0) request.rejectedBy.add(worker);
  }

  /** Somebody has spoken for a worker. */
  beforeHeard(id: PeerId): void {
    const worker = this.#books.workers.get(id);
    if (worker) worker.isCongested = false;
  }

  beforeUndelivered({ to, address, reason }: Input & { readonly type: "request-undelivered" }): void {
    const worker = this.#books.workers.get(to);
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
    const worker = this.#books.workers.get(to);
    if (message.type === "disconnect") {
      if (worker) worker.isClosed = true;
      const { input } = this.#books;
      const isItsOwn = (input.type === "from-worker" || input.type === "worker-at-frontend") && input.from === to;
      const saidGoodbye = isItsOwn && input.message.type === "disconnect";
      return promise(!saidGoodbye, `${to} said goodbye and was disconnected`);
    }
    if (message.type === "ready") return this.#seeReady(to);
    if (worker === undefined) return promise(false, `${to} is no worker and got ${message.type}`);
    // To one out of reach the broker may still try to talk; one told to go must hear nothing more.
    promise(!worker.isClosed || message.type !== "request", `${to} was told to go, or is gone, and got a request`);
    switch (message.type) {
      case "request":
        return this.#seeRequest(worker, message);
      case "cancel":
        promise(worker.takesCancel, `${to} does not know cancel and got one`);
        promise(this.#books.recalled.delete(message.address), `${to} got a cancel for what it does not hold`);
        return;
      case "request-heartbeat":
        return promise(worker.held.has(message.address), `${to} got a heartbeat for what it does not hold`);
      case "credit":
        return promise(worker.held.has(message.address), `${to} got a grant for what it does not hold`);
      case "heartbeat":
        return;
      default:
        promise(false, `${to} got ${message.type}, which is not built yet`);
    }
  }

  #seeReady(to: PeerId): void {
    const { input, now, options, workers, names } = this.#books;
    if (input.type !== "from-worker" || input.message.type !== "ready" || input.from !== to || workers.has(to)) {
      return promise(false, `${to} got a READY that it did not ask for`);
    }
    const { service, offer } = input.message;
    workers.set(
      to,
      new WatchedWorker(to, service, offer, TRAITS[input.dialect]?.isSequential === true, now, options.settleMs),
    );
    names.offer(service);
  }

  #seeRequest(worker: WatchedWorker, message: ToWorker & { readonly type: "request" }): void {
    const { now, names } = this.#books;
    const request = this.#books.requestOf(message.body[0]);
    if (request === undefined) return promise(false, `${worker.id} got ${message.requestId}, which is not open`);
    const what = `${request.id} of ${request.client} to ${worker.id}`;
    if (request === this.#books.arriving) this.#books.accept(request);
    promise(!request.isStoring, `${what}: before it is stored`);
    promise(request.holder === undefined, `${what}: another worker holds it`);
    promise(request.id === message.requestId && request.service === message.service, `${what}: under a wrong name`);
    promise(request.suits(worker, names), `${what}: not for this worker, or declined by it`);
    promise(request.deadlineAt > now, `${what}: after its deadline`);
    promise(now >= worker.settledAt, `${what}: before its concurrency is known`);
    promise(!worker.isCongested, `${what}: it takes no more for now`);
    promise(worker.held.size < worker.concurrency, `${what}: it has ${worker.held.size} of ${worker.concurrency}`);
    this.#checkTurn(request, worker, what);
    request.holder = worker;
    request.address = message.address;
    request.isReceived = undefined;
    worker.held.set(message.address, request);
  }

  /** Of what was never declined, the worker gets what came first. */
  #checkTurn(request: WatchedRequest, worker: WatchedWorker, what: string): void {
    const { names } = this.#books;
    for (const other of this.#books.everyRequest()) {
      const isWaiting = other.holder === undefined && other.rejectedBy.size === 0 && other.suits(worker, names);
      promise(!isWaiting || other.number >= request.number, `${what}: ${other.id} of ${other.client} came first`);
    }
  }
}
