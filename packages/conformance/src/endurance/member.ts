// One process of an endurance run, as the process that leads the run sees it: it is asked for one thing at a time, and says
// what memory it has after it has thrown away all that it can.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const RUN_SOURCES = ["--conditions=@pigato/source", "--import", createRequire(import.meta.url).resolve("tsx")];

/** Memory in bytes, after a full collection. */
export interface Memory {
  /** Resident, as the kernel counts it. */
  readonly rss: number;
  /** Objects that are alive, and the buffers that they hold outside of the heap. */
  readonly live: number;
}

export class Member {
  readonly name: string;
  readonly #child: ChildProcess;
  #asked: { resolve(answer: string): void; reject(reason: Error): void } | undefined;

  /**
   * Resolves when it is ready. @param main a file beside this one
   * @param settings what it is told, as JSON
   */
  static async start(main: string, settings: object): Promise<Member> {
    const child = fork(fileURLToPath(new URL(main, import.meta.url)), [JSON.stringify(settings)], {
      execArgv: [...RUN_SOURCES, "--expose-gc"],
    });
    const member = new Member(main.replace("-main.ts", ""), child);
    await member.#next();
    return member;
  }

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    child.on("message", (answer) => this.#asked?.resolve(String(answer)));
    child.on("exit", (code, signal) => this.#asked?.reject(new Error(`${name} ended with ${code ?? signal}`)));
  }

  /** Has it do something. @returns what it answers, as JSON */
  async ask(task: string, argument: unknown = null): Promise<string> {
    const answer = this.#next();
    this.#child.send(JSON.stringify({ task, argument }));
    return await answer;
  }

  async memory(): Promise<Memory> {
    const memory: Memory = JSON.parse(await this.ask("memory"));
    return memory;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }

  #next(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
    });
  }
}
