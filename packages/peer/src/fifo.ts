// A first-in, first-out queue in an array that is reused: neither push nor shift allocates once the array has grown.
// Measured by apps/bench as part of every message.

/** Above this length, an empty queue releases its array. */
const MAX_KEPT_SLOTS = 1_024;

export class Fifo<Item extends object> {
  #slots: (Item | undefined)[] = [];
  #head = 0;
  #tail = 0;

  get length(): number {
    return this.#tail - this.#head;
  }

  push(item: Item): void {
    this.#slots[this.#tail] = item;
    this.#tail += 1;
  }

  /** Removes the oldest item; `undefined` if the queue is empty. */
  shift(): Item | undefined {
    if (this.#head === this.#tail) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#tail) this.#rewind();
    return item;
  }

  clear(): void {
    this.#slots = [];
    this.#head = 0;
    this.#tail = 0;
  }

  #rewind(): void {
    if (this.#slots.length > MAX_KEPT_SLOTS) this.#slots = [];
    this.#head = 0;
    this.#tail = 0;
  }
}
