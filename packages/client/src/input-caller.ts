// The caller of a request with streamed input: the end of the request ends its source, too.

import type { Frame, RequestError, UsageError } from "@pigato/protocol";
import type { PacedCaller } from "./call.ts";
import type { InputPump } from "./input-pump.ts";
import type { Progress } from "./session/effects.ts";

export class InputCaller implements PacedCaller {
  readonly input: InputPump;
  readonly #caller: PacedCaller;

  constructor(caller: PacedCaller, input: InputPump) {
    this.#caller = caller;
    this.input = input;
  }

  reportReads(after: number): void {
    this.#caller.reportReads?.(after);
  }

  onReplyOptions(options: Frame, isFinal: boolean): void {
    this.#caller.onReplyOptions?.(options, isFinal);
  }

  onProgress(progress: Progress): void {
    this.#caller.onProgress?.(progress);
  }

  onPartial(value: unknown): void {
    this.#caller.onPartial(value);
  }

  /** A final may come before the end of the input: the worker needs no more of it. */
  onFinal(value: unknown): void {
    this.input.stop();
    this.#caller.onFinal(value);
  }

  onFailure(error: RequestError | UsageError): void {
    this.input.stop();
    this.#caller.onFailure(error);
  }
}
