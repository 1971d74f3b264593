// Keeps the async context of the code that made a request with callbacks or a stream and, with `callerStacks`, its stack. A promise needs
// neither: `await` restores the context, and V8 finds the awaiting functions.

import { AsyncResource } from "node:async_hooks";
import { withStackOf } from "@pigato/peer";
import type { Frame, RequestError, UsageError } from "@pigato/protocol";
import type { PacedCaller } from "./call.ts";
import type { Progress } from "./session/effects.ts";

/** Calls a caller in the async context of the request, so that its `AsyncLocalStorage` has the same store there. */
export class ContextCaller extends AsyncResource implements PacedCaller {
  readonly #caller: PacedCaller;
  /** Where the request was made. */
  readonly #site: Error | undefined;

  /** @param hasStack whether to keep the stack, which costs more than the rest of the request */
  constructor(caller: PacedCaller, hasStack: boolean) {
    super("PigatoRequest");
    this.#caller = caller;
    this.#site = hasStack ? new Error() : undefined;
  }

  /** No user code. */
  reportReads(after: number): void {
    this.#caller.reportReads?.(after);
  }

  /** No user code. */
  onReplyOptions(options: Frame, isFinal: boolean): void {
    this.#caller.onReplyOptions?.(options, isFinal);
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

  onFailure(error: RequestError | UsageError): void {
    if (this.#site !== undefined) withStackOf(this.#site, error);
    this.runInAsyncScope(this.#caller.onFailure, this.#caller, error);
  }
}
