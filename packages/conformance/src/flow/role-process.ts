// A process with one of the roles of the slow reader, and what it may be told.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("./role-main.ts", import.meta.url));

export interface RoleSettings {
  readonly role: "sender" | "reader" | "asker";
  readonly address: string;
}

/** What a process is told; each role reads what concerns it. */
export interface Order {
  /** How many parts to read now. */
  readonly count?: number;
  /** Of how many parts, of how many bytes each, the whole reply is to be. */
  readonly parts?: number;
  readonly bytes?: number;
  /** For how long to ask. */
  readonly ms?: number;
}

export class RoleProcess {
  readonly #child: ChildProcess;

  /** Resolves when it takes orders. */
  static async start(settings: RoleSettings): Promise<RoleProcess> {
    const args = ["--conditions=@pigato/source", "--import", "tsx", MAIN, JSON.stringify(settings)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const ready = once(child, "message", { signal: AbortSignal.timeout(30_000) });
    await ready.catch((error: unknown) => {
      child.kill("SIGKILL");
      throw error;
    });
    return new RoleProcess(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resident memory in MiB, as the kernel counts it. */
  get residentMiB(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  /** One order at a time. @returns what it answers when it has done so */
  async tell<Answer>(order: Order): Promise<Answer> {
    const answered = once(this.#child, "message");
    this.#child.send(order);
    const [answer] = await answered;
    return answer;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}
