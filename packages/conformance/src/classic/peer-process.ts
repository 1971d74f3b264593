// A child process that runs peers: the original's, from npm, or ours. Every call into it has a deadline, and a process
// that ends with calls open fails them with what it last wrote, so that a crash reads as a crash and not as a timeout.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** Whose client, worker or broker it is: npm pigato 0.0.46 or the packages of this repository. */
export type Library = "classic" | "ours";

interface OpenCall {
  resolve(result: unknown): void;
  reject(reason: Error): void;
}

const PROGRAM = fileURLToPath(new URL("../../classic/peer-process.cjs", import.meta.url));
const RUN_SOURCES = ["--conditions=@pigato/source", "--import", createRequire(import.meta.url).resolve("tsx")];
/** Milliseconds that a call may take: far above what any takes, so that only a hang reaches it. */
const CALL_TIMEOUT_MS = 15_000;

export class PeerProcess {
  readonly library: Library;
  readonly #child: ChildProcess;
  readonly #calls = new Map<number, OpenCall>();
  #lastCall = 0;
  #lastPeer = 0;
  #stderr = "";

  /** Resolves when the process takes calls. */
  static async fork(library: Library): Promise<PeerProcess> {
    const peers = new PeerProcess(library);
    await new Promise<unknown>((resolve, reject) => peers.#open(0, { resolve, reject }));
    return peers;
  }

  private constructor(library: Library) {
    this.library = library;
    this.#child = fork(PROGRAM, [library], {
      execArgv: library === "ours" ? RUN_SOURCES : [],
      // Keeps `undefined` and bytes, which JSON would lose.
      serialization: "advanced",
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    this.#child.on("message", (message) => this.#onMessage(message));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4_000);
    });
    this.#child.on("close", (code, signal) => this.#onClose(`${signal ?? `exit code ${code}`}`));
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Makes a peer of the given kind in the process; its number is for `call`. */
  async create(kind: "broker" | "client" | "worker" | "directory", settings: object): Promise<number> {
    this.#lastPeer += 1;
    const peer = this.#lastPeer;
    await this.call(peer, "create", { kind, ...settings });
    return peer;
  }

  /** Calls a method of a peer. Rejects with the peer's own failure, with how the process ended, or after 15 s. */
  call(peer: number, method: string, argument: object = {}): Promise<unknown> {
    this.#lastCall += 1;
    const id = this.#lastCall;
    return new Promise((resolve, reject) => {
      if (!this.isRunning) {
        reject(new Error(`${method} was called in a ${this.library} process that has ended`));
        return;
      }
      const deadline = AbortSignal.timeout(CALL_TIMEOUT_MS);
      deadline.addEventListener("abort", () => {
        if (this.#calls.delete(id)) {
          reject(new Error(`${method} took longer than ${CALL_TIMEOUT_MS} ms in a ${this.library} process`));
        }
      });
      this.#open(id, { resolve, reject });
      this.#child.send({ id, peer, method, argument });
    });
  }

  /** Bytes of memory in use. */
  async memoryBytes(): Promise<number> {
    return Number(await this.call(0, "memory"));
  }

  /** Ends the process at once, as a power cut does: nothing in it can say goodbye. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await gone;
  }

  /** Stops everything in the process while its connections stay open: to others it only falls silent. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  /** Lets a frozen process go on where it was. */
  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  /** Resolves when the process has ended by itself. */
  async ended(): Promise<void> {
    if (this.isRunning) await once(this.#child, "close", { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
  }

  #open(id: number, call: OpenCall): void {
    this.#calls.set(id, call);
  }

  #onMessage(message: unknown): void {
    const id = Number(fieldOf(message, "id") ?? 0);
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    const failure = fieldOf(message, "failure");
    if (failure === undefined) call?.resolve(fieldOf(message, "result"));
    else call?.reject(new Error(String(failure)));
  }

  #onClose(how: string): void {
    const open = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of open) call.reject(new Error(`a ${this.library} process ended with ${how}\n${this.#stderr}`));
  }
}

/** A field of a value that came from another process; `undefined` where there is none. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** The elements of a list that came from another process. */
export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
