// The clock, timers and random numbers of the process. Read at each call, so that fake timers of tests apply.

import type { PolicyClock } from "@pigato/contract/internal";

/** The longest that `setTimeout` can wait. */
const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: PolicyClock = Object.freeze({
  now: () => Date.now(),
  random: () => Math.random(),
  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(end, Math.min(ms, MAX_TIMER_MS));
      signal.addEventListener("abort", end);
      if (signal.aborted) end();
      function end(): void {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      }
    });
  },
});
