// The life of a request at the broker: accepted within bounds, placed, ended exactly once. Whoever ends a request says
// how; that the slot is freed, the deadline cleared and the client told is seen to here.

import {
  addCredit,
  type Deadlines,
  display,
  type Failure,
  type FailureCode,
  type FromClient,
  type Instant,
  MAX_CREDIT,
  type RequestId,
  type ServiceName,
} from "@pigato/protocol";
import { Admission, isWithin } from "./admission.ts";
import type { CoreOptions } from "./core-options.ts";
import { type Dispatcher, hasDeclinedAll } from "./dispatcher.ts";
import { deliveryOf, describe } from "./failures.ts";
import { HeldAnswers } from "./held-answers.ts";
import type { OpenRequests } from "./open-requests.ts";
import type { Outbox } from "./outbox.ts";
import { refusalOfPartial } from "./partials.ts";
import type { Persistence } from "./persistence.ts";
import { AT_CLIENT, type Client, type Due, Request, type Route, type Service, type Worker } from "./records.ts";
import type { CachedReply, ReplyCache } from "./reply-cache.ts";
import type { Services } from "./services.ts";

/** How many requests went which way since the start; accepted = finished + failed + canceled + those open. */
export interface RequestCounts {
  accepted: number;
  /** Answered by a final reply. */
  finished: number;
  /** Ended by a failure. */
  failed: number;
  /** Ended because nobody waits for the answer any more. */
  canceled: number;
  /** Of those finished: answered from the cache, by no worker. */
  cached: number;
}

type RequestMessage = FromClient & { readonly type: "request" };

export class Requests {
  /** The answers to stored requests. */
  readonly answers: HeldAnswers;
  readonly counts: RequestCounts = { accepted: 0, finished: 0, failed: 0, canceled: 0, cached: 0 };
  readonly #options: CoreOptions;
  readonly #admission: Admission;
  readonly #deadlines: Deadlines<Due>;
  readonly #open: OpenRequests;
  readonly #dispatcher: Dispatcher;
  readonly #services: Services;
  readonly #cache: ReplyCache;
  readonly #persistence: Persistence;
  readonly #outbox: Outbox;
  #lastNumber = 0;
  #isClosing = false;

  constructor(
    options: CoreOptions,
    deadlines: Deadlines<Due>,
    open: OpenRequests,
    dispatcher: Dispatcher,
    services: Services,
    cache: ReplyCache,
    persistence: Persistence,
    outbox: Outbox,
  ) {
    this.#options = options;
    this.#admission = new Admission(options, open, services, persistence);
    this.#deadlines = deadlines;
    this.#open = open;
    this.#dispatcher = dispatcher;
    this.#services = services;
    this.#cache = cache;
    this.#persistence = persistence;
    this.#outbox = outbox;
    this.answers = new HeldAnswers(options, deadlines, open, dispatcher, outbox, this);
  }

  /** Requests that are open, queued or in flight. */
  get openCount(): number {
    return this.#open.size;
  }

  /**
   * A new request: given to a worker, queued, or refused with the reason.
   * @param target the worker that its options name, if there is one
   */
  open(client: Client, message: RequestMessage, target: Worker | undefined, now: Instant): void {
    const route = this.#services.route(message.service);
    const refusal = this.#admission.refusal(client, route, target, message);
    if (refusal === undefined) this.#accept(client, route, target, message, now);
    else this.refuse(client, message, refusal.code, refusal.why);
  }

  /** A request that needs no worker, because the cache has its reply: begun and ended at once, within every bound. */
  answer(client: Client, { service, requestId }: RequestMessage, { parts }: CachedReply): void {
    this.counts.accepted += 1;
    this.counts.cached += 1;
    this.counts.finished += 1;
    this.#outbox.report({ type: "request-cached", client: client.id, service, requestId });
    let isContinuation = false;
    for (const [index, { body, isRaw = false, trailer }] of parts.entries()) {
      const type = index === parts.length - 1 ? "final" : "partial";
      const refusal = type === "partial" ? refusalOfPartial(client, body, isRaw) : undefined;
      if (refusal !== undefined) {
        this.#outbox.reportDrop(client.id, refusal, requestId);
      } else {
        const message = { type, requestId, service, status: 0, body, isRaw, trailer } as const;
        this.#outbox.toClient(client, message, isContinuation);
        isContinuation = true;
      }
    }
  }

  /** Tells a client that its request was not accepted. */
  refuse(client: Client, message: RequestMessage, code: FailureCode, why: string): void {
    const { service, requestId } = message;
    this.#outbox.report({ type: "request-failed", client: client.id, service, requestId, code });
    this.#tell(client, service, requestId, { code, message: describe(requestId, service, why), delivery: "not-sent" });
  }

  /** The timeout counts silence: every part of a reply starts it anew. */
  restartTimeout(request: Request, now: Instant): void {
    this.#deadlines.set(request, request.options.timeoutMs, now);
  }

  /** Its client takes so many more chunks of its reply, which shows that somebody reads it. */
  grant(request: Request, chunks: number, now: Instant): void {
    if (request.place.at !== "worker") {
      request.credit = addCredit(request.credit, chunks);
      return;
    }
    this.restartTimeout(request, now);
    this.#outbox.grant(request, chunks);
  }

  /** A chunk of a reply was dropped on its way: its worker may send another. */
  regrant(request: Request): void {
    if (request.isPaced) this.#outbox.grant(request, 1);
  }

  /** Nobody reads its reply any more, and it is to run all the same. */
  stopPacing(request: Request): void {
    if (!request.isPaced) return;
    request.credit = MAX_CREDIT;
    this.#outbox.grant(request, MAX_CREDIT);
  }

  /** The final reply has gone out. */
  finish(request: Request): void {
    this.counts.finished += 1;
    this.#close(request);
  }

  /** Its failure was reported, and its client told as far as it can be. */
  closeFailed(request: Request): void {
    this.counts.failed += 1;
    this.#close(request);
  }

  /** Nobody waits for it any more: takes it back from wherever it is, and tells nobody but its worker. */
  cancel(request: Request): void {
    this.counts.canceled += 1;
    this.#recall(request);
    this.#close(request);
  }

  /** Their client is gone. */
  cancelAll(requests: Iterable<Request>): void {
    for (const request of waitingFirst(requests)) this.cancel(request);
  }

  /**
   * A request that the store held when the broker started: it may have run already, and is open again. One for a certain
   * worker fails, because there is none yet.
   */
  restore(client: Client, key: string, message: RequestMessage, now: Instant): void {
    const request = this.#add(client, this.#services.route(message.service), message, now);
    this.#persistence.adopt(key, request);
    request.mayHaveRun = true;
    this.#outbox.report({ type: "request-restored", client: client.id, service: request.name, requestId: request.id });
    if (request.options.worker === undefined) this.place(request, undefined);
    else this.fail(request, "UNAVAILABLE", "is for a worker that the broker does not know after its start");
  }

  /** The store has it: now it may be run. @param target the worker that its options name, if there is one */
  onStored(request: Request, target: Worker | undefined): void {
    this.#dispatcher.remove(request);
    // Behind all that came meanwhile: a place among them would have to be looked for.
    this.#lastNumber += 1;
    request.number = this.#lastNumber;
    this.#outbox.notifyStored(request);
    this.#placeNew(request, target);
    this.closeUnserved();
  }

  /** The store does not have it: it was not taken. */
  onStoreFailed(request: Request): void {
    const { client, id, name } = request;
    this.#end(request, "UNAVAILABLE");
    const message = describe(id, name, "was not taken: the broker could not store it");
    this.#tell(client, name, id, { code: "UNAVAILABLE", message, delivery: "not-sent", detail: "store" });
  }

  /** The broker stops: they end, wherever they are. What is stored stays there, to be run when the broker starts again. */
  closeAll(requests: Iterable<Request>): void {
    for (const request of waitingFirst(requests)) {
      // Its answer is on its way.
      if (this.answers.isGiven(request)) continue;
      const isKept = this.#persistence.leave(request);
      if (isKept) request.mayHaveRun = true;
      const why = isKept ? "is stored and runs when the broker starts again" : "was open when the broker stopped";
      this.#failNow(request, "CLOSED", why);
    }
  }

  /** From now on nothing waits for a first worker: none will come, because the broker is about to stop. */
  startClosing(): void {
    this.#isClosing = true;
    this.answers.startClosing();
  }

  /** While the broker stops, what waits for a service that nobody offers (any more) has nothing to wait for. */
  closeUnserved(): void {
    if (!this.#isClosing) return;
    const { routes, declined } = this.#services.nobody;
    const unserved = [...declined];
    for (const { queue } of routes) for (const request of queue) unserved.push(request);
    this.closeAll(unserved);
  }

  /** Ends it with a failure that its client is told; if it is stored, at the latest when the client is back. */
  fail(request: Request, code: FailureCode, why: string): void {
    const { id, name, options } = request;
    if (!options.persist) return this.#failNow(request, code, why);
    const failure = { code, message: describe(id, name, why), delivery: deliveryOf(request) };
    this.#outbox.reportFailure(request, code);
    this.#recall(request);
    this.answers.onEnd(request, { type: "failure", requestId: id, service: name, failure }, code);
  }

  /** Their time is up. */
  expireAll(requests: Iterable<Request>): void {
    for (const request of waitingFirst(requests)) this.#expire(request);
  }

  /** A worker gave it back. */
  decline(request: Request, worker: Worker): void {
    this.#dispatcher.remove(request);
    if (request.hasPartial) {
      // It has run, and a reply that has begun cannot start over.
      request.mayHaveRun = true;
      this.fail(request, "REJECTED", "was declined after a part of its reply had gone out");
    } else {
      // A worker that takes nothing at all, as one that is about to stop, has said nothing about this request.
      if (worker.concurrency > 0) request.rejectedBy = (request.rejectedBy ?? new Set()).add(worker);
      this.place(request, request.options.worker === undefined ? undefined : worker);
    }
    this.#dispatcher.serve(worker);
  }

  /** Gives a request that came back to another worker or its place in a queue. What all have declined may fail. */
  place(request: Request, target: Worker | undefined): void {
    if (this.#dispatcher.place(request, target) !== "rejected") return;
    // One that names its worker has no other to wait for.
    if (this.#options.whenDeclined === "wait" && target === undefined) return this.#dispatcher.keep(request);
    this.fail(request, "REJECTED", "was declined by every worker of the service");
  }

  /** Requests have come to a service from one that closed. Its workers may have slots for them, or have declined some. */
  resume(service: Service): void {
    if (service.workers.size === 0) return;
    this.#dispatcher.serveAll(service);
    for (const request of [...service.declined]) {
      this.#dispatcher.remove(request);
      this.place(request, undefined);
    }
  }

  /** The workers of a service became fewer: what all the others have declined has nobody left to wait for. */
  failDeclined(service: Service): void {
    if (this.#options.whenDeclined === "wait") return;
    for (const request of service.declined) {
      if (hasDeclinedAll(request)) this.fail(request, "REJECTED", "was declined by every worker of the service");
    }
  }

  #accept(client: Client, route: Route, target: Worker | undefined, message: RequestMessage, now: Instant): void {
    const request = this.#add(client, route, message, now);
    // Accepted with no time left: it is never dispatched (P-TIME-2).
    if (message.options.timeoutMs === 0) return this.#expire(request);
    if (!message.options.persist) {
      this.#dispatcher.place(request, target);
      return;
    }
    this.#dispatcher.hold(request);
    this.#persistence.store(request);
  }

  #add(client: Client, route: Route, message: RequestMessage, now: Instant): Request {
    this.counts.accepted += 1;
    this.#lastNumber += 1;
    const request = new Request(this.#lastNumber, client, route, message);
    this.#open.add(request);
    this.#services.onOpened(route);
    client.requests.add(request);
    this.restartTimeout(request, now);
    return request;
  }

  /** Places one that was accepted a while ago: the worker that it names may be gone. */
  #placeNew(request: Request, target: Worker | undefined): void {
    const { worker } = request.options;
    if (worker === undefined || (target !== undefined && isWithin(request.route, target.service)))
      return this.place(request, target);
    this.fail(request, "UNAVAILABLE", `is for the worker "${display(worker)}", which does not offer it`);
  }

  /**
   * A client that negotiated nothing has its own timer, and would take any word after that for an answer to a request it
   * does not know (P-TIME-3).
   */
  #expire(request: Request): void {
    if (request.place === AT_CLIENT) return this.answers.onExpired(request);
    const { capabilities, traits } = request.client;
    if (capabilities.error || traits.hearsOfExpiry) {
      return this.#failNow(request, "DEADLINE_EXCEEDED", `exceeded its ${request.options.timeoutMs} ms timeout`);
    }
    this.#end(request, "DEADLINE_EXCEEDED");
  }

  #failNow(request: Request, code: FailureCode, why: string): void {
    const delivery = deliveryOf(request);
    this.#end(request, code);
    this.#tell(request.client, request.name, request.id, {
      code,
      message: describe(request.id, request.name, why),
      delivery,
    });
  }

  #end(request: Request, code: FailureCode): void {
    this.counts.failed += 1;
    this.#outbox.reportFailure(request, code);
    this.#recall(request);
    this.#close(request);
  }

  #tell(client: Client, service: ServiceName, requestId: RequestId, failure: Failure): void {
    if (client.isAway) return this.#outbox.reportDrop(client.id, "undelivered", requestId);
    this.#outbox.toClient(client, { type: "failure", requestId, service, failure });
  }

  /**
   * Tells a worker that still runs it that the answer is not wanted any more. One that takes one request at a time is not
   * free before it has answered all the same (D-LIVE-3).
   */
  #recall(request: Request): void {
    if (request.place.at !== "worker") return;
    const { worker } = request.place;
    if (worker.traits.isSequential) worker.abandoned = request.address;
    if (!worker.capabilities.cancel) return;
    this.#outbox.toWorker(worker, { type: "cancel", address: request.address, requestId: request.id });
  }

  #close(request: Request): void {
    const { place, client, route } = request;
    this.#open.remove(request);
    this.#cache.forget(request);
    if (request.options.persist) {
      this.answers.forget(request);
      this.#persistence.onEnded(request);
    }
    this.#deadlines.clear(request);
    client.requests.remove(request);
    this.#dispatcher.remove(request);
    if (place.at === "worker") this.#dispatcher.serve(place.worker);
    this.#services.onEnded(route);
  }
}

/** Those that wait, then those in flight: else a slot that one frees would be given to another that is about to end. */
function waitingFirst(requests: Iterable<Request>): Request[] {
  const waiting: Request[] = [];
  const inFlight: Request[] = [];
  for (const request of requests) (request.place.at === "worker" ? inFlight : waiting).push(request);
  return waiting.concat(inFlight);
}
