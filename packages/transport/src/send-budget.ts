// Bounds what waits to be sent to all peers of one router. At the bound, it evicts the peer with the most waiting bytes, so that peers
// that do not read do not cost others their messages.
//
// Segregated lists: the holdings of about the same size are in one doubly linked list, eight lists for each power of two, and a bitmap
// shows which lists have any. A change moves a holding to another list, or costs a comparison. The largest one is found, to within an
// eighth, in constant time.

import type { ConnectionRejection, LinkLimits } from "./link.ts";

const WORD_BITS = 32;
const WORDS = 8;
/** The logarithm of the number of lists for each power of two. */
const STEP_BITS = 3;
const LARGEST_SIZE = 0x7fff_ffff;
const NO_LIST = -1;

/** What waits for one peer. Its budget changes it. */
export class Holding {
  bytes = 0;
  /** It has lost its messages and no longer counts. */
  isEvicted = false;
  list: number = NO_LIST;
  previous: Holding | undefined;
  next: Holding | undefined;
  readonly budget: SendBudget;
  readonly onEvicted: (rejection: ConnectionRejection) => void;

  /** @param onEvicted the peer must be disconnected. Called while a message, perhaps for another peer, is added. */
  constructor(budget: SendBudget, onEvicted: (rejection: ConnectionRejection) => void) {
    this.budget = budget;
    this.onEvicted = onEvicted;
  }
}

export class SendBudget {
  readonly #maxBytes: number;
  readonly #lists: (Holding | undefined)[] = new Array<undefined>(WORDS * WORD_BITS).fill(undefined);
  readonly #hasAny = new Uint32Array(WORDS);
  #holders = 0;
  #bytes = 0;

  constructor({ maxSendingBytes }: Pick<LinkLimits, "maxSendingBytes">) {
    this.#maxBytes = maxSendingBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Counts a change of what waits for one peer, and evicts the largest holders while the bound is exceeded. */
  count(holding: Holding, bytes: number): void {
    if (holding.isEvicted) return;
    holding.bytes += bytes;
    this.#bytes += bytes;
    const list = listFor(holding.bytes);
    if (list !== holding.list) this.#move(holding, list);
    if (bytes > 0 && this.#bytes > this.#maxBytes) this.#evict();
  }

  /** The only holder stays: its own bound limits it, and a message that is larger than every bound must pass alone. */
  #evict(): void {
    while (this.#bytes > this.#maxBytes && this.#holders > 1) {
      const largest = this.#largest();
      if (largest === undefined) return;
      const { bytes, onEvicted } = largest;
      this.count(largest, -bytes);
      largest.isEvicted = true;
      const bound = `more than ${this.#maxBytes} bytes wait for all peers`;
      const detail = `${bound}, and most for this one, which reads too slowly: ${bytes} bytes`;
      onEvicted({ code: "TOO_MUCH_WAITING", detail });
    }
  }

  #largest(): Holding | undefined {
    for (let word = WORDS - 1; word >= 0; word--) {
      const bits = this.#hasAny[word] ?? 0;
      if (bits !== 0) return this.#lists[word * WORD_BITS + 31 - Math.clz32(bits)];
    }
    return undefined;
  }

  #move(holding: Holding, list: number): void {
    if (holding.list === NO_LIST) this.#holders += 1;
    else this.#unlink(holding);
    holding.list = list;
    if (list === NO_LIST) this.#holders -= 1;
    else this.#link(holding, list);
  }

  #link(holding: Holding, list: number): void {
    const next = this.#lists[list];
    holding.next = next;
    if (next === undefined) this.#flip(list);
    else next.previous = holding;
    this.#lists[list] = holding;
  }

  #unlink(holding: Holding): void {
    const { previous, next, list } = holding;
    holding.previous = undefined;
    holding.next = undefined;
    if (next !== undefined) next.previous = previous;
    if (previous !== undefined) previous.next = next;
    else {
      this.#lists[list] = next;
      if (next === undefined) this.#flip(list);
    }
  }

  /** The first holding has come to a list, or the last one has left it. */
  #flip(list: number): void {
    const word = Math.floor(list / WORD_BITS);
    this.#hasAny[word] = (this.#hasAny[word] ?? 0) ^ (1 << (list % WORD_BITS));
  }
}

/** By the logarithm of the size and the three bits after its highest one. */
function listFor(size: number): number {
  if (size <= 0) return NO_LIST;
  const clamped = Math.min(Math.max(size, 1 << STEP_BITS), LARGEST_SIZE);
  const exponent = 31 - Math.clz32(clamped);
  return (exponent << STEP_BITS) | ((clamped >>> (exponent - STEP_BITS)) & ((1 << STEP_BITS) - 1));
}
