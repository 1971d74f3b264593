// The client, as its methods use it: options and service of a request are resolved once, not for each call.

import type { Method } from "@pigato/contract";
import type { InterceptorChain, InterceptorOwner } from "@pigato/contract/internal";
import type { RequestError, ServiceName } from "@pigato/protocol";
import type { ReplyStream } from "../call.ts";
import type { CallOptions, ResolvedCallOptions } from "../call-options.ts";
import type { RequestInputSource } from "../input-source.ts";
import type { MethodCallOptions } from "./api.ts";

/** A method, and what is around its requests. */
export interface MethodInfo {
  /** As users write it. */
  readonly service: string;
  readonly method: string;
  /** `undefined` for a method without a contract, which takes positional arguments. */
  readonly definition: Method | undefined;
  readonly chain: InterceptorChain;
  /** The error of its caller. */
  toError(failure: RequestError): Error;
}

/** Where a call goes and how. Made once for each method. */
export interface Target extends MethodInfo {
  readonly name: ServiceName;
  readonly options: CallOptions;
  readonly resolved: ResolvedCallOptions;
  /** The same for data that is bytes, with the codec `raw`. */
  readonly forBytes?: ResolvedCallOptions;
  /** Warns of chunks that a reply had before its last one. */
  onLeftOut(service: string, chunks: number): void;
}

/** Its `interceptors` are those of the client. */
export interface MethodPort extends InterceptorOwner {
  /**
   * @param chunks the input of one call, for a method that takes chunks
   * @throws UsageError for an option out of its bounds
   */
  target(info: MethodInfo, options: MethodCallOptions, chunks?: RequestInputSource): Target;
  /** Rejects with a UsageError for data that cannot be sent. */
  call(target: Target, data: unknown): Promise<unknown>;
  /** @throws UsageError for data that cannot be sent */
  stream(target: Target, data: unknown, onChunk?: (chunk: unknown) => unknown): ReplyStream;
}
