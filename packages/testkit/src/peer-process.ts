// A program in its own process, which a test can kill and freeze. It communicates by messages or by lines. Waiting for either
// rejects when the process ends first, with its last output on stderr, so a crash never appears as a timeout.

import { type ChildProcess, type Serializable, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Inbox } from "./inbox.ts";
import { argumentsFor, RUN_SOURCES } from "./programs/programs.ts";

export { RUN_SOURCES };

const READY_WITHIN_MS = 30_000;
const STDERR_CHARACTERS = 1_000_000;

export interface NodeProgramOptions {
  /** Options of Node, besides those that run TypeScript. */
  readonly nodeOptions?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class PeerProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #messages = new Inbox<unknown>();
  readonly #lines = new Inbox<string>();
  /** Resolves to how the process ended. */
  readonly #ended: Promise<string>;
  #stderr = "";

  /** Runs a TypeScript program of this repository, or a JavaScript file, that sends messages to this process. */
  static node(file: string, args: readonly string[] = [], options: NodeProgramOptions = {}): PeerProcess {
    const { nodeOptions = [], env = {} } = options;
    const program = file.endsWith(".ts") ? argumentsFor(file) : [file];
    const child = spawn(process.execPath, [...nodeOptions, ...program, ...args], {
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "pipe", "ipc"],
      // Keeps `undefined` and bytes, which JSON would lose.
      serialization: "advanced",
    });
    return new PeerProcess(file, child);
  }

  /** Runs any program, which communicates by lines. */
  static program(
    program: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): PeerProcess {
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    return new PeerProcess([program, ...args].join(" "), child);
  }

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    child.on("message", (message) => this.#messages.add(message));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARACTERS);
    });
    // A process that ends does not read its messages; `ended` reports how it ended.
    child.stdin?.on("error", () => {});
    if (child.stdout) createInterface(child.stdout).on("line", (line) => this.#lines.add(line));
    this.#ended = new Promise((resolve) => {
      child.on("error", ({ message }) => resolve(message));
      child.on("close", (code, signal) => resolve(`${signal ?? `exit code ${code}`}`));
    });
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The command line, as other users of the machine see it. */
  get commandLine(): string {
    return this.#child.spawnargs.join(" ");
  }

  /** Its output on stderr, at most the last million characters. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Resident memory in MiB, as the kernel counts it. */
  get residentMiB(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  send(message: Serializable): void {
    this.#child.send(message);
  }

  /** The next message that fits. */
  receive(fits?: (message: unknown) => boolean): Promise<unknown> {
    return this.#unlessEnded(this.#messages.take(fits));
  }

  /** Has a program that calls `serve` of serve.ts perform a task, one at a time. */
  async request<Result>(task: string, argument: unknown = null): Promise<Result> {
    this.send(JSON.stringify({ task, argument }));
    const result: Result = JSON.parse(String(await this.receive()));
    return result;
  }

  writeLine(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** The next line on stdout that fits. */
  nextLine(fits?: (line: string) => boolean): Promise<string> {
    return this.#unlessEnded(this.#lines.take(fits));
  }

  /** Waits until the process is ready, and kills it after 30 s. */
  async ready<Result>(whenReady: Promise<Result>): Promise<Result> {
    const late = new Promise<never>((_resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.#name} is not ready\n${this.#stderr}`)), READY_WITHIN_MS);
      void this.#ended.then(() => clearTimeout(timer));
      const settled = () => clearTimeout(timer);
      whenReady.then(settled, settled);
    });
    try {
      return await Promise.race([whenReady, late]);
    } catch (error) {
      this.signal("SIGKILL");
      throw error;
    }
  }

  /** `SIGSTOP` freezes the process while its connections stay open, `SIGCONT` resumes it. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the process, unless it has ended, and waits until it is gone. @returns its exit code */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<number | null> {
    if (this.isRunning) this.#child.kill(signal);
    return this.exited();
  }

  /** Resolves when the process has ended, to its exit code. */
  async exited(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  #unlessEnded<Result>(wait: Promise<Result>): Promise<Result> {
    const ended = this.#ended.then((how) => {
      throw new Error(`${this.#name} ended with ${how}\n${this.#stderr}`);
    });
    return Promise.race([wait, ended]);
  }
}
