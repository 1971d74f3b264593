// A process that holds one instance of a public class, whose listeners all throw. It has a handler for uncaught
// exceptions, so it stays alive.

import { type ChildProcess, spawn } from "node:child_process";
import { on, once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const MAIN = fileURLToPath(new URL("./subject-main.ts", import.meta.url));
const ANSWER_WITHIN_MS = 20_000;

/** What the process holds, as JSON on its command line. */
export interface SubjectSettings {
  readonly kind: string;
  /** The events whose listeners throw. */
  readonly events: readonly string[];
  readonly address: string;
}

/** What the process reports. */
export type SubjectReport =
  | { readonly type: "done"; readonly id: number; readonly result: unknown; readonly error: string | undefined }
  | { readonly type: "uncaught"; readonly message: string };

export class SubjectProcess {
  readonly #child: ChildProcess;
  readonly #uncaught = new Set<string>();
  #lastId = 0;

  /** Resolves when the instance exists; nothing is started yet. */
  static async open(settings: SubjectSettings): Promise<SubjectProcess> {
    const child = spawn(
      process.execPath,
      ["--conditions=@pigato/source", "--import", "tsx", MAIN, JSON.stringify(settings)],
      { stdio: ["ignore", "inherit", "inherit", "ipc"] },
    );
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    const subject = new SubjectProcess(child);
    await once(child, "message", { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return subject;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (report: SubjectReport) => {
      if (report.type === "uncaught") this.#uncaught.add(report.message);
    });
  }

  /** The messages of all uncaught exceptions so far. */
  get uncaught(): ReadonlySet<string> {
    return this.#uncaught;
  }

  /** Runs one of the instance's actions. @throws what the action throws */
  async run(action: string, ...args: readonly unknown[]): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    const reports = on(this.#child, "message", { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    this.#child.send({ id, action, args });
    for await (const [report] of reports) {
      if (report.type !== "done" || report.id !== id) continue;
      if (report.error !== undefined) throw new Error(report.error);
      return report.result;
    }
    throw new Error(`the process ended without an answer to ${action}`);
  }

  /** Resolves when the listener of an event has thrown. */
  async thrown(event: string): Promise<void> {
    const reports = on(this.#child, "message", { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (this.#uncaught.has(event)) return;
    for await (const _report of reports) if (this.#uncaught.has(event)) return;
  }
}
