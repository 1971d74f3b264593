// When what was sent is written: once at the end of the current tick of the event loop, all connections together, so that
// many messages share one write. Many connections at once do not wait: each holds a buffer until it is flushed.

/** More connections than this are flushed at once. */
const MAX_WAITING = 32;

export interface Flushable {
  flush(): void;
}

export class Flusher {
  #waiting: Flushable[] = [];
  #isScheduled = false;
  readonly #onTick = (): void => {
    this.#isScheduled = false;
    this.#flush();
  };

  /** Flushes something soon. Add each thing once. */
  add(flushable: Flushable): void {
    this.#waiting.push(flushable);
    if (this.#waiting.length >= MAX_WAITING) return this.#flush();
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(this.#onTick);
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const flushable of waiting) flushable.flush();
  }
}
