// Whoever reads a paced reply decides how much of it may come (P-STREAM-3, P-STREAM-5): a worker is granted what its
// request's client grants, no more and no less; nothing where the two have not both negotiated it.

import { addCredit, type FromClient, type FromWorker, MAX_CREDIT, type PeerId, type ToWorker } from "@pigato/protocol";
import type { Books } from "./books.ts";
import { promise, type WatchedClient, type WatchedRequest, type WatchedWorker } from "./watched.ts";

interface OwedGrant {
  readonly to: PeerId;
  readonly address: string;
  readonly chunks: number;
}

export class WatchedCredit {
  readonly #books: Books;
  /** What workers are to be granted before the input at hand is over. */
  #owed: OwedGrant[] = [];

  constructor(books: Books) {
    this.#books = books;
  }

  before(): void {
    this.#owed = [];
  }

  beforeGrant(from: PeerId, { requestId, chunks }: FromClient & { readonly type: "credit" }): void {
    const request = this.#books.find(from, requestId);
    const isAllowed = this.#books.clients.get(from)?.capabilities.credit === true;
    if (request === undefined || !isAllowed || request.credit === MAX_CREDIT || chunks === 0) return;
    if (request.holder === undefined) {
      request.credit = addCredit(request.credit, chunks);
      return;
    }
    request.deadlineAt = this.#books.now + request.options.timeoutMs;
    this.#owe(request, chunks);
  }

  /** A worker has sent parts that their client does not get. */
  beforeDroppedParts(worker: WatchedWorker | undefined, message: FromWorker, parts: number): void {
    const request = this.#books.heldUnder(worker, message);
    if (request === undefined || request.credit === MAX_CREDIT) return;
    for (let part = 0; part < parts; part++) this.#owe(request, 1);
  }

  /** A client went whose stored requests are run all the same. */
  seeClientDown(client: WatchedClient | undefined): void {
    for (const request of client?.open.values() ?? []) {
      if (!request.options.persist || request.credit === MAX_CREDIT) continue;
      request.credit = MAX_CREDIT;
      this.#owe(request, MAX_CREDIT);
    }
  }

  seeRequest(to: PeerId, message: ToWorker & { readonly type: "request" }): void {
    const request = this.#books.requestOf(message.body[0]);
    const worker = this.#books.workers.get(to);
    const isPaced = worker?.takesCredit === true && request !== undefined && request.credit !== MAX_CREDIT;
    const due = isPaced ? request.credit : undefined;
    promise(message.credit === due, `${to} got ${message.requestId} with the credit ${message.credit}, not ${due}`);
  }

  seeGrant(to: PeerId, { address, chunks, requestId }: ToWorker & { readonly type: "credit" }): void {
    const due = this.#owed.findIndex((owed) => owed.to === to && owed.address === address && owed.chunks === chunks);
    promise(due >= 0, `${to} was granted ${chunks} chunks of ${requestId}, which nobody gave`);
    this.#owed.splice(due, 1);
  }

  after(): void {
    promise(this.#owed.length === 0, `a grant for ${this.#owed[0]?.to} went nowhere`);
  }

  #owe({ holder, address }: WatchedRequest, chunks: number): void {
    if (holder?.takesCredit) this.#owed.push({ to: holder.id, address, chunks });
  }
}
