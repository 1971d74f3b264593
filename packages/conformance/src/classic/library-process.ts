// A process that runs peers of one library: the original's, from npm, or ours. Every call into it has a deadline.

import { fileURLToPath } from "node:url";
import { PeerProcess, RUN_SOURCES } from "@pigato/testkit/peer-process";

/** Whose client, worker or broker it is: npm pigato 0.0.46 or the packages of this repository. */
export type Library = "classic" | "ours";

const PROGRAM = fileURLToPath(new URL("../../classic/peer-process.cjs", import.meta.url));
/** Milliseconds that a call may take: far above what any takes, so that only a hang reaches it. */
const CALL_TIMEOUT_MS = 15_000;

export class LibraryProcess {
  readonly library: Library;
  readonly #process: PeerProcess;
  #lastCall = 0;
  #lastPeer = 0;

  /** Resolves when the process takes calls. */
  static async start(library: Library): Promise<LibraryProcess> {
    const process = PeerProcess.node(PROGRAM, [library], { nodeOptions: library === "ours" ? RUN_SOURCES : [] });
    await process.ready(process.receive());
    return new LibraryProcess(library, process);
  }

  private constructor(library: Library, process: PeerProcess) {
    this.library = library;
    this.#process = process;
  }

  /** Creates a peer in the process. @returns its number, for `call` */
  async create(kind: "broker" | "client" | "worker" | "directory", settings: object): Promise<number> {
    this.#lastPeer += 1;
    const peer = this.#lastPeer;
    await this.call(peer, "create", { kind, ...settings });
    return peer;
  }

  /** Calls a method of a peer. Rejects with the peer's own error, when the process ends, or after 15 s. */
  async call(peer: number, method: string, argument: object = {}): Promise<unknown> {
    this.#lastCall += 1;
    const id = this.#lastCall;
    if (!this.#process.isRunning) throw new Error(`${method} was called in a ${this.library} process that has ended`);
    this.#process.send({ id, peer, method, argument });
    const reply = await this.#inTime(
      method,
      this.#process.receive((message) => fieldOf(message, "id") === id),
    );
    const failure = fieldOf(reply, "failure");
    if (failure !== undefined) throw new Error(String(failure));
    return fieldOf(reply, "result");
  }

  /** Bytes of memory in use. */
  async memoryBytes(): Promise<number> {
    return Number(await this.call(0, "memory"));
  }

  /** Ends the process at once, as a power cut does: no peer in it can disconnect. Resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Stops everything in the process while its connections stay open: to others it falls silent. */
  freeze(): void {
    this.#process.signal("SIGSTOP");
  }

  /** Lets a frozen process continue. */
  thaw(): void {
    this.#process.signal("SIGCONT");
  }

  /** Resolves when the process has ended by itself. */
  async ended(): Promise<void> {
    await this.#inTime("the end", this.#process.exited());
  }

  async #inTime<Result>(what: string, result: Promise<Result>): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new Error(`${what} took longer than ${CALL_TIMEOUT_MS} ms in a ${this.library} process`);
      timer = setTimeout(() => reject(error), CALL_TIMEOUT_MS);
    });
    return Promise.race([result, late]).finally(() => clearTimeout(timer));
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
