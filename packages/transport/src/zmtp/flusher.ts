// When what was sent is written: once for all that is sent within a while, all connections together, so that many messages
// share one write. Many connections at once do not wait: each holds a buffer until it is flushed.
//
// A dealer writes at the end of the current tick. A router writes once it has read from all sockets that had something: what
// 200 clients ask at the same time goes to a worker in one write instead of 200, which is a quarter of a broker's work.

/** More connections than this are flushed at once. */
const MAX_WAITING = 32;

export interface Flushable {
  flush(): void;
}

/** Calls back soon: `process.nextTick` or `setImmediate`. */
export type Soon = (callback: () => void) => void;

export class Flusher {
  readonly #soon: Soon;
  #waiting: Flushable[] = [];
  #isScheduled = false;
  readonly #onTick = (): void => {
    this.#isScheduled = false;
    this.#flush();
  };

  constructor(soon: Soon) {
    this.#soon = soon;
  }

  /** Flushes something soon. Add each thing once. */
  add(flushable: Flushable): void {
    this.#waiting.push(flushable);
    if (this.#waiting.length >= MAX_WAITING) return this.#flush();
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#soon(this.#onTick);
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const flushable of waiting) flushable.flush();
  }
}
