// Persistence: a persistent request is stored once, before it runs, and deleted when it has ended and not sooner. What the
// store held at the start is open again.

import type { BrokerEvent, Input } from "../effects.ts";
import { messageOf } from "../persistence.ts";
import type { StoredRequest } from "../stored-request.ts";
import type { Model } from "./model.ts";
import { invariant, ModelClient, type ModelRequest } from "./model-records.ts";

export class StoreChecks {
  readonly #model: Model;
  /** Keys that the store has or was asked to store, each with its request if that is open. */
  readonly #keys = new Map<string, ModelRequest | undefined>();

  constructor(model: Model) {
    this.#model = model;
  }

  beforeRestore({ key, request, ageMs }: Input & { readonly type: "restore" }): void {
    const { from, message } = messageOf(request);
    this.#keys.set(key, undefined);
    this.#model.arrive(from, message);
    if (this.#model.arriving === undefined) return;
    this.#model.arriving.mayHaveRun = true;
    this.#model.arriving.lostWorkers = request.lostWorkers ?? 0;
    const { deadlineMs } = request;
    if (deadlineMs !== undefined) this.#model.arriving.lastAt = this.#model.now + deadlineMs - ageMs;
  }

  beforeStored(key: string): void {
    const request = this.#keys.get(key);
    if (!request?.isStoring) return;
    request.number = this.#model.nextNumber();
    request.isStoring = false;
  }

  beforeStoreFailed(key: string): void {
    const request = this.#keys.get(key);
    // A request that was stored before stays stored, only without its lost workers.
    if (request?.isStoring) request.isRefused = true;
  }

  seeStore(key: string, { lostWorkers = 0 }: StoredRequest): void {
    if (lostWorkers > 0) {
      const known = this.#keys.get(key);
      return invariant(known !== undefined && !known.isStoring, `${key} is stored anew and was not stored`);
    }
    const request = this.#model.arriving;
    if (request === undefined) return invariant(false, `${key} is stored without a new request`);
    invariant(
      request.options.persist && !this.#keys.has(key),
      `${request.id} is stored although it is not persistent, or twice`,
    );
    this.#model.accept(request);
    request.key = key;
    request.isStoring = true;
    this.#keys.set(key, request);
  }

  seeDelete(key: string): void {
    invariant(this.#keys.has(key), `${key} is deleted and was not stored`);
    const request = this.#keys.get(key);
    const isOver = request === undefined || this.#model.find(request.client, request.id) !== request;
    invariant(isOver || request.isRefused || request.isDropped, `${request?.id} is open and deleted`);
    invariant(!request?.isStoring || request.isRefused, `${request?.id} is deleted while it is being stored`);
    this.#keys.delete(key);
  }

  seeRestored({ client, requestId: id }: BrokerEvent & { readonly type: "request-restored" }): void {
    const { arriving: request, input } = this.#model;
    const key = input.type === "restore" ? input.key : undefined;
    if (request?.client !== client || request.id !== id || key === undefined) {
      return invariant(false, `${id} of ${client} was restored and not stored`);
    }
    if (this.#model.clientOf(client) === undefined) this.#model.away.set(client, new ModelClient(client));
    request.key = key;
    this.#keys.set(key, request);
    this.#model.accept(request);
  }

  after(): void {
    for (const { id, key, options } of this.#model.everyRequest())
      invariant(!options.persist || key !== undefined, `${id} is open and was not stored`);
  }
}
