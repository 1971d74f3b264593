// The other end of `PeerProcess.request`, in a program that a test starts: it reads its settings, performs one task after the
// other, and exits with its parent process.

import { setTimeout } from "node:timers/promises";

/** Below this many bytes, what a collection releases does not matter. */
const STEADY_BYTES = 1024 * 1024;
const MIN_COLLECTIONS = 3;
const MAX_COLLECTIONS = 20;
/** Milliseconds between collections: finalizers of native memory run in the event loop, and V8 gives pages back in the background. */
const BETWEEN_MS = 10;

/** The tasks of a program, by name. Arguments and results are JSON. */
export type Tasks = Readonly<Record<string, (argument: unknown) => unknown>>;

/** Memory in bytes, after a full collection. */
export interface Memory {
  /** Resident, as the kernel counts it. */
  readonly rss: number;
  /** Live objects, and the buffers that they hold outside of the heap. */
  readonly live: number;
}

/** The settings that the program was spawned with, as JSON. */
export function settingsText(): string {
  return process.argv[2] ?? "{}";
}

/** Reports that the program is ready, and performs tasks from now on. `memory` is always one of them. */
export function serve(tasks: Tasks): void {
  process.on("message", (message) => void perform(tasks, String(message)));
  process.on("disconnect", () => process.exit());
  process.send?.("ready");
}

async function perform(tasks: Tasks, message: string): Promise<void> {
  const { task, argument }: { task: string; argument: unknown } = JSON.parse(message);
  const result = task === "memory" ? await memory() : await tasks[task]?.(argument);
  process.send?.(JSON.stringify(result ?? null));
}

/** Collects until that releases nothing more: a collection may release the last reference to memory that the next one frees. */
async function memory(): Promise<Memory> {
  let { rss, heapUsed, external } = process.memoryUsage();
  for (let round = 1; round <= MAX_COLLECTIONS; round++) {
    const before = rss;
    globalThis.gc?.();
    await setTimeout(BETWEEN_MS);
    ({ rss, heapUsed, external } = process.memoryUsage());
    if (round >= MIN_COLLECTIONS && rss > before - STEADY_BYTES) break;
  }
  return { rss, live: heapUsed + external };
}
