// What the methods of a client need of it: requests whose options and service are resolved once, not for each call.

import type { RequestError, ServiceName } from "@pigato/protocol";
import type { ReplyStream } from "../call.ts";
import type { CallOptions, ResolvedCallOptions } from "../call-options.ts";

/** Where a call goes and how. Made once for each method. */
export interface Target {
  /** As users write it. */
  readonly service: string;
  readonly name: ServiceName;
  readonly resolved: ResolvedCallOptions;
  /** The same for data that is bytes, with the codec `raw`. */
  readonly forBytes?: ResolvedCallOptions;
  /** The error of its caller. */
  toError(failure: RequestError): Error;
  /** Warns of chunks that a reply had before its last one. */
  onLeftOut(service: string, chunks: number): void;
}

export interface MethodPort {
  /** @throws UsageError for an option out of its bounds */
  target(service: string, options: CallOptions, toError: (failure: RequestError) => Error): Target;
  /** Rejects with a UsageError for data that cannot be sent. */
  call(target: Target, data: unknown): Promise<unknown>;
  /** @throws UsageError for data that cannot be sent */
  stream(target: Target, data: unknown, onChunk?: (chunk: unknown) => unknown): ReplyStream;
}
