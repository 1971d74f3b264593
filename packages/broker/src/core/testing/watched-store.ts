// What is to survive the broker is stored before it may run, once, and deleted when it is over and not sooner; what the
// store held at the start is open again.

import type { BrokerEvent, Input } from "../effects.ts";
import { messageOf } from "../persistence.ts";
import type { Books } from "./books.ts";
import { promise, WatchedClient, type WatchedRequest } from "./watched.ts";

export class WatchedStore {
  readonly #books: Books;
  /** Keys that the store has, or is about to have; of an open request, or of none. */
  readonly #keys = new Map<string, WatchedRequest | undefined>();

  constructor(books: Books) {
    this.#books = books;
  }

  beforeRestore({ key, request }: Input & { readonly type: "restore" }): void {
    const { from, message } = messageOf(request);
    this.#keys.set(key, undefined);
    this.#books.arrive(from, message);
    if (this.#books.arriving) this.#books.arriving.mayHaveRun = true;
  }

  beforeStored(key: string): void {
    const request = this.#keys.get(key);
    if (!request?.isStoring) return;
    request.number = this.#books.nextNumber();
    request.isStoring = false;
  }

  beforeStoreFailed(key: string): void {
    const request = this.#keys.get(key);
    if (request) request.isRefused = true;
  }

  seeStore(key: string): void {
    const request = this.#books.arriving;
    if (request === undefined) return promise(false, `${key} is stored and nothing came`);
    promise(request.options.persist && !this.#keys.has(key), `${request.id} is stored without need, or twice`);
    this.#books.accept(request);
    request.key = key;
    request.isStoring = true;
    this.#keys.set(key, request);
  }

  seeDelete(key: string): void {
    promise(this.#keys.has(key), `${key} is deleted and not stored`);
    const request = this.#keys.get(key);
    const isOver = request === undefined || this.#books.find(request.client, request.id) !== request;
    promise(isOver || request.isRefused || request.isDropped, `${request?.id} is open and deleted`);
    promise(!request?.isStoring || request.isRefused, `${request?.id} is deleted while it is being stored`);
    this.#keys.delete(key);
  }

  seeRestored({ client, requestId: id }: BrokerEvent & { readonly type: "request-restored" }): void {
    const { arriving: request, input } = this.#books;
    const key = input.type === "restore" ? input.key : undefined;
    if (request?.client !== client || request.id !== id || key === undefined) {
      return promise(false, `${id} of ${client} was restored and not stored`);
    }
    if (this.#books.clientOf(client) === undefined) this.#books.away.set(client, new WatchedClient(client));
    request.key = key;
    this.#keys.set(key, request);
    this.#books.accept(request);
  }

  after(): void {
    for (const { id, key, options } of this.#books.everyRequest())
      promise(!options.persist || key !== undefined, `${id} is open and was not stored`);
  }
}
