// Held replies: the reply to a persistent request stays with the broker until its client has it. It is sent whole and in
// order, or as one failure, and dropped only for a bound, its timeout or a stop.

import type { FailureCode, PeerId, RequestId } from "@pigato/protocol";
import type { BrokerEvent, DropReason } from "../effects.ts";
import type { Model } from "./model.ts";
import { invariant, type ModelClient, type ModelRequest } from "./model-records.ts";

export class HeldReplyChecks {
  readonly #model: Model;
  /** Whether replies may be dropped to make room. */
  readonly #isBounded: boolean;
  /** Requests whose failure is held since this input. */
  readonly #failedNow = new Set<ModelRequest>();
  /** How many persistent requests were answered so far: their clients have a reply that is no error. */
  answered = 0;

  constructor(model: Model) {
    this.#model = model;
    const { maxHeldReplies, maxHeldRepliesPerClient, maxHeldBytes, maxHeldBytesPerClient } = model.options;
    const most = Math.min(maxHeldReplies, maxHeldRepliesPerClient);
    this.#isBounded = most < 1_000 || Math.min(maxHeldBytes, maxHeldBytesPerClient) < 1_000_000;
  }

  /** Whether the reply to a request must be held now. */
  mustHold(request: ModelRequest): boolean {
    const { clients } = this.#model;
    const client = clients.get(request.client);
    return (
      client === undefined ||
      client.reconnectedAt !== undefined ||
      request.heldLines.length > 0 ||
      request.loss !== undefined
    );
  }

  /** Holds a message of a reply. @param isNull whether a classic client does not get it */
  hold(request: ModelRequest, line: string, isNull: boolean): void {
    if (request.loss === undefined) request.heldLines.push({ line, isNull });
  }

  /** The reply is complete; the request stays open until its client has the reply. */
  complete(request: ModelRequest): void {
    request.isReplyComplete = true;
    this.#model.free(request);
  }

  /** The request failed. @returns whether the failure is held */
  fail(request: ModelRequest, code: FailureCode): boolean {
    const isHeld = request.isReplyComplete || this.mustHold(request);
    const isLoss = request.isReplyComplete;
    invariant(
      !isLoss || code === request.loss || this.#isBounded,
      `${request.id} had a complete reply and failed with ${code}`,
    );
    const delivery = isLoss ? "maybe-executed" : request.delivery();
    if (isLoss || request.loss !== undefined) request.heldLines.length = 0;
    if (isHeld) {
      request.heldLines.push({ line: failureLine(request, code, delivery), isNull: false });
      this.#failedNow.add(request);
    }
    request.isDropped = false;
    request.loss = undefined;
    this.complete(request);
    return isHeld;
  }

  /** A message of a reply goes out. @returns whether it was held */
  seeHeldLine(to: PeerId, id: RequestId, line: string): boolean {
    const request = this.#model.find(to, id);
    const client = this.#model.clients.get(to);
    if (request === undefined || client === undefined) return false;
    while (request.heldLines[0]?.isNull && !client.capabilities.error) request.heldLines.shift();
    if (request.heldLines[0]?.line !== line) return false;
    invariant(this.#mayRelease(client, request), `${to} got ${line} before it had time to repeat its requests`);
    request.heldLines.shift();
    request.sentLines.push(line);
    return true;
  }

  seeDelivered({ client, requestId }: BrokerEvent & { readonly type: "reply-delivered" }): void {
    const request = [...(this.#model.clients.get(client)?.open.values() ?? [])].find(({ id }) => id === requestId);
    invariant(request !== undefined, `${requestId} was delivered to ${client}, which is not connected`);
    if (request === undefined) return;
    request.heldLines = request.heldLines.filter(({ isNull }) => !isNull || this.#model.takesErrors(client));
    invariant(request.heldLines.length === 0, `${request.heldLines[0]?.line} was not delivered with the rest`);
    if (!request.isReplyComplete) request.sentLines.length = 0;
  }

  seeDropped(client: PeerId, reason: DropReason, id: string | undefined): void {
    const request = [...(this.#model.clientOf(client)?.open.values() ?? [])].find((open) => open.id === id);
    if (reason !== "undelivered" || request === undefined || request.key === undefined) return;
    const { maxTimeoutMs, maxStoredMs } = this.#model.options;
    // The model does not know the deadlines that the broker shortens.
    const isShortened = Math.min(maxTimeoutMs, maxStoredMs) < Number.POSITIVE_INFINITY;
    const isExpired = this.#model.away.has(client) && (isShortened || request.deadlineAt <= this.#model.now);
    invariant(isExpired || this.#isBounded, `the reply to ${id} was dropped within the bounds`);
    // There is no room for the failure behind the partials: they are dropped, and it stays.
    const isFailureKept = this.#failedNow.has(request) && request.heldLines.length > 1;
    request.heldLines = isFailureKept ? request.heldLines.slice(-1) : [];
    if (isFailureKept) return;
    if (request.isReplyComplete) request.isDropped = true;
    else request.loss = "BUSY";
  }

  /** A message of a reply goes out without being held; the request ends when the message is confirmed. */
  seeSent(request: ModelRequest, line: string): void {
    request.sentLines.push(line);
  }

  seeConfirm(address: string): void {
    const waiting = [...this.#model.everyRequest()].filter(
      ({ isReplyComplete, sentLines, confirmation }) =>
        isReplyComplete && sentLines.length > 0 && confirmation === undefined,
    );
    invariant(waiting.length === 1, `${waiting.length} replies wait to be confirmed`);
    for (const request of waiting) request.confirmation = address;
  }

  beforeHandedOver(address: string): void {
    for (const request of this.#model.everyRequest()) {
      if (request.confirmation !== address) continue;
      if (/: final \S+ (?!status )/.test(request.sentLines.at(-1) ?? "")) this.answered += 1;
      return this.#model.close(request);
    }
  }

  /** Holds again what the client may not have received. */
  seeClientDown(client: ModelClient): void {
    client.reconnectedAt = undefined;
    for (const request of client.open.values()) {
      if (request.confirmation !== undefined) {
        request.confirmation = undefined;
        request.heldLines = request.sentLines.map((line) => ({ line, isNull: false }));
        request.sentLines = [];
        request.restartTimeout(this.#model.now);
      } else if (request.hasPartial && request.heldLines.length === 0 && !request.isReplyComplete) {
        request.loss ??= "BROKER_LOST";
      }
    }
  }

  after(): void {
    const { clients, options, now, input } = this.#model;
    this.#failedNow.clear();
    for (const request of [...this.#model.everyRequest()]) if (request.isDropped) this.#model.close(request);
    for (const client of clients.values()) {
      if (client.reconnectedAt === undefined || input.type !== "tick" || now < client.reconnectedAt + options.settleMs)
        continue;
      client.reconnectedAt = undefined;
      for (const { id, heldLines } of client.open.values())
        invariant(heldLines.length === 0, `${heldLines[0]?.line} (${id}) is held for ${client.id}, which is connected`);
    }
  }

  #mayRelease({ reconnectedAt }: ModelClient, { deadlineAt }: ModelRequest): boolean {
    const { now, options, input } = this.#model;
    if (reconnectedAt === undefined || input.type === "drain") return true;
    return now >= reconnectedAt + options.settleMs || deadlineAt <= now;
  }
}

function failureLine({ client, id }: ModelRequest, code: FailureCode, delivery: string): string {
  return `${client}: failure ${id} ${code} (${delivery})`;
}
