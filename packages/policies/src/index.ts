export type { Backoff, Interceptor, RetryBudget, RetryPolicy } from "@pigato/contract";
export { type HedgePolicy, hedge, retry } from "./attempts.ts";
export { type BulkheadOptions, bulkhead } from "./bulkhead.ts";
export { type CircuitBreakerOptions, circuitBreaker } from "./circuit-breaker.ts";
export { type LogTarget, log } from "./log.ts";
export { timeout } from "./timeout.ts";
