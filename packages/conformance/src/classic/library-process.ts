// A process that runs peers of one library: the original from npm, or ours. Every call to it has a deadline.

import { fileURLToPath } from "node:url";
import { PeerProcess } from "@pigato/testkit/peer-process";
import { optionsForImports } from "@pigato/testkit/programs";

/** The library: npm pigato 0.0.46 or the packages of this repository. */
export type Library = "classic" | "ours";

const PROGRAM = fileURLToPath(new URL("../../classic/peer-process.cjs", import.meta.url));
/** Milliseconds that a call may take: much longer than any call needs, so that only a hang reaches it. */
const CALL_TIMEOUT_MS = 50_000;

export class LibraryProcess {
  readonly library: Library;
  readonly #process: PeerProcess;
  #lastCall = 0;
  #lastPeer = 0;

  /** Resolves when the process accepts calls. */
  static async start(library: Library): Promise<LibraryProcess> {
    const process = PeerProcess.node(PROGRAM, [library], {
      nodeOptions: library === "ours" ? optionsForImports() : [],
    });
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

  /** Calls a method of a peer. Rejects with the peer's error, when the process ends, or after 50 s. */
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

  /** Kills the process, as a power failure does: no peer in it can disconnect. Resolves when it has exited. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Freezes the process. Its connections stay open, so other peers see silence. */
  freeze(): void {
    this.#process.signal("SIGSTOP");
  }

  /** Resumes a frozen process. */
  thaw(): void {
    this.#process.signal("SIGCONT");
  }

  /** Resolves when the process has exited by itself. */
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

/** A field of a value from another process; `undefined` if it is missing. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** The elements of a list from another process. */
export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
