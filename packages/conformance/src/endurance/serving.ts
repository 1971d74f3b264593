// What the processes of an endurance run have in common: they do what they are asked to, one thing after the other, and end
// with the process that leads the run.

import type { Memory } from "./member.ts";

/** What a process can be asked for, by name; what it answers travels as JSON. */
export type Tasks = Readonly<Record<string, (argument: unknown) => unknown>>;

/** What the process was told at its start. */
export function settings(): string {
  return process.argv[2] ?? "{}";
}

/** From now on it answers. */
export function serve(tasks: Tasks): void {
  process.on("message", (message) => void answer(tasks, String(message)));
  process.on("disconnect", () => process.exit());
  process.send?.("ready");
}

async function answer(tasks: Tasks, message: string): Promise<void> {
  const asked: { task: string; argument: unknown } = JSON.parse(message);
  const result = asked.task === "memory" ? memory() : await tasks[asked.task]?.(asked.argument);
  process.send?.(JSON.stringify(result ?? null));
}

function memory(): Memory {
  // What the first collection finds to be done with may hold on to more.
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, live: heapUsed + external };
}
