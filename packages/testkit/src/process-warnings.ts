// What this process reports while a test runs: the warnings of PIGATO, and uncaught exceptions.

import { onTestFinished } from "vitest";

export class ProcessWarnings {
  readonly #seen: Error[] = [];

  /** Listens until the current test has finished. */
  constructor() {
    const listener = (warning: Error): unknown => this.#seen.push(warning);
    process.on("warning", listener);
    onTestFinished(() => void process.off("warning", listener));
  }

  /** Takes what was emitted since the last call, as `code: message`. Node emits warnings in the next tick. */
  async take(): Promise<string[]> {
    await new Promise((resolve) => setImmediate(resolve));
    const warnings = this.#seen.splice(0).filter(({ name }) => name === "PigatoWarning");
    return warnings.map((warning) => `${String(Reflect.get(warning, "code"))}: ${warning.message}`);
  }
}

/** Collects the uncaught exceptions until the current test has finished, in place of the listeners of the test runner. */
export function uncaughtErrors(): readonly Error[] {
  const uncaught: Error[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => uncaught.push(error));
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
  });
  return uncaught;
}
