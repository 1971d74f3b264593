// Failures: every request that fails has a reason, and its client gets one failure with the right delivery class.

import { type PeerId, type RequestId, requestId, type ToClient } from "@pigato/protocol";
import type { BrokerEvent, Input } from "../effects.ts";
import { RequestCounts } from "../request-counts.ts";
import type { HeldReplyChecks } from "./check-held-replies.ts";
import { toClientLine } from "./lines.ts";
import type { Model } from "./model.ts";
import { invariant, type ModelRequest, type OwedFailure } from "./model-records.ts";

export class FailureChecks {
  readonly #model: Model;
  readonly #heldReplies: HeldReplyChecks;
  /** Failures that clients must get before the current input ends. */
  #owed: OwedFailure[] = [];
  /** Requests whose worker was lost with the current input. */
  #orphans: ModelRequest[] = [];
  /** Requests that were refused so far, and those that failed without having been stored, by code. */
  readonly counts: RequestCounts = new RequestCounts();

  constructor(model: Model, heldReplies: HeldReplyChecks) {
    this.#model = model;
    this.#heldReplies = heldReplies;
  }

  before(): void {
    this.#owed = [];
    this.#orphans = [];
  }

  beforeRequestHeartbeat(from: PeerId, id: RequestId): void {
    const client = this.#model.clients.get(from);
    if (!client?.capabilities.requestHeartbeat || client.open.has(id)) return;
    this.#owe(from, id, "BROKER_LOST", "maybe-executed");
  }

  beforeViolation({ from, role, violation: { requestId } }: Input & { readonly type: "violation" }): void {
    if (role !== "client" || requestId === undefined || this.#model.find(from, requestId) !== undefined) return;
    this.counts.refusals.INVALID += 1;
    this.#owe(from, requestId, "INVALID", "not-sent");
  }

  beforeOversized({ from, message: { requestId } }: Input & { readonly type: "oversized-request" }): void {
    if (this.#model.find(from, requestId) !== undefined) return;
    this.counts.refusals.INVALID += 1;
    this.#owe(from, requestId, "INVALID", "not-sent");
  }

  beforeUndelivered({ to, reason, message }: Input & { readonly type: "undelivered-to-client" }): void {
    if (reason !== "congested" || message.type !== "final" || !this.#model.clients.has(to)) return;
    this.#owe(to, message.requestId, "BUSY", "maybe-executed");
  }

  beforeClientAtBackend({ from, message }: Input & { readonly type: "client-at-backend" }): void {
    if (message.type !== "request") return;
    this.counts.refusals.INVALID += 1;
    this.#owe(from, message.requestId, "INVALID", "not-sent");
  }

  /** The worker that held this request is gone. */
  orphan(request: ModelRequest): void {
    request.holder = undefined;
    if (request.isReceived !== false) {
      request.mayHaveRun = true;
      request.lostWorkers += 1;
    }
    this.#orphans.push(request);
  }

  seeExhausted({ client, requestId: id, dispatches }: BrokerEvent & { readonly type: "request-exhausted" }): void {
    const request = this.#model.find(client, requestId(id));
    const lost = request?.lostWorkers ?? 0;
    const isAtBound = lost === dispatches && lost >= this.#model.options.maxDispatches;
    invariant(isAtBound && request?.options.retry === true, `${id} counts as exhausted after ${lost} workers`);
  }

  seeFailed(event: BrokerEvent & { readonly type: "request-failed" }): void {
    const { client, code } = event;
    const { arriving } = this.#model;
    if (arriving?.client === client && arriving.id === event.requestId) {
      // It was accepted, and given to a worker that cannot take its input.
      const isUnfit = code === "INVALID" && arriving.input !== undefined && !arriving.options.persist;
      if (!isUnfit) return this.#seeRefused(arriving, code);
      this.#model.accept(arriving);
    }
    const request = this.#model.find(client, requestId(event.requestId));
    // The next broker runs a stored request.
    if (code === "CLOSED" && request?.key !== undefined) request.mayHaveRun = true;
    if (request === undefined) return invariant(false, `${event.requestId} of ${client} failed and was not open`);
    const isLast = code === "DEADLINE_EXCEEDED" || code === "CLOSED";
    if (request.key !== undefined && !isLast) return this.#seePersistentFailed(request, code);
    const isNotified = code === "DEADLINE_EXCEEDED" ? this.#model.takesErrors(client) : this.#model.clients.has(client);
    if (isNotified) this.#owe(client, request.id, code, request.delivery());
    if (request.key === undefined) this.counts.failures[code] += 1;
    this.#model.close(request);
  }

  /** A persistent request failed: it stays open until its client has the failure, unless the store did not take it. */
  #seePersistentFailed(request: ModelRequest, code: OwedFailure["code"]): void {
    const { client, id } = request;
    const delivery = request.delivery();
    if (request.isRefused) {
      if (this.#model.clients.has(client)) this.#owe(client, id, code, delivery);
      return this.#model.close(request);
    }
    if (this.#heldReplies.fail(request, code)) return;
    this.#owe(client, id, code, delivery);
    this.#heldReplies.seeSent(request, `${client}: failure ${id} ${code} (${delivery})`);
  }

  seeFailure(to: PeerId, message: ToClient & { readonly type: "failure" }): void {
    const { code, delivery } = message.failure;
    if (this.#heldReplies.seeHeldLine(to, message.requestId, `${to}: ${toClientLine(message)}`)) return;
    const index = this.#owed.findIndex(({ client, id }) => client === to && id === message.requestId);
    const owed = this.#owed[index];
    invariant(owed !== undefined, `${to} got ${toClientLine(message)}, which it must not get`);
    invariant(
      owed?.code === code && owed.delivery === delivery,
      `${to} got ${toClientLine(message)}, not ${owed?.code} (${owed?.delivery})`,
    );
    this.#owed.splice(index, 1);
  }

  after(): void {
    invariant(this.#owed.length === 0, `${this.#owed.length} clients did not get the failure of their request`);
    for (const request of this.#orphans) this.#checkOrphan(request);
    for (const { id, deadlineAt, confirmation } of this.#model.everyRequest())
      invariant(confirmation !== undefined || deadlineAt > this.#model.now, `${id} is still open at its deadline`);
  }

  /** The request of the current input was not accepted. */
  #seeRefused(request: ModelRequest, code: OwedFailure["code"]): void {
    this.#model.arriving = undefined;
    if (code === "UNAVAILABLE") this.#checkUnavailable(request);
    if (code !== "DEADLINE_EXCEEDED") {
      this.counts.refusals[code] += 1;
      return this.#owe(request.client, request.id, code, "not-sent");
    }
    invariant(request.options.timeoutMs === 0, `${request.id} expired on arrival`);
    this.counts.failures[code] += 1;
    this.#model.accepted += 1;
    if (this.#model.takesErrors(request.client)) this.#owe(request.client, request.id, code, "queued");
  }

  /** UNAVAILABLE at once: only if no worker offers the service, or the named worker does not. */
  #checkUnavailable({ id, service, options }: ModelRequest): void {
    const { names, workers } = this.#model;
    const target = options.worker === undefined ? undefined : workers.get(options.worker);
    const isTargetValid = [...(target?.services ?? [])].some((offered) => names.mayServe(offered, service));
    const isServed = names.servedAs(service) !== undefined;
    if (options.worker === undefined)
      invariant(options.failFast && !isServed, `${id} was refused: ${service} is offered`);
    else
      invariant(
        !isTargetValid || (options.failFast && !isServed),
        `${id} was refused: ${options.worker} offers ${service}`,
      );
  }

  #checkOrphan(request: ModelRequest): void {
    if (this.#model.find(request.client, request.id) !== request || request.holder !== undefined) return;
    if (request.isReplyComplete) return;
    const { retry, worker } = request.options;
    const mayStartOver = (retry || request.isReceived === false) && worker === undefined && request.canStartOver;
    invariant(mayStartOver, `${request.id} lost its worker and neither failed nor may start over`);
    const isExhausted = request.isReceived !== false && request.lostWorkers >= this.#model.options.maxDispatches;
    invariant(!isExhausted, `${request.id} lost ${request.lostWorkers} workers and waits for another one`);
    request.isReceived = undefined;
  }

  #owe(client: PeerId, id: RequestId, code: OwedFailure["code"], delivery: OwedFailure["delivery"]): void {
    this.#owed.push({ client, id, code, delivery });
  }
}
