// Why a reply was aborted, and the signal that notifies its handler. Nearly no handler reads the signal, so it is created when it is
// read. Its listeners run in the async context in which it was read first: that of the handler.

import { AsyncResource } from "node:async_hooks";
import type { RequestError } from "@pigato/protocol";

export class ReplyAbort {
  #reason: RequestError | undefined;
  #controller: AbortController | undefined;
  #scope: AsyncResource | undefined;

  /** The request has ended without its handler. `notify` follows. */
  begin(reason: RequestError): void {
    this.#reason = reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#scope = new AsyncResource("PigatoReply");
      this.notify();
    }
    return this.#controller.signal;
  }

  /** Aborts the signal, if there is a reason and a signal. Runs listeners, which are user code. */
  notify(): void {
    if (this.#reason === undefined || this.#controller === undefined) return;
    this.#scope?.runInAsyncScope(this.#controller.abort, this.#controller, this.#reason);
  }
}
