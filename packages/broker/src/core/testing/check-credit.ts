// Flow control (P-STREAM-3, P-STREAM-5): a worker is granted exactly what the client of its request grants, and nothing
// unless both have negotiated it.

import type { FromClient, FromWorker, PeerId, ToWorker } from "@pigato/protocol";
import { addCredit, MAX_CREDIT } from "@pigato/protocol/internal";
import type { Model } from "./model.ts";
import { invariant, type ModelClient, type ModelRequest, type ModelWorker } from "./model-records.ts";

interface OwedGrant {
  readonly to: PeerId;
  readonly address: string;
  readonly chunks: number;
}

export class CreditChecks {
  readonly #model: Model;
  /** Grants that workers must get before the current input ends. */
  #owed: OwedGrant[] = [];

  constructor(model: Model) {
    this.#model = model;
  }

  before(): void {
    this.#owed = [];
  }

  beforeGrant(from: PeerId, { requestId, chunks }: FromClient & { readonly type: "credit" }): void {
    const request = this.#model.find(from, requestId);
    const isAllowed = this.#model.clients.get(from)?.capabilities.credit === true;
    if (request === undefined || !isAllowed || request.credit === MAX_CREDIT || chunks === 0) return;
    if (request.holder === undefined) {
      request.credit = addCredit(request.credit, chunks);
      return;
    }
    request.restartTimeout(this.#model.now);
    this.#owe(request, chunks);
  }

  /** A worker sent partials that the broker drops. */
  beforeDroppedParts(worker: ModelWorker | undefined, message: FromWorker, parts: number): void {
    const request = this.#model.heldUnder(worker, message);
    if (request === undefined || request.credit === MAX_CREDIT) return;
    for (let part = 0; part < parts; part++) this.#owe(request, 1);
  }

  /** A client is gone. Its persistent requests run without flow control. */
  seeClientDown(client: ModelClient | undefined): void {
    for (const request of client?.open.values() ?? []) {
      if (!request.options.persist || request.credit === MAX_CREDIT) continue;
      request.credit = MAX_CREDIT;
      this.#owe(request, MAX_CREDIT);
    }
  }

  seeRequest(to: PeerId, message: ToWorker & { readonly type: "request" }): void {
    const request = this.#model.requestOf(message.body[0]);
    const worker = this.#model.workers.get(to);
    const isPaced = worker?.takesCredit === true && request !== undefined && request.credit !== MAX_CREDIT;
    const expected = isPaced ? request.credit : undefined;
    invariant(
      message.credit === expected,
      `${to} got ${message.requestId} with the credit ${message.credit}, not ${expected}`,
    );
  }

  seeGrant(to: PeerId, { address, chunks, requestId }: ToWorker & { readonly type: "credit" }): void {
    const index = this.#owed.findIndex((owed) => owed.to === to && owed.address === address && owed.chunks === chunks);
    invariant(index >= 0, `${to} was granted ${chunks} chunks of ${requestId}, which its client did not grant`);
    this.#owed.splice(index, 1);
  }

  after(): void {
    invariant(this.#owed.length === 0, `${this.#owed[0]?.to} did not get a grant`);
  }

  #owe({ holder, address }: ModelRequest, chunks: number): void {
    if (holder?.takesCredit) this.#owed.push({ to: holder.id, address, chunks });
  }
}
