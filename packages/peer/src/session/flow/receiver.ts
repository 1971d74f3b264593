// The receiving end of flow control: how many chunks of a stream may be in transit to its reader (P-STREAM-1). Credit counts
// chunks, but memory is bytes, so a window is the number of chunks that make about 2 MiB, by the mean size of the latest ones.
// A grant is due when half of a window has been read, so a fast reader never makes the sender wait.
//
// The reader reports how many chunks it read only when `reportAfter` is reached.

/** Bytes in transit to a reader, or waiting for it: enough for full speed over loopback or in a data center. */
const WINDOW_BYTES = 2 * 1024 * 1024;
/** At least 2, so that a large chunk can be sent while another is read. */
const MIN_CHUNKS = 2;
const MAX_CHUNKS = 4_096;
/** Before the first chunk, their size is unknown. */
const FIRST_CHUNKS = 16;
/** Chunks that a reader reads before its first report. */
export const FIRST_REPORT: number = FIRST_CHUNKS / 2;

export class ReceiveWindow {
  /** Whether credit is granted: on this connection, until the end of the reply. */
  #isPacing = false;
  /** Chunks that are granted and not read. */
  #open = 0;
  /** The value of `#open` right after the last grant. */
  #opened = 0;
  /** At so few open chunks, the next grant is due. */
  #low = 0;
  // Moving sums of the arrived chunks, for the mean. Each grant halves them.
  #bytes = 0;
  #chunks = 0;

  get isPacing(): boolean {
    return this.#isPacing;
  }

  /** Chunks to be read until the next grant is due; `Infinity` without flow control. */
  get reportAfter(): number {
    return this.#isPacing ? Math.max(1, this.#open - this.#low) : Number.POSITIVE_INFINITY;
  }

  /** The request is sent. @returns the first grant */
  start(): number {
    this.#isPacing = true;
    this.#open = FIRST_CHUNKS;
    this.#opened = FIRST_CHUNKS;
    this.#low = FIRST_CHUNKS - FIRST_REPORT;
    return FIRST_CHUNKS;
  }

  /** Ends flow control: no further grant is due. */
  stop(): void {
    this.#isPacing = false;
  }

  /** A chunk has arrived. */
  onArrived(bytes: number): void {
    this.#bytes += bytes;
    this.#chunks += 1;
  }

  onRead(chunks: number): void {
    this.#open -= chunks;
  }

  /** @returns the number of chunks to grant now; may be 0 */
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
    return Math.min(Math.max(MIN_CHUNKS, Math.floor(WINDOW_BYTES / mean)), MAX_CHUNKS);
  }
}
