// Stops requests to a service that fails. The states of a circuit are cockatiel's: closed; open after consecutive failures, when each
// request fails at once; half-open after a pause, when one request tests the service and the others wait for its result.

import type { AnyRequest, Interceptor } from "@pigato/contract";
import { readNumber } from "@pigato/contract/internal";
import { RequestError } from "@pigato/protocol";
import {
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  handleWhen,
  isBrokenCircuitError,
  circuitBreaker as newCircuit,
} from "cockatiel";

export interface CircuitBreakerOptions {
  /** Consecutive failures that open the circuit, from 1. @defaultValue 5 */
  readonly failures?: number;
  /** Milliseconds, from 0, after which an open circuit lets one request test the service. @defaultValue 10 000 */
  readonly halfOpenAfterMs?: number;
  /** The codes of failures that count. @defaultValue `UNAVAILABLE`, `BUSY`, `WORKER_LOST`, `BROKER_LOST`, `DEADLINE_EXCEEDED` */
  readonly codes?: readonly string[];
  /** Whether each service has a circuit, or each method. @defaultValue "service" */
  readonly per?: "service" | "method";
}

const DEFAULT_CODES: readonly string[] = ["UNAVAILABLE", "BUSY", "WORKER_LOST", "BROKER_LOST", "DEADLINE_EXCEEDED"];
/** A client may call any number of names. Beyond it, the oldest circuit is forgotten: it starts closed again. */
const MAX_CIRCUITS = 1_000;

/**
 * Fails requests with `UNAVAILABLE` and `not-sent` while their service fails. A stream counts as a success with its first chunk.
 * @throws UsageError for an invalid option
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): Interceptor {
  const failures = readNumber("failures", options.failures ?? 5, 1, Number.MAX_SAFE_INTEGER);
  const halfOpenAfter = readNumber("halfOpenAfterMs", options.halfOpenAfterMs ?? 10_000, 0, Number.MAX_SAFE_INTEGER);
  const codes = new Set(options.codes ?? DEFAULT_CODES);
  const counts = handleWhen((error) => codes.has(String(Reflect.get(Object(error), "code"))));
  const circuits = new Map<string, CircuitBreakerPolicy>();

  function circuitOf({ service, method }: AnyRequest): CircuitBreakerPolicy {
    const name = options.per === "method" ? `${service}.${method}` : service;
    const known = circuits.get(name);
    if (known !== undefined) return known;
    const [oldest] = circuits.keys();
    if (oldest !== undefined && circuits.size >= MAX_CIRCUITS) circuits.delete(oldest);
    const circuit = newCircuit(counts, { halfOpenAfter, breaker: new ConsecutiveBreaker(failures) });
    circuits.set(name, circuit);
    return circuit;
  }

  return (next) => async (request) => {
    try {
      return await circuitOf(request).execute(() => next(request));
    } catch (error) {
      throw isBrokenCircuitError(error) ? brokenCircuit(request, error) : error;
    }
  };
}

function brokenCircuit({ service, method }: AnyRequest, cause: unknown): RequestError {
  const message = `request to "${service}" was not sent: the circuit breaker is open, because earlier requests failed`;
  const error = new RequestError(
    { code: "UNAVAILABLE", message: method === "" ? message : `${message} (method "${method}")`, delivery: "not-sent" },
    { service, requestId: undefined },
  );
  error.cause = cause;
  return error;
}
