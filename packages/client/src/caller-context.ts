// The async context of a request with callbacks or a stream. A promise needs none, because `await` restores it.

import { AsyncResource } from "node:async_hooks";
import type { RequestError } from "@pigato/protocol";
import type { PacedCaller } from "./call.ts";
import type { Progress } from "./session/effects.ts";

/** Calls a caller in the async context of the request, so that its `AsyncLocalStorage` has the same store there. */
export class ContextCaller extends AsyncResource implements PacedCaller {
  readonly #caller: PacedCaller;

  constructor(caller: PacedCaller) {
    super("PigatoRequest");
    this.#caller = caller;
  }

  /** No user code. */
  reportReads(after: number): void {
    this.#caller.reportReads?.(after);
  }

  onProgress(progress: Progress): void {
    if (this.#caller.onProgress) this.runInAsyncScope(this.#caller.onProgress, this.#caller, progress);
  }

  onPartial(value: unknown): void {
    this.runInAsyncScope(this.#caller.onPartial, this.#caller, value);
  }

  onFinal(value: unknown): void {
    this.runInAsyncScope(this.#caller.onFinal, this.#caller, value);
  }

  onFailure(error: RequestError): void {
    this.runInAsyncScope(this.#caller.onFailure, this.#caller, error);
  }
}
