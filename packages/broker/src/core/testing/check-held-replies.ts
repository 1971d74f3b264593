// Held replies: the reply to a persistent request stays with the broker until its client has it. It is sent whole and in
// order, or as one failure, and dropped only for a bound, its timeout or a stop.

import type { FailureCode, PeerId, RequestId } from "@pigato/protocol";
import type { BrokerEvent, DropReason } from "../effects.ts";
import type { Model } from "./model.ts";
import { invariant, type ModelClient, type ModelRequest } from "./model-records.ts";

export class HeldReplyChecks {
  readonly #model: Model;
  /** Whether answers may be given up to make room. */
  readonly #isBounded: boolean;

  constructor(model: Model) {
    this.#model = model;
    const { maxHeldAnswers, maxHeldAnswersPerClient, maxHeldBytes, maxHeldBytesPerClient } = model.options;
    const most = Math.min(maxHeldAnswers, maxHeldAnswersPerClient);
    this.#isBounded = most < 1_000 || Math.min(maxHeldBytes, maxHeldBytesPerClient) < 1_000_000;
  }

  /** Whether what comes for its client must wait. */
  isHeldBack(request: ModelRequest): boolean {
    const { clients } = this.#model;
    const client = clients.get(request.client);
    return (
      client === undefined || client.backAt !== undefined || request.awaited.length > 0 || request.loss !== undefined
    );
  }

  /** A part of its reply, or the end, that is to wait. @param isNull whether an old client is not to get it */
  hold(request: ModelRequest, line: string, isNull: boolean): void {
    if (request.loss === undefined) request.awaited.push({ line, isNull });
  }

  /** It has ended, and its client is to have the answer. */
  answer(request: ModelRequest): void {
    request.isAnswered = true;
    this.#model.free(request);
  }

  /** It failed. @returns whether its client is told later */
  fail(request: ModelRequest, code: FailureCode): boolean {
    const isHeldBack = request.isAnswered || this.isHeldBack(request);
    const isLoss = request.isAnswered;
    invariant(
      !isLoss || code === request.loss || this.#isBounded,
      `${request.id} was answered and failed with ${code}`,
    );
    const delivery = isLoss ? "maybe-executed" : request.delivery();
    if (isLoss || request.loss !== undefined) request.awaited.length = 0;
    if (isHeldBack) request.awaited.push({ line: failureLine(request, code, delivery), isNull: false });
    request.isDropped = false;
    request.loss = undefined;
    this.answer(request);
    return isHeldBack;
  }

  /** Something of an answer goes out. @returns whether it is what was held */
  seeGiven(to: PeerId, id: RequestId, line: string): boolean {
    const request = this.#model.find(to, id);
    const client = this.#model.clients.get(to);
    if (request === undefined || client === undefined) return false;
    while (request.awaited[0]?.isNull && !client.capabilities.error) request.awaited.shift();
    if (request.awaited[0]?.line !== line) return false;
    invariant(this.#isTime(client, request), `${to} got ${line} before it could ask again`);
    request.awaited.shift();
    request.given.push(line);
    return true;
  }

  seeDelivered({ client, requestId }: BrokerEvent & { readonly type: "answer-delivered" }): void {
    const request = [...(this.#model.clients.get(client)?.open.values() ?? [])].find(({ id }) => id === requestId);
    invariant(request !== undefined, `${requestId} was delivered to ${client}, which is not there`);
    if (request === undefined) return;
    request.awaited = request.awaited.filter(({ isNull }) => !isNull || this.#model.isTyped(client));
    invariant(request.awaited.length === 0, `${request.awaited[0]?.line} was not delivered with the rest`);
    if (!request.isAnswered) request.given.length = 0;
  }

  seeDropped(client: PeerId, reason: DropReason, id: string | undefined): void {
    const request = [...(this.#model.clientOf(client)?.open.values() ?? [])].find((open) => open.id === id);
    if (reason !== "undelivered" || request === undefined || request.key === undefined) return;
    const isDue = request.deadlineAt <= this.#model.now && this.#model.away.has(client);
    invariant(isDue || this.#isBounded, `the answer to ${id} was given up`);
    request.awaited.length = 0;
    if (request.isAnswered) request.isDropped = true;
    else request.loss = "BUSY";
  }

  /** Directly, as nothing was held: it is known to be there when it is confirmed. */
  give(request: ModelRequest, line: string): void {
    request.given.push(line);
  }

  seeConfirm(address: string): void {
    const waiting = [...this.#model.everyRequest()].filter(
      ({ isAnswered, given, confirmation }) => isAnswered && given.length > 0 && confirmation === undefined,
    );
    invariant(waiting.length === 1, `${waiting.length} answers wait to be confirmed`);
    for (const request of waiting) request.confirmation = address;
  }

  beforeHandedOver(address: string): void {
    for (const request of this.#model.everyRequest())
      if (request.confirmation === address) return this.#model.close(request);
  }

  /** What it may not have got waits for it to come back. */
  seeClientDown(client: ModelClient): void {
    client.backAt = undefined;
    for (const request of client.open.values()) {
      if (request.confirmation !== undefined) {
        request.confirmation = undefined;
        request.awaited = request.given.map((line) => ({ line, isNull: false }));
        request.given = [];
        request.deadlineAt = this.#model.now + request.options.timeoutMs;
      } else if (request.hasPartial && request.awaited.length === 0 && !request.isAnswered) {
        request.loss ??= "BROKER_LOST";
      }
    }
  }

  after(): void {
    const { clients, options, now, input } = this.#model;
    for (const request of [...this.#model.everyRequest()]) if (request.isDropped) this.#model.close(request);
    for (const client of clients.values()) {
      if (client.backAt === undefined || input.type !== "tick" || now < client.backAt + options.settleMs) continue;
      client.backAt = undefined;
      for (const { id, awaited } of client.open.values())
        invariant(awaited.length === 0, `${awaited[0]?.line} (${id}) is held for ${client.id}, which is there`);
    }
  }

  #isTime({ backAt }: ModelClient, { deadlineAt }: ModelRequest): boolean {
    const { now, options, input } = this.#model;
    if (backAt === undefined || input.type === "drain") return true;
    return now >= backAt + options.settleMs || deadlineAt <= now;
  }
}

function failureLine({ client, id }: ModelRequest, code: FailureCode, delivery: string): string {
  return `${client}: failure ${id} ${code} (${delivery})`;
}
