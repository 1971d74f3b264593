// A worker as a process of its own, to be killed and stopped from outside.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("./worker-main.ts", import.meta.url));

/** What the process is told on its command line, as JSON. */
export interface WorkerSettings {
  readonly address: string;
  readonly service: string;
  readonly heartbeat?: number;
  readonly reconnect?: number;
  readonly concurrency?: number;
  /** Answers only the requests for which it is told to, by the message `release`. */
  readonly holds?: boolean;
}

export class WorkerProcess {
  readonly child: ChildProcess;

  /** Resolves when the worker serves. */
  static async start(settings: WorkerSettings): Promise<WorkerProcess> {
    const child = spawn(
      process.execPath,
      ["--conditions=@pigato/source", "--import", "tsx", MAIN, JSON.stringify(settings)],
      { stdio: ["ignore", "inherit", "inherit", "ipc"] },
    );
    await once(child, "message", { signal: AbortSignal.timeout(20_000) });
    return new WorkerProcess(child);
  }

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exit;
  }
}
