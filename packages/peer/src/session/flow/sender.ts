// The sending end of flow control: which chunks of each stream may be sent, and which wait. A chunk needs credit, which the
// receiver grants (P-STREAM-4, P-STREAM-11), and a link that is not slow. Chunks without credit are held in order, and so is everything
// after them. Streams take turns on a slow link.

import { addCredit, addCreditBytes, MAX_CREDIT, spendBytes } from "@pigato/protocol/internal";

/** The state of one stream. Only `Sender` changes it. */
export interface SendStream<Item> {
  /** Chunks that may be sent before more are granted; `MAX_CREDIT` without flow control. */
  credit: number;
  /** Bytes that may be sent before the next grant. Not counted without flow control. */
  creditBytes: number;
  /** A linked list, oldest first. */
  held: { first: HeldItem<Item>; last: HeldItem<Item> } | undefined;
  /** Whether its writer is paused. */
  isPaused: boolean;
}

interface HeldItem<Item> {
  readonly item: Item;
  readonly bytes: number;
  next: HeldItem<Item> | undefined;
}

export interface SenderOptions<Item> {
  /** Bytes that may be held, of all streams together. */
  readonly maxHeldBytes: number;
  bytesOf(item: Item): number;
  /** The end of a stream needs no credit, and may always be held. */
  isEnd(item: Item): boolean;
}

export class Sender<Stream extends SendStream<Item>, Item> {
  readonly #options: SenderOptions<Item>;
  /** Streams with credit that have something to send, or whose writers are paused. They take turns. */
  readonly #ready = new Set<Stream>();
  #heldBytes = 0;
  #isLinkSlow = false;

  constructor(options: SenderOptions<Item>) {
    this.#options = options;
  }

  get isLinkSlow(): boolean {
    return this.#isLinkSlow;
  }

  set isLinkSlow(isSlow: boolean) {
    this.#isLinkSlow = isSlow;
  }

  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  /** What it counts, for the checks of tests. */
  audit(): { readonly heldBytes: number; readonly ready: ReadonlySet<Stream> } {
    return { heldBytes: this.#heldBytes, ready: this.#ready };
  }

  /** Whether a chunk must be held. */
  isBlocked(stream: Stream): boolean {
    return stream.held !== undefined || !hasCredit(stream);
  }

  /** A chunk of this many bytes is sent. @returns whether the next one must wait */
  spend(stream: Stream, bytes: number): boolean {
    if (stream.credit === MAX_CREDIT) return false;
    stream.credit -= 1;
    stream.creditBytes = spendBytes(stream.creditBytes, bytes);
    return !hasCredit(stream);
  }

  /** @returns whether the stream can continue */
  grant(stream: Stream, chunks: number): boolean {
    if (stream.credit === MAX_CREDIT || chunks === 0) return false;
    stream.credit = addCredit(stream.credit, chunks);
    stream.creditBytes = addCreditBytes(stream.creditBytes);
    if (stream.isPaused) this.#ready.add(stream);
    return stream.isPaused;
  }

  /** @returns whether there was room */
  hold(stream: Stream, item: Item): boolean {
    const { maxHeldBytes, bytesOf, isEnd } = this.#options;
    const bytes = bytesOf(item);
    if (!isEnd(item) && this.#heldBytes + bytes > maxHeldBytes) return false;
    this.#heldBytes += bytes;
    const last: HeldItem<Item> = { item, bytes, next: undefined };
    if (stream.held === undefined) {
      stream.held = { first: last, last };
    } else {
      stream.held.last.next = last;
      stream.held.last = last;
    }
    return true;
  }

  /** Pauses the writer. @returns `false` if it was paused already */
  pause(stream: Stream): boolean {
    if (hasCredit(stream)) this.#ready.add(stream);
    if (stream.isPaused) return false;
    stream.isPaused = true;
    return true;
  }

  /** Resumes the writer. @returns `false` if it is not paused, or must stay so */
  resume(stream: Stream): boolean {
    if (!stream.isPaused || this.isBlocked(stream)) return false;
    stream.isPaused = false;
    return true;
  }

  /** The next stream in turn. It loses its turn: call `requeue` if it has more to send. */
  takeReady(): Stream | undefined {
    if (this.#isLinkSlow) return undefined;
    for (const stream of this.#ready) {
      this.#ready.delete(stream);
      return stream;
    }
    return undefined;
  }

  requeue(stream: Stream): void {
    this.#ready.add(stream);
  }

  /** The oldest held item, if it may be sent. */
  peek(stream: Stream): Item | undefined {
    const { held } = stream;
    if (held === undefined) return undefined;
    return hasCredit(stream) || this.#options.isEnd(held.first.item) ? held.first.item : undefined;
  }

  /** Removes the oldest held item. */
  shift(stream: Stream): void {
    if (stream.held === undefined) return;
    const { first } = stream.held;
    this.#heldBytes -= first.bytes;
    if (first.next === undefined) stream.held = undefined;
    else stream.held.first = first.next;
  }

  /** The stream has ended. */
  remove(stream: Stream): void {
    for (let held = stream.held?.first; held !== undefined; held = held.next) this.#heldBytes -= held.bytes;
    stream.held = undefined;
    if (this.#ready.size > 0) this.#ready.delete(stream);
  }
}

function hasCredit({ credit, creditBytes }: SendStream<unknown>): boolean {
  return credit > 0 && creditBytes > 0;
}
