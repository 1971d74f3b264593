// Checks a broker from outside and throws as soon as an invariant breaks. The model is kept from inputs and effects alone,
// so it also shows a fault in the tables of the core. The observer passes each input and effect to the checks (check-*.ts),
// and compares the counters of the broker with the model.
//
// It expects a tick before each input, so that every timer that is due has fired when the input comes.

import type { FromClient, PeerId, RequestId, ToClient, ToWorker } from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";
import type { BrokerCore } from "../core.ts";
import type { CoreOptions } from "../core-options.ts";
import type { CoreStats } from "../core-stats.ts";
import type { BrokerEvent, Effect, Input } from "../effects.ts";
import { sumOf } from "../request-counts.ts";
import { AcceptTimeoutChecks } from "./check-accept-timeout.ts";
import { CreditChecks } from "./check-credit.ts";
import { DispatchChecks } from "./check-dispatch.ts";
import { FailureChecks } from "./check-failures.ts";
import { HeldReplyChecks } from "./check-held-replies.ts";
import { InputChecks } from "./check-input.ts";
import { PeerChecks } from "./check-peers.ts";
import { ReplyChecks } from "./check-replies.ts";
import { StoreChecks } from "./check-store.ts";
import { toClientLine } from "./lines.ts";
import { Model } from "./model.ts";
import { invariant } from "./model-records.ts";

/** A request that a worker holds. */
export interface HeldRequest {
  readonly worker: PeerId;
  readonly address: string;
  readonly requestId: RequestId;
  readonly client: PeerId;
  /** Whether its client may send input. */
  readonly takesInput: boolean;
}

export class Observer {
  readonly #model: Model;
  readonly #peers: PeerChecks;
  readonly #dispatch: DispatchChecks;
  readonly #heldReplies: HeldReplyChecks;
  readonly #replies: ReplyChecks;
  readonly #failures: FailureChecks;
  readonly #store: StoreChecks;
  readonly #credit: CreditChecks;
  readonly #input: InputChecks;
  readonly #acceptTimeout: AcceptTimeoutChecks;
  #isDrained = false;

  constructor(options: CoreOptions) {
    this.#model = new Model(options);
    this.#peers = new PeerChecks(this.#model);
    this.#dispatch = new DispatchChecks(this.#model);
    this.#heldReplies = new HeldReplyChecks(this.#model);
    this.#replies = new ReplyChecks(this.#model, this.#heldReplies);
    this.#failures = new FailureChecks(this.#model, this.#heldReplies);
    this.#store = new StoreChecks(this.#model);
    this.#credit = new CreditChecks(this.#model);
    this.#input = new InputChecks(this.#model);
    this.#acceptTimeout = new AcceptTimeoutChecks(this.#model);
  }

  /** The requests that workers hold now. */
  held(): HeldRequest[] {
    const all: HeldRequest[] = [];
    for (const { id: worker, held } of this.#model.workers.values()) {
      for (const { address, id, client, input } of held.values()) {
        const takesInput = input?.isGranted === true && !input.hasEnded;
        all.push({ worker, address, requestId: id, client, takesInput });
      }
    }
    return all;
  }

  /** Peers that the broker knows now, as workers or clients. */
  known(): PeerId[] {
    return [...new Set([...this.#model.workers.keys(), ...this.#model.clients.keys()])];
  }

  before(input: Input, now: Instant): void {
    this.#model.begin(input, now);
    this.#replies.before();
    this.#failures.before();
    this.#credit.before();
    this.#input.before();
    switch (input.type) {
      case "from-client":
        return this.#beforeClientMessage(input.from, input.message);
      case "from-worker": {
        const worker = this.#model.workers.get(input.from);
        this.#credit.beforeDroppedParts(worker, input.message, this.#replies.droppedIn(worker, input.message));
        this.#dispatch.beforeMessage(worker, input.message);
        if (input.message.type === "credit") this.#input.beforeGrant(worker, input.message);
        return this.#replies.beforeMessage(worker, input.message);
      }
      case "violation":
        return this.#failures.beforeViolation(input);
      case "undelivered-to-client":
        return this.#failures.beforeUndelivered(input);
      case "handed-over":
        return this.#heldReplies.beforeHandedOver(input.address);
      case "request-undelivered":
        return this.#dispatch.beforeUndelivered(input);
      case "oversized-request":
        return this.#failures.beforeOversized(input);
      case "client-at-backend":
        return this.#failures.beforeClientAtBackend(input);
      case "restore":
        return this.#store.beforeRestore(input);
      case "stored":
        return this.#store.beforeStored(input.key);
      case "store-failed":
        return this.#store.beforeStoreFailed(input.key);
      case "oversized-reply":
      case "receiving":
      case "stream-undelivered":
      case "worker-at-frontend":
      case "deleted":
      case "delete-failed":
      case "identified":
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
    this.#heldReplies.after();
    this.#failures.after();
    this.#credit.after();
    this.#input.after();
    this.#store.after();
    this.#acceptTimeout.after();
    this.#compareStats(core);
    const next = core.nextDeadline();
    invariant(next === undefined || next >= now, `the next deadline ${next} is before ${now}`);
  }

  #beforeClientMessage(from: PeerId, message: FromClient): void {
    switch (message.type) {
      case "request":
        return this.#model.arrive(from, message);
      case "cancel":
        return this.#model.close(this.#model.find(from, message.requestId));
      case "request-heartbeat":
        return this.#failures.beforeRequestHeartbeat(from, message.requestId);
      case "worker-heartbeat":
        return this.#dispatch.beforeWorkerHeartbeat(from, message.worker);
      case "credit":
        return this.#credit.beforeGrant(from, message);
      case "input":
      case "input-end":
        return this.#input.beforeInput(from, message);
      case "heartbeat":
      case "disconnect":
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
        return this.#heldReplies.seeConfirm(effect.address);
      case "store":
        return this.#store.seeStore(effect.key, effect.request);
      case "delete":
        return this.#store.seeDelete(effect.key);
      case "drained":
        invariant(!this.#isDrained, "drained twice");
        this.#isDrained = true;
        return;
      default:
        effect satisfies never;
    }
  }

  #seeToWorker(to: PeerId, message: ToWorker): void {
    if (message.type === "request") this.#credit.seeRequest(to, message);
    if (message.type === "credit") this.#credit.seeGrant(to, message);
    if (message.type === "input" || message.type === "input-end") this.#input.seeInput(to, message);
    this.#dispatch.seeToWorker(to, message);
  }

  #seeToClient(to: PeerId, message: ToClient): void {
    const { away, input } = this.#model;
    // A peer that sends something is connected, even if its message does not make it a client.
    const isConnected = !away.has(to) || ("from" in input && input.from === to);
    invariant(isConnected, `${to} is gone and got ${toClientLine(message)}`);
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
      case "credit":
        return this.#input.seeGrant(to, message);
      default:
        invariant(false, `${to} got ${toClientLine(message)}, which no broker sends yet`);
    }
  }

  #seeEvent(event: BrokerEvent): void {
    switch (event.type) {
      case "worker-up":
        return this.#peers.seeWorkerUp(event.worker, event.service);
      case "worker-down": {
        const worker = this.#peers.seeWorkerDown(event.worker, event.service);
        for (const request of worker?.held.values() ?? []) this.#failures.orphan(request);
        return;
      }
      case "client-up":
        return this.#peers.seeClientUp(event.client);
      case "client-down":
        return this.#seeClientDown(event.client);
      case "request-failed":
        this.#acceptTimeout.seeFailed(event);
        return this.#failures.seeFailed(event);
      case "request-cached":
        return this.#replies.seeCached(event);
      case "request-exhausted":
        return this.#failures.seeExhausted(event);
      case "request-restored":
        return this.#store.seeRestored(event);
      case "reply-delivered":
        return this.#heldReplies.seeDelivered(event);
      case "dropped":
        return this.#heldReplies.seeDropped(event.peer, event.reason, event.requestId);
      case "reply-held":
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
    this.#heldReplies.seeClientDown(client);
    this.#credit.seeClientDown(client);
  }

  /** A request without a visible effect is queued if the core counts it as accepted. */
  #settleArrival(accepted: number): void {
    const { arriving } = this.#model;
    if (arriving !== undefined && accepted > this.#model.accepted) this.#model.accept(arriving);
    invariant(this.#model.arriving === undefined, `${this.#model.arriving?.id} was neither accepted nor refused`);
    invariant(
      accepted === this.#model.accepted,
      `${accepted} requests count as accepted, ${this.#model.accepted} were`,
    );
  }

  #compareStats(core: BrokerCore): void {
    const stats = core.stats();
    const { workers, clients } = this.#model;
    const open = [...this.#model.everyRequest()].length;
    const inFlight = this.held().length;
    this.#compareEnds(stats);
    invariant(
      stats.cached === this.#replies.cached,
      `${stats.cached} requests count as cached, ${this.#replies.cached} were`,
    );
    invariant(stats.open === open, `${stats.open} requests count as open, ${open} are`);
    invariant(stats.inFlight === inFlight, `${stats.inFlight} requests count as in flight, ${inFlight} are`);
    invariant(stats.workers === workers.size, `${stats.workers} workers, not ${workers.size}`);
    invariant(stats.clients === clients.size, `${stats.clients} clients, not ${clients.size}`);
  }

  /** Every accepted request ended in exactly one way or is open, and every failure has a code. */
  #compareEnds({
    accepted,
    answered,
    failed,
    failures,
    canceled,
    expired,
    open,
    refused,
    refusals,
    cached,
  }: CoreStats): void {
    const ended = answered + failed + canceled + expired;
    invariant(accepted === ended + open, `${accepted} accepted requests, but ${ended} ended and ${open} open ones`);
    invariant(failed === sumOf(failures), `${failed} requests count as failed, ${sumOf(failures)} by their codes`);
    invariant(refused === sumOf(refusals), `${refused} requests count as refused, ${sumOf(refusals)} by their codes`);
    invariant(failures.DEADLINE_EXCEEDED === 0, "an expired request counts as failed");
    invariant(cached <= answered, `${cached} requests were answered from the cache, and ${answered} in all`);
    this.#compareCodes(refusals, { ...failures, DEADLINE_EXCEEDED: expired });
    const answeredHere = this.#replies.answered + this.#heldReplies.answered;
    invariant(answered === answeredHere, `${answered} requests count as answered, ${answeredHere} were`);
  }

  /** Refused requests count under their codes, and so do failed ones. Those that were stored may end later, and otherwise. */
  #compareCodes(refusals: CoreStats["refusals"], failures: CoreStats["failures"]): void {
    const { counts } = this.#failures;
    const [refused, seen] = [JSON.stringify(refusals), JSON.stringify(counts.refusals)];
    invariant(refused === seen, `requests count as refused by ${refused}, and ${seen} were`);
    const failed = Object.values(failures);
    const isComplete = Object.values(counts.failures).every((count, index) => (failed[index] ?? 0) >= count);
    const text = `${JSON.stringify(failures)} requests count as failed, and at least ${JSON.stringify(counts.failures)} did`;
    invariant(isComplete, text);
  }
}
