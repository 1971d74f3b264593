// The warnings of PIGATO that this process emits, for the test that listens.

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
