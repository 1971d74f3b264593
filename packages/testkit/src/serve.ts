// The other end of `PeerProcess.request`, in a program that a test starts: it reads its settings, performs one task after the
// other, and exits with its parent process.

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
  const result = task === "memory" ? memory() : await tasks[task]?.(argument);
  process.send?.(JSON.stringify(result ?? null));
}

function memory(): Memory {
  // One collection may release the last reference to memory that the next one frees.
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, live: heapUsed + external };
}
