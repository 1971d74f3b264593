// Child processes of a measurement: every benchmark starts, asks and stops its processes here.

import { type ChildProcess, fork, type Serializable } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";

/** Flags that run TypeScript sources, of this app and of the packages. */
const SOURCE_FLAGS: readonly string[] = ["--conditions=@pigato/source", "--import", "tsx"];
const EXIT_MS = 3_000;

export interface ChildOptions {
  readonly args?: readonly string[];
  readonly nodeFlags?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A program beside the file `from`: its source if that is a source, else its build. */
export function programBeside(from: string, path: string): URL {
  return new URL(`${path}${from.endsWith(".ts") ? ".ts" : ".js"}`, pathToFileURL(from));
}

export function startChild(program: URL, { args = [], nodeFlags = [], env = {} }: ChildOptions = {}): ChildProcess {
  return fork(program, args, {
    execArgv: [...(program.pathname.endsWith(".ts") ? SOURCE_FLAGS : []), ...nodeFlags],
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}

/**
 * Sends a message, if there is one, and waits for the next message of the child.
 * @returns rejects if the child exits first or the time is over
 */
export async function ask<Answer>(
  child: ChildProcess,
  message: Serializable | undefined,
  limitMs: number,
): Promise<Answer> {
  const settled = new AbortController();
  const { signal } = settled;
  const exit = once(child, "exit", { signal }).then(([code, cause]) => {
    throw new Error(`${child.spawnargs.at(-1)} exited with ${code ?? cause}`);
  });
  const timeout = setTimeout(limitMs, undefined, { signal }).then(() => {
    throw new Error(`no answer within ${limitMs} ms`);
  });
  // The two that lose the race reject with an AbortError.
  exit.catch(() => {});
  timeout.catch(() => {});
  if (message !== undefined) child.send(message);
  try {
    const [answer] = await Promise.race([once(child, "message", { signal }), exit, timeout]);
    return answer;
  } finally {
    settled.abort();
  }
}

/** Disconnects the child, so that it exits along with what it started, and kills it if it does not. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  if (child.connected) child.disconnect();
  const kill = globalThis.setTimeout(() => child.kill("SIGKILL"), EXIT_MS);
  await gone;
  clearTimeout(kill);
}

/** In the child: answers each message, and exits when the parent disconnects. */
export function serve<Message>(answer: (message: Message) => unknown): void {
  process.on("message", async (message: Message) => process.send?.(await answer(message)));
  process.on("disconnect", () => process.exit());
}
