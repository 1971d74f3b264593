// How much of a reply may be on its way to somebody who reads it as a stream (P-STREAM-1). Grants count chunks, but what has
// to be bounded is bytes: so a window holds as many chunks as make about 2 MiB, by the size of those that came last. One that
// is read fast is never waited for: half a window is still out when the other half is granted again.
//
// A window is the one thing that a session and its shell share: the session says what came, the shell what was read.

/** What may be on its way to a reader, or wait for it, in bytes: enough for any loopback or data centre at full speed. */
const WINDOW_BYTES = 2 * 1024 * 1024;
/** At least 2, so that a large chunk can be sent while another is read. */
const FEWEST_CHUNKS = 2;
const MOST_CHUNKS = 4_096;
/** Before the first chunk nothing is known of their size. */
const FIRST_CHUNKS = 16;

export class ReceiveWindow {
  /** Whether grants are wanted: in this life of the connection, until the end of the reply. */
  #isPacing = false;
  /** Chunks that are granted and were not read yet. */
  #open = 0;
  /** The most that there were since the last grant. */
  #opened = 0;
  /** With so few open the next grant is due. */
  #low = 0;
  // What came lately: both are halved with each grant.
  #bytes = 0;
  #chunks = 0;

  get isPacing(): boolean {
    return this.#isPacing;
  }

  /** The request goes out. @returns the first grant */
  start(): number {
    this.#isPacing = true;
    this.#open = FIRST_CHUNKS;
    this.#opened = FIRST_CHUNKS;
    this.#low = FIRST_CHUNKS / 2;
    return FIRST_CHUNKS;
  }

  /** Nothing is paced: from now on no grant is due. */
  stop(): void {
    this.#isPacing = false;
  }

  /** A chunk has come. */
  onCame(bytes: number): void {
    this.#bytes += bytes;
    this.#chunks += 1;
  }

  /** A chunk was read. @returns whether a grant is due */
  onRead(): boolean {
    this.#open -= 1;
    return this.#isPacing && this.#open <= this.#low;
  }

  /** The sender may be waiting, and time runs out: the next chunk that is read makes a grant due. */
  hurry(): void {
    this.#low = MOST_CHUNKS;
  }

  /** @returns chunks to be granted now for those that were read since the last time; may be none */
  take(): number {
    if (!this.#isPacing || this.#open === this.#opened) return 0;
    const size = this.#size();
    this.#low = size >> 1;
    this.#bytes /= 2;
    this.#chunks /= 2;
    const chunks = Math.max(0, size - this.#open);
    this.#open += chunks;
    this.#opened = this.#open;
    return chunks;
  }

  #size(): number {
    const mean = this.#chunks === 0 ? WINDOW_BYTES : Math.max(1, this.#bytes / this.#chunks);
    return Math.min(Math.max(FEWEST_CHUNKS, Math.floor(WINDOW_BYTES / mean)), MOST_CHUNKS);
  }
}
