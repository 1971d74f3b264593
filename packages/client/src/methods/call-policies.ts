// The policies that calls have as an option, as interceptors.

import type { Interceptor, RetryPolicy } from "@pigato/contract";
import { type PolicyClock, retryWith } from "@pigato/contract/internal";
import { type Clock, wallClock } from "@pigato/transport";

export class CallPolicies {
  readonly #clock: PolicyClock;
  /** One for each policy object, so that its calls share a budget. */
  readonly #retries = new WeakMap<RetryPolicy, Interceptor>();

  constructor({ clock, random }: { readonly clock: Clock; readonly random: () => number }) {
    this.#clock = { now: wallClock, random, sleep: (ms, signal) => sleep(clock, ms, signal) };
  }

  /** @throws UsageError for an invalid policy */
  retry(policy: RetryPolicy): Interceptor {
    let interceptor = this.#retries.get(policy);
    if (interceptor === undefined) {
      interceptor = retryWith(policy, this.#clock);
      this.#retries.set(policy, interceptor);
    }
    return interceptor;
  }
}

function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      alarm.set(undefined);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const alarm = clock.alarm(end);
    if (signal.aborted) return end();
    alarm.set(clock.now() + ms);
    signal.addEventListener("abort", end);
  });
}
