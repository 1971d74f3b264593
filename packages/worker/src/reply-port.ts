// What a reply depends on: the options of its handler, and the worker that sends it.

import type { ReplyFormat } from "./dialect.ts";
import type { HandlerInput } from "./session/effects.ts";

/** Options for the broker, sent with the reply. Unknown options are sent, too. */
export interface ReplyOptions {
  /**
   * Milliseconds, from the end on, for which the broker may answer equal requests with this reply: requests for the same
   * service with the same data, whatever their options. At most 2 147 483 647. Applies only if every chunk has it, so set it
   * before the first `write`. Errors are never cached. @defaultValue no caching
   */
  cache?: number;
  [name: string]: unknown;
}

/** The worker, as its replies use it. */
export interface ReplyPort {
  /** How values are encoded. */
  readonly format: ReplyFormat;
  /** Why a value is too large for the broker, if that is known without its encoding. */
  excessOf(value: unknown): string | undefined;
  /** Has no effect once the request has ended. May call `pause`, `finish` and `abort` before it returns. */
  apply(input: HandlerInput): void;
  /** Reports an `error` of the stream that has no listener. */
  report(error: Error): void;
}
