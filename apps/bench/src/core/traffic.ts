// What the cases of `pnpm bench core` have in common: the payload, the pace and the measurement.

import type { Frame } from "@pigato/protocol";

const REQUESTS_PER_ROUND = 100_000;
/** Milliseconds of the core's clock between two inputs: about 100,000 requests per second. */
export const STEP_MS = 0.005;
// One body for all requests. An array per request would distort the measurement: V8 may allocate it in old space, because all
// arrays of the setup survived, and a round would take twice as long.
export const BODY: readonly Frame[] = [Buffer.from('{"hello":"12345678"}')];
export const NO_FRAMES: readonly Frame[] = [];

/** @returns nanoseconds of CPU time per request, because the machine may be busy. Garbage collection counts. */
export function cpuPerRequest(run: () => void): number {
  const start = process.cpuUsage();
  for (let count = 0; count < REQUESTS_PER_ROUND; count++) run();
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1_000) / REQUESTS_PER_ROUND;
}

export function pick<Item>(items: readonly Item[], index: number): Item {
  const item = items[(index >>> 0) % items.length];
  if (item === undefined) throw new Error("the list is empty");
  return item;
}
