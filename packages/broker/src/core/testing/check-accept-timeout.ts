// P-TIME-6: no request waits for a worker longer than its `acceptTimeout`, and none fails earlier for want of a worker.

import { requestId } from "@pigato/protocol";
import type { BrokerEvent } from "../effects.ts";
import type { Model } from "./model.ts";
import { invariant } from "./model-records.ts";

export class AcceptTimeoutChecks {
  readonly #model: Model;

  constructor(model: Model) {
    this.#model = model;
  }

  /** Call it before the request counts as ended. */
  seeFailed({ client, requestId: id, code }: BrokerEvent & { readonly type: "request-failed" }): void {
    if (code !== "UNAVAILABLE") return;
    const request = this.#model.find(client, requestId(id));
    // So does one that the store did not take, and one whose named worker has left.
    if (request === undefined || request.isRefused || request.options.worker !== undefined) return;
    const { acceptAt = Number.POSITIVE_INFINITY } = request;
    const isOver = request.isWaiting && this.#model.now >= acceptAt;
    invariant(isOver, `${id} failed as if it had waited until ${acceptAt}`);
  }

  after(): void {
    const { now } = this.#model;
    for (const request of this.#model.everyRequest()) {
      if (!request.isWaiting) request.acceptAt = undefined;
      else if (request.acceptAt === undefined) request.acceptAt = now + request.acceptMs;
      else invariant(request.acceptAt > now, `${request.id} waits for a worker longer than ${request.acceptMs} ms`);
    }
  }
}
