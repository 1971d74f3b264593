// Lines that something says, to be waited for.

import { EventEmitter, once } from "node:events";

export class Lines {
  readonly #said: string[] = [];
  readonly #events = new EventEmitter();

  readonly add = (line: string): void => {
    this.#said.push(line);
    this.#events.emit("line");
  };

  /** The first line that matches, said already or within the next minute. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    const signal = AbortSignal.timeout(60_000);
    for (let at = 0; ; at++) {
      while (at >= this.#said.length) await once(this.#events, "line", { signal });
      const match = pattern.exec(this.#said[at] ?? "");
      if (match) return match;
    }
  }
}
