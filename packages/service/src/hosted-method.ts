// A method that a host serves, and the counts of its requests for `$stats`. On the path of every request.

import type { Method } from "@pigato/contract";
import type { AnyFunction } from "./exposed-functions.ts";

/** A method of a service, and the code that runs it. */
export interface HostedMethod {
  readonly name: string;
  /** With the name of its service, for error messages: `stocks.quote`. */
  readonly fullName: string;
  /** Of a contract. Without one, the handler gets the arguments of the call, and no context. */
  readonly definition: Method | undefined;
  readonly handler: AnyFunction;
  /** The object that the handler is called on. */
  readonly target: unknown;
  readonly stats: MethodStats;
}

/** Counts of one method since the host was created. */
export interface MethodCounts {
  /** Requests for the method. */
  readonly requests: number;
  /**
   * Those whose interceptors or handler still run: until the promise settles, and for chunks until the iterable ends. A handler that goes on
   * after its caller canceled counts, so a number that only grows shows handlers that ignore `ctx.signal`.
   */
  readonly running: number;
  /** Those whose caller got an error of the handler or of an interceptor. Errors of the contract count. */
  readonly failures: number;
  /** Those whose input was refused. */
  readonly refused: number;
  /** Milliseconds for which those ran that run no more. */
  readonly totalMs: number;
}

export class MethodStats {
  requests = 0;
  ended = 0;
  failures = 0;
  refused = 0;
  totalMs = 0;

  onEnd(durationMs: number): void {
    this.ended += 1;
    this.totalMs += durationMs;
  }

  snapshot(): MethodCounts {
    const { requests, ended, failures, refused, totalMs } = this;
    return { requests, running: requests - ended, failures, refused, totalMs: Math.round(totalMs) };
  }
}
