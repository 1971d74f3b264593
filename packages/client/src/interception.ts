// The interceptors of a client, around its requests without a contract. A request of `call()`, `collect()` or with callbacks has the
// kind `unary`, and one with a stream has the kind `serverStream`.

import type { Interceptor, Next } from "@pigato/contract";
import { checkInterceptor, compose } from "@pigato/contract/internal";
import { guarded } from "@pigato/peer";
import { RequestError, UsageError } from "@pigato/protocol";
import { reasonOf } from "@pigato/protocol/internal";
import { type Caller, CollectCaller, FinalCaller, type PacedCaller, type ReplyStream } from "./call.ts";
import type { CallOptions } from "./call-options.ts";
import { ContextCaller } from "./caller-context.ts";
import type { InterceptedPort, OutgoingRequest } from "./intercepted-call.ts";
import { interceptStream, interceptValue } from "./intercepted-output.ts";
import { MetadataCaller, type ReplyMetadata } from "./reply-metadata.ts";
import type { Progress } from "./session/effects.ts";

/** The client, without interceptors. */
export interface DirectPort extends InterceptedPort {
  /** The number of milliseconds of a request's timeout. @throws UsageError for invalid arguments */
  timeoutOf(service: string, options: CallOptions): number;
  /** @throws UsageError for invalid arguments */
  submit(service: string, data: unknown, caller: PacedCaller, options: CallOptions): void;
  /** @throws UsageError for invalid arguments */
  stream(service: string, data: unknown, options: CallOptions, metadata: ReplyMetadata): ReplyStream;
  onLeftOut(service: string, chunks: number): void;
}

/** Creates what receives the replies of one attempt. @param resolve called with the output, or with a rejected promise */
type NewCaller = (resolve: (output: unknown) => void) => PacedCaller;

/** Around requests without a contract. Never changes: `client.use` makes a new one. */
export class Interception {
  readonly #next: Next;
  readonly #port: DirectPort;

  /** @throws UsageError for an interceptor that is not a function */
  constructor(interceptors: readonly Interceptor[], port: DirectPort) {
    interceptors.forEach(checkInterceptor);
    this.#next = compose(interceptors);
    this.#port = port;
  }

  async call(service: string, data: unknown, options: CallOptions = {}): Promise<unknown> {
    return await this.#unary(this.#outgoing(service, data, options), (resolve) => {
      return new FinalCaller(resolve, service, this.#port);
    });
  }

  async collect(service: string, data: unknown, options: CallOptions = {}): Promise<unknown[]> {
    const chunks = await this.#unary(this.#outgoing(service, data, options), (resolve) => new CollectCaller(resolve));
    if (Array.isArray(chunks)) return chunks;
    throw new UsageError("the output of collect() must be an array; an interceptor changed it");
  }

  /**
   * Partials go to the caller as they come. The final value passes the interceptors.
   * @throws UsageError for invalid arguments
   */
  callBack(service: string, data: unknown, caller: Caller, options: CallOptions = {}): void {
    let relayed: RelayCaller | undefined;
    const output = this.#unary(this.#outgoing(service, data, options), (resolve) => {
      // Another attempt would repeat partials.
      if (relayed?.hasBegun && relayed.error !== undefined) throw relayed.error;
      relayed = new RelayCaller(caller, resolve);
      return new ContextCaller(relayed, false);
    });
    void output.then(
      (value) => guarded(() => caller.onFinal(value)),
      (error: unknown) => guarded(() => caller.onFailure(requestErrorOf(error, service))),
    );
  }

  /** @throws UsageError for invalid arguments */
  stream(service: string, data: unknown, options: CallOptions = {}): ReplyStream {
    const outgoing = this.#outgoing(service, data, options);
    return interceptStream(this.#next, { ...outgoing, kind: "serverStream" }, this.#port, (request, sent, metadata) =>
      this.#port.stream(request.service, request.input, sent, metadata),
    );
  }

  #unary(outgoing: OutgoingRequest, newCaller: NewCaller): Promise<unknown> {
    const { submit } = this.#port;
    return interceptValue(this.#next, outgoing, this.#port, (request, options, metadata) => {
      return new Promise((resolve) => {
        const caller = new MetadataCaller(newCaller(resolve), metadata);
        submit(request.service, request.input, caller, options);
      });
    });
  }

  #outgoing(service: string, input: unknown, given: CallOptions): OutgoingRequest {
    const options = withoutPolicy(given);
    const timeoutMs = this.#port.timeoutOf(service, options);
    const { method = "" } = options;
    return { kind: "unary", service, method, definition: undefined, input, options, timeoutMs };
  }
}

/** The policy is an interceptor. */
function withoutPolicy(options: CallOptions): CallOptions {
  return typeof options.retry === "object" ? { ...options, retry: undefined } : options;
}

/** Passes on everything but the end. */
class RelayCaller implements Caller {
  hasBegun = false;
  error: RequestError | UsageError | undefined;
  readonly #caller: Caller;
  readonly #resolve: (output: unknown) => void;

  constructor(caller: Caller, resolve: (output: unknown) => void) {
    this.#caller = caller;
    this.#resolve = resolve;
  }

  onProgress(progress: Progress): void {
    this.#caller.onProgress?.(progress);
  }

  onPartial(value: unknown): void {
    this.hasBegun = true;
    this.#caller.onPartial(value);
  }

  onFinal(value: unknown): void {
    this.#resolve(value);
  }

  onFailure(error: RequestError | UsageError): void {
    this.error = error;
    this.#resolve(Promise.reject(error));
  }
}

/** Callbacks get an error of this package, whatever an interceptor throws. */
function requestErrorOf(error: unknown, service: string): RequestError | UsageError {
  if (error instanceof RequestError || error instanceof UsageError) return error;
  const message = `request to "${service}" failed in an interceptor: ${reasonOf(error)}`;
  const failed = new RequestError(
    { code: "CANCELED", message, delivery: "maybe-executed" },
    { service, requestId: undefined },
  );
  failed.cause = error;
  return failed;
}
