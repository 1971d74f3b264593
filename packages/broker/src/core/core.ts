// The broker's mind: one input and the time in, effects out. It routes inputs to whoever decides, and owns what spans
// them: what is due, what could not be delivered, draining. No sockets, timers or logs; the same inputs at the same times
// give the same effects. Nothing that a peer sends can throw out of it.

import { Deadlines, type Instant, offerOf, type PeerId } from "@pigato/protocol";
import { Announcements } from "./announcements.ts";
import { ClientMessages } from "./client-messages.ts";
import { Clients } from "./clients.ts";
import { assertConsistent } from "./consistency.ts";
import type { CoreOptions } from "./core-options.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { DialectId, Effect, Input } from "./effects.ts";
import { OpenRequests } from "./open-requests.ts";
import { Outbox } from "./outbox.ts";
import { messageOf, Persistence } from "./persistence.ts";
import type { Due, Request } from "./records.ts";
import { Refusals } from "./refusals.ts";
import { ReplyCache } from "./reply-cache.ts";
import { type RequestCounts, Requests } from "./requests.ts";
import { Services } from "./services.ts";
import type { StoredRequest } from "./stored-request.ts";
import { Undelivered } from "./undelivered.ts";
import { WorkerMessages } from "./worker-messages.ts";
import { Workers } from "./workers.ts";

/** Accepted = finished + failed + canceled + open; cached is a part of finished. */
export interface CoreStats extends Readonly<RequestCounts> {
  readonly open: number;
  readonly inFlight: number;
  readonly workers: number;
  readonly clients: number;
  readonly services: number;
  /** Replies that the cache holds. */
  readonly cachedReplies: number;
  /** Answers, or parts of them, to stored requests of clients that are away. */
  readonly heldAnswers: number;
}

export class BrokerCore {
  readonly #outbox = new Outbox();
  readonly #deadlines = new Deadlines<Due>();
  readonly #open: OpenRequests;
  readonly #dispatcher: Dispatcher;
  readonly #services: Services;
  readonly #cache: ReplyCache;
  readonly #persistence = new Persistence(this.#outbox);
  readonly #requests: Requests;
  readonly #announcements: Announcements;
  readonly #workers: Workers;
  readonly #clients: Clients;
  readonly #clientMessages: ClientMessages;
  readonly #workerMessages: WorkerMessages;
  readonly #refusals: Refusals;
  readonly #undelivered: Undelivered;
  readonly #drainLimit = this.#deadlines.entry({ kind: "drain-limit" });
  #mode: "serving" | "draining" | "drained" = "serving";

  constructor(options: CoreOptions) {
    const own = offerOf("broker", { heartbeatMs: options.heartbeatMs });
    this.#open = new OpenRequests(options.random);
    this.#dispatcher = new Dispatcher(this.#open, this.#outbox);
    this.#services = new Services(options);
    this.#cache = new ReplyCache(options, this.#deadlines, this.#services);
    this.#requests = new Requests(
      options,
      this.#deadlines,
      this.#open,
      this.#dispatcher,
      this.#services,
      this.#cache,
      this.#persistence,
      this.#outbox,
    );
    this.#announcements = new Announcements(options.announces, this.#deadlines, this.#services, this.#outbox);
    this.#workers = new Workers(
      options,
      this.#deadlines,
      this.#dispatcher,
      this.#requests,
      this.#services,
      this.#announcements,
      this.#outbox,
    );
    this.#clients = new Clients(options, this.#deadlines, this.#open, this.#requests, this.#outbox);
    this.#clientMessages = new ClientMessages(
      own,
      this.#clients,
      this.#workers,
      this.#services,
      this.#requests,
      this.#cache,
      this.#outbox,
    );
    this.#workerMessages = new WorkerMessages(
      own,
      this.#clients,
      this.#workers,
      this.#requests,
      this.#dispatcher,
      this.#cache,
      this.#announcements,
      this.#outbox,
    );
    this.#refusals = new Refusals(options, this.#clients, this.#workers, this.#clientMessages, this.#outbox);
    this.#undelivered = new Undelivered(this.#clients, this.#workers, this.#dispatcher, this.#requests, this.#outbox);
  }

  handle(input: Input, now: Instant): Effect[] {
    // First what is due: a request whose time is up must not be dispatched by what comes next.
    this.#onTick(now);
    switch (input.type) {
      case "from-client":
        this.#clientMessages.handle(input.from, input.message, input.dialect, now);
        break;
      case "from-worker":
        this.#workerMessages.handle(input.from, input.message, input.dialect, now);
        break;
      case "client-at-backend":
      case "worker-at-frontend":
        this.#refusals.onWrongSide(input, now);
        break;
      case "violation":
        this.#refusals.onViolation(input);
        break;
      case "undelivered-to-client":
      case "request-undelivered":
      case "credit-undelivered":
        this.#undelivered.handle(input, now);
        break;
      case "handed-over":
        this.#onHandedOver(input.address);
        break;
      case "peer-down":
        this.#onPeerDown(input.peer, now);
        break;
      case "restore":
        this.#onRestore(input.key, input.request, now);
        break;
      case "stored":
        this.#onStored(input.key);
        break;
      case "store-failed":
        this.#onStoreFailed(input.key, input.reason);
        break;
      case "delete-failed":
        this.#outbox.report({ type: "store-failed", operation: "delete", key: input.key, reason: input.reason });
        this.#persistence.onDeleted(input.key);
        break;
      case "deleted":
        this.#persistence.onDeleted(input.key);
        break;
      case "start":
        this.#announcements.noteChange();
        break;
      case "tick":
        break;
      case "drain":
        this.#onDrain(input.limitMs, now);
        break;
      default:
        input satisfies never;
    }
    if (this.#mode === "draining" && this.#requests.openCount === 0) this.#finishDraining();
    this.#announcements.schedule(now);
    return this.#outbox.take();
  }

  /** What a peer is held to; `undefined` of one that is not known. */
  dialectOf(peer: PeerId): DialectId | undefined {
    return (this.#clients.get(peer) ?? this.#workers.get(peer))?.dialect;
  }

  /** When the next `tick` is wanted: never later than needed, sometimes earlier. */
  nextDeadline(): Instant | undefined {
    return this.#deadlines.next();
  }

  stats(): CoreStats {
    return {
      ...this.#requests.counts,
      open: this.#requests.openCount,
      inFlight: this.#dispatcher.inFlight,
      workers: this.#workers.size,
      clients: this.#clients.size,
      services: this.#services.size,
      cachedReplies: this.#cache.size,
      heldAnswers: this.#requests.answers.size,
    };
  }

  /** Throws if the tables contradict each other. For tests: it walks everything. */
  assertConsistent(): void {
    this.#cache.assertConsistent();
    this.#requests.answers.assertConsistent();
    this.#persistence.assertConsistent(this.#everyOpen());
    assertConsistent({
      services: this.#services,
      workers: this.#workers.values(),
      clients: this.#clients.values(),
      dispatcher: this.#dispatcher,
      openCount: this.#requests.openCount,
    });
  }

  #onHandedOver(address: string): void {
    const request = this.#open.byAddress(address);
    if (request !== undefined) this.#requests.answers.onHandedOver(request);
  }

  #onRestore(key: string, stored: StoredRequest, now: Instant): void {
    this.#persistence.skip(key);
    const { from, message } = messageOf(stored);
    const client = this.#clients.absent(from, now);
    // Its id was used again before the store had deleted the first one.
    if (client.requests.has(message.requestId)) return this.#persistence.discard(key);
    this.#requests.restore(client, key, message, now);
  }

  #onStored(key: string): void {
    const request = this.#persistence.onStored(key);
    if (request === undefined) return;
    const { worker } = request.options;
    this.#requests.onStored(request, worker === undefined ? undefined : this.#workers.get(worker));
  }

  #onStoreFailed(key: string, reason: string): void {
    this.#outbox.report({ type: "store-failed", operation: "store", key, reason });
    const request = this.#persistence.onStoreFailed(key);
    if (request !== undefined) this.#requests.onStoreFailed(request);
  }

  #onPeerDown(peer: PeerId, now: Instant): void {
    const worker = this.#workers.get(peer);
    if (worker !== undefined) this.#workers.lose(worker, "gone");
    const client = this.#clients.get(peer);
    if (client !== undefined) this.#clients.lose(client, "gone", now);
  }

  #onTick(now: Instant): void {
    let due = this.#deadlines.takeDue(now);
    if (due === undefined) return;
    const expired: Request[] = [];
    const others: Exclude<Due, Request>[] = [];
    for (; due !== undefined; due = this.#deadlines.takeDue(now)) {
      if (due.kind === "request") expired.push(due);
      else others.push(due);
    }
    // Requests before all else: what frees a slot or loses a worker must not dispatch one whose time is up as well.
    this.#requests.expireAll(expired);
    for (const other of others) this.#onDue(other, now);
  }

  #onDue(due: Exclude<Due, Request>, now: Instant): void {
    switch (due.kind) {
      case "worker-lease":
        return this.#workers.onLease(due.worker, now);
      case "worker-settling":
        return this.#workers.settle(due.worker);
      case "client-lease":
        return this.#clients.onLease(due.client, now);
      case "answers-due":
        return this.#requests.answers.release(due.client);
      case "cached-reply":
        return this.#cache.expire(due.reply);
      case "announcement":
        return this.#announcements.announce(now);
      case "drain-limit":
        return this.#closeRemaining();
      default:
        due satisfies never;
    }
  }

  #onDrain(limitMs: number, now: Instant): void {
    if (this.#mode !== "serving") return;
    this.#mode = "draining";
    this.#clientMessages.refuseRequests();
    this.#workerMessages.refuseWorkers();
    this.#deadlines.set(this.#drainLimit, limitMs, now);
    this.#requests.startClosing();
    this.#requests.closeUnserved();
  }

  #closeRemaining(): void {
    this.#requests.closeAll(this.#everyOpen());
  }

  #everyOpen(): Request[] {
    const all: Request[] = [];
    for (const client of this.#clients.values()) {
      for (const request of client.requests) all.push(request);
    }
    return all;
  }

  #finishDraining(): void {
    this.#mode = "drained";
    this.#deadlines.clear(this.#drainLimit);
    for (const worker of this.#workers.values()) this.#workers.disconnect(worker, "drained");
    this.#outbox.drained();
  }
}
