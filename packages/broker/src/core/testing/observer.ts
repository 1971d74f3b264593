// Watches a broker from outside and throws as soon as it breaks a promise: every accepted request ends once, and for a
// reason; a reply reaches only the client whose request its worker holds; no worker gets more than it takes, or anything
// after a DISCONNECT; requests leave in order of arrival; nothing is left open past its deadline. It keeps its own books
// from inputs and effects alone, so that a fault in the core's tables shows here too.
//
// It expects a tick before each input, so that what is due has happened when the input comes.

import {
  type DirectorySnapshot,
  type FromWorker,
  type Instant,
  NO_CAPABILITIES,
  type PeerId,
  type RequestId,
  requestId,
  type ToClient,
  type ToWorker,
} from "@pigato/protocol";
import type { BrokerCore } from "../core.ts";
import type { CoreOptions } from "../core-options.ts";
import type { BrokerEvent, Effect, Input } from "../effects.ts";
import { messageOf } from "../persistence.ts";
import { toClientLine } from "./transcript.ts";
import { type OwedFailure, promise, WatchedClient, WatchedRequest, WatchedWorker } from "./watched.ts";
import { WatchedCache } from "./watched-cache.ts";
import { WatchedNames } from "./watched-names.ts";

/** A request that a worker holds. */
export interface Held {
  readonly worker: PeerId;
  readonly address: string;
  readonly requestId: RequestId;
}

export class Observer {
  readonly #options: CoreOptions;
  readonly #clients = new Map<PeerId, WatchedClient>();
  /** Clients that are gone and have requests that the store keeps. */
  readonly #away = new Map<PeerId, WatchedClient>();
  readonly #workers = new Map<PeerId, WatchedWorker>();
  readonly #names = new WatchedNames();
  /** Keys that the store has, or is about to have; of an open request, or of none. */
  readonly #keys = new Map<string, WatchedRequest | undefined>();
  #arrivals = 0;
  #accepted = 0;
  #isDrained = false;
  // What the input at hand must lead to, or may.
  #input: Input = { type: "tick" };
  #arriving: WatchedRequest | undefined;
  #awaitedReply: string | undefined;
  #recalled = new Set<string>();
  #orphans: WatchedRequest[] = [];
  #owed: OwedFailure[] = [];
  readonly #cache: WatchedCache;
  #now: Instant = 0;
  /** What is left to come of a reply from the cache. */
  #cachedReplies: string[] = [];
  #cached = 0;

  constructor(options: CoreOptions) {
    this.#options = options;
    this.#cache = new WatchedCache(options);
  }

  /** Requests that workers hold now. */
  held(): Held[] {
    const all: Held[] = [];
    for (const { id: worker, held } of this.#workers.values()) {
      for (const { address, id } of held.values()) all.push({ worker, address, requestId: id });
    }
    return all;
  }

  /** Peers that the broker knows now, as workers or clients. */
  known(): PeerId[] {
    return [...new Set([...this.#workers.keys(), ...this.#clients.keys()])];
  }

  before(input: Input, now: Instant): void {
    this.#input = input;
    this.#now = now;
    this.#arriving = undefined;
    this.#awaitedReply = undefined;
    this.#recalled = new Set();
    this.#orphans = [];
    this.#owed = [];
    switch (input.type) {
      case "from-client":
        if (input.message.type === "request") {
          const isDuplicate = this.#find(input.from, input.message.requestId) !== undefined;
          this.#arrivals += 1;
          if (!isDuplicate) this.#arriving = new WatchedRequest(input.from, input.message, this.#arrivals, now);
        }
        if (input.message.type === "cancel") this.#close(this.#find(input.from, input.message.requestId));
        if (input.message.type === "request-heartbeat")
          this.#beforeRequestHeartbeat(input.from, input.message.requestId);
        if (input.message.type === "worker-heartbeat") this.#onHeard(this.#workers.get(input.message.worker));
        return;
      case "from-worker":
        return this.#beforeWorkerMessage(this.#workers.get(input.from), input.message, now);
      case "violation": {
        const { requestId } = input.violation;
        if (input.role !== "client" || requestId === undefined) return;
        if (this.#find(input.from, requestId) === undefined) this.#owe(input.from, requestId, "INVALID", "not-sent");
        return;
      }
      case "undelivered-to-client":
        if (input.reason === "congested" && input.message.type === "final" && this.#clients.has(input.to)) {
          this.#owe(input.to, input.message.requestId, "BUSY", "maybe-executed");
        }
        return;
      case "request-undelivered":
        return this.#beforeUndelivered(this.#workers.get(input.to), input.address, input.reason);
      case "restore": {
        const { from, message } = messageOf(input.request);
        this.#keys.set(input.key, undefined);
        if (this.#find(from, message.requestId) !== undefined) return;
        this.#arrivals += 1;
        this.#arriving = new WatchedRequest(from, message, this.#arrivals, now);
        this.#arriving.mayHaveRun = true;
        return;
      }
      case "stored": {
        const request = this.#keys.get(input.key);
        if (!request?.isStoring) return;
        this.#arrivals += 1;
        request.number = this.#arrivals;
        request.isStoring = false;
        return;
      }
      case "store-failed": {
        const request = this.#keys.get(input.key);
        if (request) request.isRefused = true;
        return;
      }
      case "client-at-backend":
        if (input.message.type === "request") this.#owe(input.from, input.message.requestId, "INVALID", "not-sent");
        return;
      case "worker-at-frontend":
      case "deleted":
      case "delete-failed":
      case "peer-down":
      case "start":
      case "tick":
      case "drain":
        return;
      default:
        input satisfies never;
    }
  }

  after(effects: readonly Effect[], core: BrokerCore, now: Instant): void {
    for (const effect of effects) this.#see(effect, now);
    promise(this.#awaitedReply === undefined, `the reply ${this.#awaitedReply} reached nobody`);
    promise(this.#cachedReplies.length === 0, `${this.#cachedReplies[0]} was cut from a cached reply`);
    promise(this.#owed.length === 0, `${this.#owed.length} clients were not told that their request failed`);
    for (const request of this.#orphans) this.#checkOrphan(request);
    this.#settleArrival(core.stats().accepted);
    this.#compareStats(core);
    for (const client of this.#everyClient()) {
      for (const request of client.open.values()) {
        promise(!request.options.persist || request.key !== undefined, `${request.id} is open and was not stored`);
        promise(request.deadlineAt > now, `${request.id} is still open at its deadline`);
      }
    }
    const next = core.nextDeadline();
    promise(next === undefined || next >= now, `the next deadline ${next} is before ${now}`);
  }

  #beforeRequestHeartbeat(from: PeerId, id: RequestId): void {
    const client = this.#clients.get(from);
    if (!client?.capabilities.requestHeartbeat || client.open.has(id)) return;
    this.#owe(from, id, "BROKER_LOST", "maybe-executed");
  }

  /** Somebody spoke of this request, and it is alive: its client may be told. */
  #isVouchedFor(client: WatchedClient | undefined, id: RequestId): boolean {
    const input = this.#input;
    if (client === undefined || !client.open.has(id)) return false;
    if (input.type === "from-client") return input.from === client.id && input.message.type === "request-heartbeat";
    return input.type === "from-worker" && input.message.type === "request-heartbeat";
  }

  #beforeWorkerMessage(worker: WatchedWorker | undefined, message: FromWorker, now: Instant): void {
    if (worker === undefined || message.type === "ready") return;
    this.#onHeard(worker);
    if (message.type === "heartbeat") {
      worker.concurrency = message.concurrency ?? worker.concurrency;
      worker.settledAt = now;
    }
    if (!("requestId" in message)) return;
    const request = heldAs(worker, message.address, message.requestId);
    if (request === undefined) return;
    request.isReceived = true;
    if (message.type !== "partial" && message.type !== "final" && message.type !== "reject") return;
    if (message.type === "reject") {
      request.release();
      if (request.hasPartial) request.mayHaveRun = true;
      else if (worker.concurrency > 0) request.rejectedBy.add(worker);
      return;
    }
    const isTaken = message.type === "final" || this.#takes(request.client, message.body[0]);
    this.#cache.sawPart(request, message, isTaken, now);
    if (message.type === "partial") {
      request.deadlineAt = now + request.options.timeoutMs;
      if (!isTaken) return;
      request.hasPartial = true;
    }
    const { type, status, body, trailer } = message;
    this.#awaitedReply = replyKey(request.client, { type, requestId: request.id, status, body, trailer });
    if (message.type === "final") this.#close(request);
  }

  #beforeUndelivered(worker: WatchedWorker | undefined, address: string, reason: "unreachable" | "congested"): void {
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

  #seeDirectory(snapshot: DirectorySnapshot): void {
    const told = snapshot.flatMap(([service, workers]) => workers.map((worker) => `${service} ${worker}`));
    const known = Array.from(this.#workers.values(), ({ id, service }) => `${service} ${id}`);
    promise(told.sort().join() === known.sort().join(), `announced ${told}, not ${known}`);
  }

  #see(effect: Effect, now: Instant): void {
    switch (effect.type) {
      case "to-client":
        return this.#seeToClient(effect.to, effect.message);
      case "to-worker":
        return this.#seeToWorker(effect.to, effect.message, now);
      case "announce":
        return this.#seeDirectory(effect.snapshot);
      case "report":
        return this.#seeEvent(effect.event);
      case "store":
        return this.#seeStore(effect.key);
      case "delete": {
        promise(this.#keys.has(effect.key), `${effect.key} is deleted and not stored`);
        const request = this.#keys.get(effect.key);
        const isOver = request === undefined || this.#find(request.client, request.id) !== request;
        promise(isOver || request.isRefused, `${request?.id} is open and deleted`);
        promise(!request?.isStoring || request.isRefused, `${request?.id} is deleted while it is being stored`);
        this.#keys.delete(effect.key);
        return;
      }
      case "drained":
        promise(!this.#isDrained, "drained twice");
        this.#isDrained = true;
        return;
      default:
        effect satisfies never;
    }
  }

  #seeToClient(to: PeerId, message: ToClient): void {
    switch (message.type) {
      case "heartbeat": {
        const input = this.#input;
        const asked = input.type === "from-client" && input.from === to ? input.message.type : undefined;
        promise(asked === "heartbeat" || asked === "request-heartbeat", `${to} got a heartbeat unasked`);
        const client = this.#clients.get(to);
        if (message.accepted && client) client.capabilities = message.accepted;
        return;
      }
      case "partial":
      case "final":
        if (this.#cachedReplies.length > 0) {
          const next = this.#cachedReplies.shift();
          return promise(next === replyKey(to, message), `${to} got ${toClientLine(message)} and not ${next}`);
        }
        promise(
          this.#awaitedReply === replyKey(to, message),
          `${to} got ${toClientLine(message)}, which nobody sent it`,
        );
        this.#awaitedReply = undefined;
        return;
      case "failure": {
        const { code, delivery } = message.failure;
        const due = this.#owed.findIndex(({ client, id }) => client === to && id === message.requestId);
        const owed = this.#owed[due];
        promise(owed !== undefined, `${to} got ${toClientLine(message)}, which was not due`);
        promise(owed?.code === code && owed.delivery === delivery, `${toClientLine(message)}, not ${owed?.delivery}`);
        this.#owed.splice(due, 1);
        return;
      }
      case "notice":
        return this.#seeNotice(to, message);
      case "request-heartbeat": {
        const client = this.#clients.get(to);
        promise(client?.capabilities.requestHeartbeat === true, `${to} got a heartbeat that it did not negotiate`);
        return promise(this.#isVouchedFor(client, message.requestId), `${to} got a heartbeat for ${message.requestId}`);
      }
      default:
        promise(false, `${to} got ${toClientLine(message)}, which is not built yet`);
    }
  }

  #seeNotice(to: PeerId, message: ToClient & { readonly type: "notice" }): void {
    const arriving = this.#arriving?.id === message.requestId ? this.#arriving : undefined;
    const request = this.#find(to, message.requestId) ?? arriving;
    const isAskedFor = request?.options.notices === true && this.#clients.get(to)?.capabilities.notice === true;
    promise(isAskedFor, `${to} got ${toClientLine(message)}, which it did not ask for`);
    promise(request?.holder?.id === message.worker, `${to} got ${toClientLine(message)}, which is not so`);
    promise(
      (message.state !== "dispatched") === (message.worker === undefined),
      `${toClientLine(message)} is no notice`,
    );
  }

  #seeToWorker(to: PeerId, message: ToWorker, now: Instant): void {
    const worker = this.#workers.get(to);
    if (message.type === "disconnect") {
      if (worker) worker.isClosed = true;
      const input = this.#input;
      const isItsOwn = (input.type === "from-worker" || input.type === "worker-at-frontend") && input.from === to;
      const saidGoodbye = isItsOwn && input.message.type === "disconnect";
      return promise(!saidGoodbye, `${to} said goodbye and was disconnected`);
    }
    if (message.type === "ready") return this.#seeReady(to, now);
    if (worker === undefined) return promise(false, `${to} is no worker and got ${message.type}`);
    // To one out of reach the broker may still try to talk; one told to go must hear nothing more.
    promise(!worker.isClosed || message.type !== "request", `${to} was told to go, or is gone, and got a request`);
    switch (message.type) {
      case "request":
        return this.#seeDispatch(worker, message, now);
      case "cancel":
        promise(worker.takesCancel, `${to} does not know cancel and got one`);
        promise(this.#recalled.delete(message.address), `${to} got a cancel for what it does not hold`);
        return;
      case "request-heartbeat":
        return promise(worker.held.has(message.address), `${to} got a heartbeat for what it does not hold`);
      case "heartbeat":
        return;
      default:
        promise(false, `${to} got ${message.type}, which is not built yet`);
    }
  }

  #seeReady(to: PeerId, now: Instant): void {
    const input = this.#input;
    if (input.type !== "from-worker" || input.message.type !== "ready" || input.from !== to || this.#workers.has(to)) {
      return promise(false, `${to} got a READY that it did not ask for`);
    }
    const { service, offer } = input.message;
    const { isSequential } = input.dialect.traits;
    this.#workers.set(to, new WatchedWorker(to, service, offer, isSequential, now, this.#options.settleMs));
    this.#names.offer(service);
  }

  #seeDispatch(worker: WatchedWorker, message: ToWorker & { readonly type: "request" }, now: Instant): void {
    const request = this.#requestOf(message.body[0]);
    if (request === undefined) return promise(false, `${worker.id} got ${message.requestId}, which is not open`);
    const what = `${request.id} of ${request.client} to ${worker.id}`;
    if (request === this.#arriving) this.#accept(request);
    promise(!request.isStoring, `${what}: before it is stored`);
    promise(request.holder === undefined, `${what}: another worker holds it`);
    promise(request.id === message.requestId && request.service === message.service, `${what}: under a wrong name`);
    promise(request.suits(worker, this.#names), `${what}: not for this worker, or declined by it`);
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
    for (const client of this.#everyClient()) {
      for (const other of client.open.values()) {
        const isWaiting = other.holder === undefined && other.rejectedBy.size === 0 && other.suits(worker, this.#names);
        promise(!isWaiting || other.number >= request.number, `${what}: ${other.id} of ${other.client} came first`);
      }
    }
  }

  #seeEvent(event: BrokerEvent): void {
    switch (event.type) {
      case "worker-up":
        return promise(this.#workers.has(event.worker), `${event.worker} is up without a READY`);
      case "worker-down": {
        const worker = this.#workers.get(event.worker);
        if (worker === undefined) return promise(false, `${event.worker} went down twice`);
        this.#workers.delete(event.worker);
        this.#names.withdraw(worker.service);
        for (const request of worker.held.values()) {
          request.holder = undefined;
          if (request.isReceived !== false) request.mayHaveRun = true;
          this.#orphans.push(request);
        }
        return;
      }
      case "client-up":
        promise(!this.#clients.has(event.client), `${event.client} came up twice`);
        this.#clients.set(event.client, this.#comeBack(event.client));
        return;
      case "client-down": {
        const client = this.#clients.get(event.client);
        if (client === undefined) return promise(false, `${event.client} went down twice`);
        for (const request of client.open.values()) if (!request.options.persist) this.#close(request);
        this.#clients.delete(event.client);
        client.capabilities = NO_CAPABILITIES;
        if (client.open.size > 0) this.#away.set(client.id, client);
        return;
      }
      case "request-failed":
        return this.#seeFailed(event);
      case "request-cached":
        return this.#seeCached(event);
      case "request-restored":
        return this.#seeRestored(event);
      case "store-failed":
      case "request-requeued":
      case "violation":
      case "dropped":
        return;
      default:
        event satisfies never;
    }
  }

  #seeFailed(event: BrokerEvent & { readonly type: "request-failed" }): void {
    const { client, code } = event;
    const arriving = this.#arriving;
    if (arriving?.client === client && arriving.id === event.requestId) {
      this.#arriving = undefined;
      if (code === "UNAVAILABLE") this.#checkUnavailable(arriving);
      if (code !== "DEADLINE_EXCEEDED") return this.#owe(client, arriving.id, code, "not-sent");
      promise(arriving.options.timeoutMs === 0, `${arriving.id} expired on arrival`);
      this.#accepted += 1;
      if (this.#isTyped(client)) this.#owe(client, arriving.id, code, "queued");
      return;
    }
    const request = this.#find(client, requestId(event.requestId));
    // What is stored is run after all, when the broker starts again.
    if (code === "CLOSED" && request?.key !== undefined) request.mayHaveRun = true;
    if (request === undefined) return promise(false, `${event.requestId} of ${client} failed and was not open`);
    const isTold = code === "DEADLINE_EXCEEDED" ? this.#isTyped(client) : this.#input.type !== "restore";
    if (isTold) this.#owe(client, request.id, code, request.delivery());
    this.#close(request);
  }

  #seeCached({ client, requestId: id }: BrokerEvent & { readonly type: "request-cached" }): void {
    const asked = this.#input.type === "from-client" ? this.#input.message : undefined;
    if (asked?.type !== "request" || this.#arriving?.client !== client || this.#arriving.id !== id) {
      return promise(false, `${id} of ${client} was answered from the cache and did not just come`);
    }
    const parts = this.#cache.answerTo(asked, this.#now);
    if (parts === undefined) return promise(false, `${id} was answered from a cache that has no reply to it`);
    this.#arriving = undefined;
    this.#accepted += 1;
    this.#cached += 1;
    const last = parts.length - 1;
    for (const [index, { body, trailer }] of parts.entries()) {
      const type = index === last ? "final" : "partial";
      if (type === "partial" && !this.#takes(client, body[0])) continue;
      this.#cachedReplies.push(replyKey(client, { type, requestId: asked.requestId, status: 0, body, trailer }));
    }
  }

  /** Refused at once: only if nobody could take it now. */
  #checkUnavailable({ id, service, options }: WatchedRequest): void {
    const target = options.worker === undefined ? undefined : this.#workers.get(options.worker);
    const mayHaveIt = target !== undefined && this.#names.mayServe(target.service, service);
    const isServed = this.#names.servedAs(service) !== undefined;
    if (options.worker === undefined)
      promise(options.failFast && !isServed, `${id} was refused: ${service} is offered`);
    else
      promise(!mayHaveIt || (options.failFast && !isServed), `${id} was refused: ${options.worker} offers ${service}`);
  }

  #seeStore(key: string): void {
    const request = this.#arriving;
    if (request === undefined) return promise(false, `${key} is stored and nothing came`);
    promise(request.options.persist && !this.#keys.has(key), `${request.id} is stored without need, or twice`);
    this.#accept(request);
    request.key = key;
    request.isStoring = true;
    this.#keys.set(key, request);
  }

  #seeRestored({ client, requestId: id }: BrokerEvent & { readonly type: "request-restored" }): void {
    const request = this.#arriving;
    const key = this.#input.type === "restore" ? this.#input.key : undefined;
    if (request?.client !== client || request.id !== id || key === undefined) {
      return promise(false, `${id} of ${client} was restored and not stored`);
    }
    if (this.#clientOf(client) === undefined) this.#away.set(client, new WatchedClient(client));
    request.key = key;
    this.#keys.set(key, request);
    this.#accept(request);
  }

  /** A client that was gone with something open is the same one again; any other is new. */
  #comeBack(id: PeerId): WatchedClient {
    const client = this.#away.get(id) ?? new WatchedClient(id);
    this.#away.delete(id);
    return client;
  }

  #everyClient(): WatchedClient[] {
    return [...this.#clients.values(), ...this.#away.values()];
  }

  #clientOf(id: PeerId): WatchedClient | undefined {
    return this.#clients.get(id) ?? this.#away.get(id);
  }

  #checkOrphan(request: WatchedRequest): void {
    if (this.#find(request.client, request.id) !== request || request.holder !== undefined) return;
    const { retry, worker } = request.options;
    const mayStartOver = (retry || request.isReceived === false) && worker === undefined && !request.hasPartial;
    promise(mayStartOver, `${request.id} lost its worker and waits in silence`);
    request.isReceived = undefined;
  }

  /** A request that led to nothing visible is queued, if the core counts it as accepted. */
  #settleArrival(accepted: number): void {
    if (this.#arriving !== undefined && accepted > this.#accepted) this.#accept(this.#arriving);
    promise(this.#arriving === undefined, `${this.#arriving?.id} was neither accepted nor refused`);
    promise(accepted === this.#accepted, `${accepted} requests count as accepted, ${this.#accepted} were`);
  }

  #compareStats(core: BrokerCore): void {
    const stats = core.stats();
    let open = 0;
    let inFlight = 0;
    for (const client of this.#everyClient()) open += client.open.size;
    for (const worker of this.#workers.values()) inFlight += worker.held.size;
    const ended = stats.finished + stats.failed + stats.canceled;
    promise(stats.accepted === ended + stats.open, `accepted, ended and open requests do not add up`);
    promise(stats.cached === this.#cached, `${stats.cached} requests count as cached, ${this.#cached} were`);
    promise(stats.open === open, `${stats.open} requests count as open, ${open} are`);
    promise(stats.inFlight === inFlight, `${stats.inFlight} requests count as in flight, ${inFlight} are`);
    promise(stats.workers === this.#workers.size, `${stats.workers} workers, not ${this.#workers.size}`);
    promise(stats.clients === this.#clients.size, `${stats.clients} clients, not ${this.#clients.size}`);
  }

  #accept(request: WatchedRequest): void {
    this.#accepted += 1;
    this.#arriving = undefined;
    if (this.#input.type === "from-client" && this.#input.message.type === "request") {
      this.#cache.missed(this.#input.message, this.#now);
    }
    this.#clientOf(request.client)?.open.set(request.id, request);
  }

  #close(request: WatchedRequest | undefined): void {
    if (request === undefined) return;
    if (request.holder?.takesCancel) this.#recalled.add(request.address);
    request.release();
    this.#clientOf(request.client)?.open.delete(request.id);
  }

  #onHeard(worker: WatchedWorker | undefined): void {
    if (worker) worker.isCongested = false;
  }

  #owe(client: PeerId, id: RequestId, code: OwedFailure["code"], delivery: OwedFailure["delivery"]): void {
    this.#owed.push({ client, id, code, delivery });
  }

  #find(client: PeerId, id: RequestId): WatchedRequest | undefined {
    return this.#clientOf(client)?.open.get(id);
  }

  #requestOf(frame: Uint8Array | undefined): WatchedRequest | undefined {
    if (this.#arriving?.frame === frame) return this.#arriving;
    for (const client of this.#everyClient()) {
      for (const request of client.open.values()) if (request.frame === frame) return request;
    }
    return undefined;
  }

  /** P-REP-5: an old client does not get a `null` part. */
  #takes(client: PeerId, frame: Uint8Array | undefined): boolean {
    return this.#isTyped(client) || !isNull(frame);
  }

  #isTyped(client: PeerId): boolean {
    return this.#clients.get(client)?.capabilities.error ?? false;
  }
}

/** The rule of P-ADDR-2: by our token, or, if it is none of ours, by an id that only one held request has. */
function heldAs(worker: WatchedWorker, address: string, id: RequestId): WatchedRequest | undefined {
  if (address.startsWith("~")) return worker.held.get(address);
  const named = [...worker.held.values()].filter((request) => request.id === id);
  return named.length === 1 ? named[0] : undefined;
}

function isNull(frame: Uint8Array | undefined): boolean {
  return frame === undefined || frame.length === 0 || String.fromCharCode(...frame) === "null";
}

function replyKey(client: PeerId, message: ToClient & { readonly type: "partial" | "final" }): string {
  return `${client}: ${toClientLine(message)} +${message.trailer.length}`;
}
