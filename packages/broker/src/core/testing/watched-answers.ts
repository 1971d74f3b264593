// The answer to a stored request stays with the broker until its client has it: held while that is away, and for a while
// when it is back; then given whole and in order, or as one failure. None is given up but for a bound, its time, or a stop.

import type { FailureCode, PeerId, RequestId } from "@pigato/protocol";
import type { BrokerEvent, DropReason } from "../effects.ts";
import type { Books } from "./books.ts";
import { promise, type WatchedClient, type WatchedRequest } from "./watched.ts";

export class WatchedAnswers {
  readonly #books: Books;
  /** Whether answers may be given up to make room. */
  readonly #isBounded: boolean;

  constructor(books: Books) {
    this.#books = books;
    const { maxHeldAnswers, maxHeldAnswersPerClient, maxHeldBytes, maxHeldBytesPerClient } = books.options;
    const most = Math.min(maxHeldAnswers, maxHeldAnswersPerClient);
    this.#isBounded = most < 1_000 || Math.min(maxHeldBytes, maxHeldBytesPerClient) < 1_000_000;
  }

  /** Whether what comes for its client must wait. */
  isHeldBack(request: WatchedRequest): boolean {
    const { clients } = this.#books;
    const client = clients.get(request.client);
    return (
      client === undefined || client.backAt !== undefined || request.awaited.length > 0 || request.loss !== undefined
    );
  }

  /** A part of its reply, or the end, that is to wait. @param isNull whether an old client is not to get it */
  hold(request: WatchedRequest, line: string, isNull: boolean): void {
    if (request.loss === undefined) request.awaited.push({ line, isNull });
  }

  /** It has ended, and its client is to have the answer. */
  answer(request: WatchedRequest): void {
    request.isAnswered = true;
    this.#books.free(request);
  }

  /** It failed. @returns whether its client is told later */
  fail(request: WatchedRequest, code: FailureCode): boolean {
    const isHeldBack = request.isAnswered || this.isHeldBack(request);
    const isLoss = request.isAnswered;
    promise(!isLoss || code === request.loss || this.#isBounded, `${request.id} was answered and failed with ${code}`);
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
    const request = this.#books.find(to, id);
    const client = this.#books.clients.get(to);
    if (request === undefined || client === undefined) return false;
    while (request.awaited[0]?.isNull && !client.capabilities.error) request.awaited.shift();
    if (request.awaited[0]?.line !== line) return false;
    promise(this.#isTime(client, request), `${to} got ${line} before it could ask again`);
    request.awaited.shift();
    request.given.push(line);
    return true;
  }

  seeDelivered({ client, requestId }: BrokerEvent & { readonly type: "answer-delivered" }): void {
    const request = [...(this.#books.clients.get(client)?.open.values() ?? [])].find(({ id }) => id === requestId);
    promise(request !== undefined, `${requestId} was delivered to ${client}, which is not there`);
    if (request === undefined) return;
    request.awaited = request.awaited.filter(({ isNull }) => !isNull || this.#books.isTyped(client));
    promise(request.awaited.length === 0, `${request.awaited[0]?.line} was not delivered with the rest`);
    if (!request.isAnswered) request.given.length = 0;
  }

  seeDropped(client: PeerId, reason: DropReason, id: string | undefined): void {
    const request = [...(this.#books.clientOf(client)?.open.values() ?? [])].find((open) => open.id === id);
    if (reason !== "undelivered" || request === undefined || request.key === undefined) return;
    const isDue = request.deadlineAt <= this.#books.now && this.#books.away.has(client);
    promise(isDue || this.#isBounded, `the answer to ${id} was given up`);
    request.awaited.length = 0;
    if (request.isAnswered) request.isDropped = true;
    else request.loss = "BUSY";
  }

  /** Directly, as nothing was held: it is known to be there when it is confirmed. */
  give(request: WatchedRequest, line: string): void {
    request.given.push(line);
  }

  seeConfirm(address: string): void {
    const waiting = [...this.#books.everyRequest()].filter(
      ({ isAnswered, given, confirmation }) => isAnswered && given.length > 0 && confirmation === undefined,
    );
    promise(waiting.length === 1, `${waiting.length} answers wait to be confirmed`);
    for (const request of waiting) request.confirmation = address;
  }

  beforeHandedOver(address: string): void {
    for (const request of this.#books.everyRequest())
      if (request.confirmation === address) return this.#books.close(request);
  }

  /** What it may not have got waits for it to come back. */
  seeClientDown(client: WatchedClient): void {
    client.backAt = undefined;
    for (const request of client.open.values()) {
      if (request.confirmation !== undefined) {
        request.confirmation = undefined;
        request.awaited = request.given.map((line) => ({ line, isNull: false }));
        request.given = [];
        request.deadlineAt = this.#books.now + request.options.timeoutMs;
      } else if (request.hasPartial && request.awaited.length === 0 && !request.isAnswered) {
        request.loss ??= "BROKER_LOST";
      }
    }
  }

  after(): void {
    const { clients, options, now, input } = this.#books;
    for (const request of [...this.#books.everyRequest()]) if (request.isDropped) this.#books.close(request);
    for (const client of clients.values()) {
      if (client.backAt === undefined || input.type !== "tick" || now < client.backAt + options.settleMs) continue;
      client.backAt = undefined;
      for (const { id, awaited } of client.open.values())
        promise(awaited.length === 0, `${awaited[0]?.line} (${id}) is held for ${client.id}, which is there`);
    }
  }

  #isTime({ backAt }: WatchedClient, { deadlineAt }: WatchedRequest): boolean {
    const { now, options, input } = this.#books;
    if (backAt === undefined || input.type === "drain") return true;
    return now >= backAt + options.settleMs || deadlineAt <= now;
  }
}

function failureLine({ client, id }: WatchedRequest, code: FailureCode, delivery: string): string {
  return `${client}: failure ${id} ${code} (${delivery})`;
}
