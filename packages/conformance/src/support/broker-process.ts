// The broker's command as a process of its own, as it is deployed: what happens to it can be seen from outside.

import { type ChildProcess, spawn } from "node:child_process";
import { on, once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../../broker/src/bin.ts", import.meta.url));
const READY_WITHIN_MS = 20_000;

export class BrokerProcess {
  readonly child: ChildProcess;
  readonly address: string;
  readonly #output: { text: string };

  static async start(...args: string[]): Promise<BrokerProcess> {
    const bind = args.includes("--bind") ? [] : ["--bind", "tcp://127.0.0.1:*"];
    const child = spawn(process.execPath, ["--conditions=@pigato/source", "--import", "tsx", BIN, ...bind, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { text: "" };
    child.stderr.on("data", (chunk) => {
      output.text += chunk;
    });
    const signal = AbortSignal.timeout(READY_WITHIN_MS);
    for await (const [line] of on(createInterface(child.stdout), "line", { signal, close: ["close"] })) {
      const address = /ready at (\S+)/.exec(line)?.[1];
      if (address !== undefined) return new BrokerProcess(child, address.replace(/,$/, ""), output);
    }
    throw new Error(`the broker ended before it was ready: ${output.text}`);
  }

  private constructor(child: ChildProcess, address: string, output: { text: string }) {
    this.child = child;
    this.address = address;
    this.#output = output;
  }

  /** What it has logged so far. */
  get log(): string {
    return this.#output.text;
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resident memory in MiB, as the kernel counts it. */
  get residentMiB(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  /** Ends it by a signal and waits until it is gone. */
  async kill(signal: NodeJS.Signals): Promise<number | null> {
    if (!this.isAlive) return this.child.exitCode;
    const exit = once(this.child, "exit");
    this.child.kill(signal);
    const [code] = await exit;
    return code;
  }
}
