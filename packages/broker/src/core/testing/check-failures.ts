// Failures: every request that fails does so for a reason, and its client is told once, with the right delivery class.

import { type PeerId, type RequestId, requestId, type ToClient } from "@pigato/protocol";
import type { BrokerEvent, Input } from "../effects.ts";
import type { HeldReplyChecks } from "./check-held-replies.ts";
import { toClientLine } from "./lines.ts";
import type { Model } from "./model.ts";
import { invariant, type ModelRequest, type OwedFailure } from "./model-records.ts";

export class FailureChecks {
  readonly #model: Model;
  readonly #answers: HeldReplyChecks;
  /** What clients are to be told before the input at hand is over. */
  #owed: OwedFailure[] = [];
  /** Requests whose worker was lost with it. */
  #orphans: ModelRequest[] = [];

  constructor(model: Model, answers: HeldReplyChecks) {
    this.#model = model;
    this.#answers = answers;
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
    this.#owe(from, requestId, "INVALID", "not-sent");
  }

  beforeUndelivered({ to, reason, message }: Input & { readonly type: "undelivered-to-client" }): void {
    if (reason !== "congested" || message.type !== "final" || !this.#model.clients.has(to)) return;
    this.#owe(to, message.requestId, "BUSY", "maybe-executed");
  }

  beforeClientAtBackend({ from, message }: Input & { readonly type: "client-at-backend" }): void {
    if (message.type === "request") this.#owe(from, message.requestId, "INVALID", "not-sent");
  }

  /** A worker is gone that held this request. */
  orphan(request: ModelRequest): void {
    request.holder = undefined;
    if (request.isReceived !== false) request.mayHaveRun = true;
    this.#orphans.push(request);
  }

  seeFailed(event: BrokerEvent & { readonly type: "request-failed" }): void {
    const { client, code } = event;
    const { arriving } = this.#model;
    if (arriving?.client === client && arriving.id === event.requestId) return this.#seeRefused(arriving, code);
    const request = this.#model.find(client, requestId(event.requestId));
    // What is stored is run after all, when the broker starts again.
    if (code === "CLOSED" && request?.key !== undefined) request.mayHaveRun = true;
    if (request === undefined) return invariant(false, `${event.requestId} of ${client} failed and was not open`);
    const isLast = code === "DEADLINE_EXCEEDED" || code === "CLOSED";
    if (request.key !== undefined && !isLast) return this.#seeAnswered(request, code);
    const isTold = code === "DEADLINE_EXCEEDED" ? this.#model.isTyped(client) : this.#model.clients.has(client);
    if (isTold) this.#owe(client, request.id, code, request.delivery());
    this.#model.close(request);
  }

  /** A stored request failed: it stays until its client knows. Not so one that was not stored after all. */
  #seeAnswered(request: ModelRequest, code: OwedFailure["code"]): void {
    const { client, id } = request;
    const delivery = request.delivery();
    if (request.isRefused) {
      if (this.#model.clients.has(client)) this.#owe(client, id, code, delivery);
      return this.#model.close(request);
    }
    if (this.#answers.fail(request, code)) return;
    this.#owe(client, id, code, delivery);
    this.#answers.give(request, `${client}: failure ${id} ${code} (${delivery})`);
  }

  seeFailure(to: PeerId, message: ToClient & { readonly type: "failure" }): void {
    const { code, delivery } = message.failure;
    if (this.#answers.seeGiven(to, message.requestId, `${to}: ${toClientLine(message)}`)) return;
    const due = this.#owed.findIndex(({ client, id }) => client === to && id === message.requestId);
    const owed = this.#owed[due];
    invariant(owed !== undefined, `${to} got ${toClientLine(message)}, which was not due`);
    invariant(owed?.code === code && owed.delivery === delivery, `${toClientLine(message)}, not ${owed?.delivery}`);
    this.#owed.splice(due, 1);
  }

  after(): void {
    invariant(this.#owed.length === 0, `${this.#owed.length} clients were not told that their request failed`);
    for (const request of this.#orphans) this.#checkOrphan(request);
    for (const { id, deadlineAt, confirmation } of this.#model.everyRequest())
      invariant(confirmation !== undefined || deadlineAt > this.#model.now, `${id} is still open at its deadline`);
  }

  /** It has just come. */
  #seeRefused(request: ModelRequest, code: OwedFailure["code"]): void {
    this.#model.arriving = undefined;
    if (code === "UNAVAILABLE") this.#checkUnavailable(request);
    if (code !== "DEADLINE_EXCEEDED") return this.#owe(request.client, request.id, code, "not-sent");
    invariant(request.options.timeoutMs === 0, `${request.id} expired on arrival`);
    this.#model.accepted += 1;
    if (this.#model.isTyped(request.client)) this.#owe(request.client, request.id, code, "queued");
  }

  /** Refused at once: only if nobody could take it now. */
  #checkUnavailable({ id, service, options }: ModelRequest): void {
    const { names, workers } = this.#model;
    const target = options.worker === undefined ? undefined : workers.get(options.worker);
    const mayHaveIt = target !== undefined && names.mayServe(target.service, service);
    const isServed = names.servedAs(service) !== undefined;
    if (options.worker === undefined)
      invariant(options.failFast && !isServed, `${id} was refused: ${service} is offered`);
    else
      invariant(
        !mayHaveIt || (options.failFast && !isServed),
        `${id} was refused: ${options.worker} offers ${service}`,
      );
  }

  #checkOrphan(request: ModelRequest): void {
    if (this.#model.find(request.client, request.id) !== request || request.holder !== undefined) return;
    if (request.isAnswered) return;
    const { retry, worker } = request.options;
    const mayStartOver = (retry || request.isReceived === false) && worker === undefined && !request.hasPartial;
    invariant(mayStartOver, `${request.id} lost its worker and waits in silence`);
    request.isReceived = undefined;
  }

  #owe(client: PeerId, id: RequestId, code: OwedFailure["code"], delivery: OwedFailure["delivery"]): void {
    this.#owed.push({ client, id, code, delivery });
  }
}
