// Watches a broker from outside and throws as soon as it breaks a promise: every accepted request ends once, and for a
// reason; a reply reaches only the client whose request its worker holds; no worker gets more than it takes, or anything
// after a DISCONNECT; requests leave in order of arrival; nothing is left open past its deadline. It keeps its own books
// from inputs and effects alone, so that a fault in the core's tables shows here too. The promises themselves are with the
// watchers, to whom it hands what each has to see; what it counts itself is whether the broker's figures add up.
//
// It expects a tick before each input, so that what is due has happened when the input comes.

import type { FromClient, Instant, PeerId, RequestId, ToClient, ToWorker } from "@pigato/protocol";
import type { BrokerCore } from "../core.ts";
import type { CoreOptions } from "../core-options.ts";
import type { BrokerEvent, Effect, Input } from "../effects.ts";
import { Books } from "./books.ts";
import { toClientLine } from "./transcript.ts";
import { promise } from "./watched.ts";
import { WatchedAnswers } from "./watched-answers.ts";
import { WatchedCredit } from "./watched-credit.ts";
import { WatchedDispatch } from "./watched-dispatch.ts";
import { WatchedFailures } from "./watched-failures.ts";
import { WatchedPeers } from "./watched-peers.ts";
import { WatchedReplies } from "./watched-replies.ts";
import { WatchedStore } from "./watched-store.ts";

/** A request that a worker holds. */
export interface Held {
  readonly worker: PeerId;
  readonly address: string;
  readonly requestId: RequestId;
}

export class Observer {
  readonly #books: Books;
  readonly #peers: WatchedPeers;
  readonly #dispatch: WatchedDispatch;
  readonly #answers: WatchedAnswers;
  readonly #replies: WatchedReplies;
  readonly #failures: WatchedFailures;
  readonly #store: WatchedStore;
  readonly #credit: WatchedCredit;
  #isDrained = false;

  constructor(options: CoreOptions) {
    this.#books = new Books(options);
    this.#peers = new WatchedPeers(this.#books);
    this.#dispatch = new WatchedDispatch(this.#books);
    this.#answers = new WatchedAnswers(this.#books);
    this.#replies = new WatchedReplies(this.#books, this.#answers);
    this.#failures = new WatchedFailures(this.#books, this.#answers);
    this.#store = new WatchedStore(this.#books);
    this.#credit = new WatchedCredit(this.#books);
  }

  /** Requests that workers hold now. */
  held(): Held[] {
    const all: Held[] = [];
    for (const { id: worker, held } of this.#books.workers.values()) {
      for (const { address, id } of held.values()) all.push({ worker, address, requestId: id });
    }
    return all;
  }

  /** Peers that the broker knows now, as workers or clients. */
  known(): PeerId[] {
    return [...new Set([...this.#books.workers.keys(), ...this.#books.clients.keys()])];
  }

  before(input: Input, now: Instant): void {
    this.#books.begin(input, now);
    this.#replies.before();
    this.#failures.before();
    this.#credit.before();
    switch (input.type) {
      case "from-client":
        return this.#beforeClientMessage(input.from, input.message);
      case "from-worker": {
        const worker = this.#books.workers.get(input.from);
        this.#credit.beforeDroppedParts(worker, input.message, this.#replies.dropsOf(worker, input.message));
        this.#dispatch.beforeMessage(worker, input.message);
        return this.#replies.beforeMessage(worker, input.message);
      }
      case "violation":
        return this.#failures.beforeViolation(input);
      case "undelivered-to-client":
        return this.#failures.beforeUndelivered(input);
      case "handed-over":
        return this.#answers.beforeHandedOver(input.address);
      case "request-undelivered":
        return this.#dispatch.beforeUndelivered(input);
      case "client-at-backend":
        return this.#failures.beforeClientAtBackend(input);
      case "restore":
        return this.#store.beforeRestore(input);
      case "stored":
        return this.#store.beforeStored(input.key);
      case "store-failed":
        return this.#store.beforeStoreFailed(input.key);
      case "credit-undelivered":
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
    for (const effect of effects) this.#see(effect);
    this.#settleArrival(core.stats().accepted);
    this.#replies.after();
    this.#answers.after();
    this.#failures.after();
    this.#credit.after();
    this.#store.after();
    this.#compareStats(core);
    const next = core.nextDeadline();
    promise(next === undefined || next >= now, `the next deadline ${next} is before ${now}`);
  }

  #beforeClientMessage(from: PeerId, message: FromClient): void {
    switch (message.type) {
      case "request":
        return this.#books.arrive(from, message);
      case "cancel":
        return this.#books.close(this.#books.find(from, message.requestId));
      case "request-heartbeat":
        return this.#failures.beforeRequestHeartbeat(from, message.requestId);
      case "worker-heartbeat":
        return this.#dispatch.beforeHeard(message.worker);
      case "credit":
        return this.#credit.beforeGrant(from, message);
      case "heartbeat":
      case "disconnect":
      case "input":
      case "input-end":
        return;
      default:
        message satisfies never;
    }
  }

  #see(effect: Effect): void {
    switch (effect.type) {
      case "to-client":
        return this.#seeToClient(effect.to, effect.message);
      case "to-worker":
        return this.#seeToWorker(effect.to, effect.message);
      case "announce":
        return this.#peers.seeDirectory(effect.snapshot);
      case "report":
        return this.#seeEvent(effect.event);
      case "confirm":
        return this.#answers.seeConfirm(effect.address);
      case "store":
        return this.#store.seeStore(effect.key);
      case "delete":
        return this.#store.seeDelete(effect.key);
      case "drained":
        promise(!this.#isDrained, "drained twice");
        this.#isDrained = true;
        return;
      default:
        effect satisfies never;
    }
  }

  #seeToWorker(to: PeerId, message: ToWorker): void {
    if (message.type === "request") this.#credit.seeRequest(to, message);
    if (message.type === "credit") this.#credit.seeGrant(to, message);
    this.#dispatch.seeToWorker(to, message);
  }

  #seeToClient(to: PeerId, message: ToClient): void {
    const { away, input } = this.#books;
    // Who speaks is there, also if it says nothing that makes it a client.
    const isThere = !away.has(to) || ("from" in input && input.from === to);
    promise(isThere, `${to} is gone and got ${toClientLine(message)}`);
    switch (message.type) {
      case "heartbeat":
        return this.#peers.seeHeartbeat(to, message);
      case "partial":
      case "partials":
      case "final":
        return this.#replies.seeReply(to, message);
      case "failure":
        return this.#failures.seeFailure(to, message);
      case "notice":
        return this.#peers.seeNotice(to, message);
      case "request-heartbeat":
        return this.#peers.seeRequestHeartbeat(to, message.requestId);
      default:
        promise(false, `${to} got ${toClientLine(message)}, which is not built yet`);
    }
  }

  #seeEvent(event: BrokerEvent): void {
    switch (event.type) {
      case "worker-up":
        return this.#peers.seeWorkerUp(event.worker);
      case "worker-down": {
        const worker = this.#peers.seeWorkerDown(event.worker);
        for (const request of worker?.held.values() ?? []) this.#failures.orphan(request);
        return;
      }
      case "client-up":
        return this.#peers.seeClientUp(event.client);
      case "client-down":
        return this.#seeClientDown(event.client);
      case "request-failed":
        return this.#failures.seeFailed(event);
      case "request-cached":
        return this.#replies.seeCached(event);
      case "request-restored":
        return this.#store.seeRestored(event);
      case "answer-delivered":
        return this.#answers.seeDelivered(event);
      case "dropped":
        return this.#answers.seeDropped(event.peer, event.reason, event.requestId);
      case "answer-held":
      case "store-failed":
      case "request-requeued":
      case "violation":
        return;
      default:
        event satisfies never;
    }
  }

  #seeClientDown(id: PeerId): void {
    const client = this.#peers.seeClientDown(id);
    if (client === undefined) return;
    this.#answers.seeClientDown(client);
    this.#credit.seeClientDown(client);
  }

  /** A request that led to nothing visible is queued, if the core counts it as accepted. */
  #settleArrival(accepted: number): void {
    const { arriving } = this.#books;
    if (arriving !== undefined && accepted > this.#books.accepted) this.#books.accept(arriving);
    promise(this.#books.arriving === undefined, `${this.#books.arriving?.id} was neither accepted nor refused`);
    promise(accepted === this.#books.accepted, `${accepted} requests count as accepted, ${this.#books.accepted} were`);
  }

  #compareStats(core: BrokerCore): void {
    const stats = core.stats();
    const { workers, clients } = this.#books;
    const open = [...this.#books.everyRequest()].length;
    const inFlight = this.held().length;
    const ended = stats.finished + stats.failed + stats.canceled;
    promise(stats.accepted === ended + stats.open, `accepted, ended and open requests do not add up`);
    promise(
      stats.cached === this.#replies.cached,
      `${stats.cached} requests count as cached, ${this.#replies.cached} were`,
    );
    promise(stats.open === open, `${stats.open} requests count as open, ${open} are`);
    promise(stats.inFlight === inFlight, `${stats.inFlight} requests count as in flight, ${inFlight} are`);
    promise(stats.workers === workers.size, `${stats.workers} workers, not ${workers.size}`);
    promise(stats.clients === clients.size, `${stats.clients} clients, not ${clients.size}`);
  }
}
