// The receiving end of flow control: how many chunks of a stream may be in transit to its reader (P-STREAM-1). Credit counts
// chunks, but memory is bytes, so a window is the number of chunks that make about 2 MiB, by the mean size of the latest ones.
// A grant is due when half of a window has been read, so a fast reader never makes the sender wait. It is also due when what had
// arrived is read once that is half of the sender's credit in bytes (P-STREAM-11): without a grant, the sender might wait forever.
//
// The reader reports how many chunks it read only when `reportAfter` is reached.

import { GRANT_BYTES, MAX_CREDIT_BYTES } from "@pigato/protocol/internal";

/** Bytes in transit to a reader, or waiting for it: enough for full speed over loopback or in a data center. */
const WINDOW_BYTES = MAX_CREDIT_BYTES;
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
  /** At this number of open chunks, the next grant is due. */
  #low = 0;
  // Moving sums of the arrived chunks, for the mean. Each grant halves them.
  #bytes = 0;
  #chunks = 0;
  /** Chunks that have arrived and are not known to be read. */
  #unread = 0;
  /** Bytes that have arrived since the last grant. */
  #bytesSinceGrant = 0;
  /** Chunks to be read until a grant is due for their bytes. */
  #dueAfter = Number.POSITIVE_INFINITY;

  get isPacing(): boolean {
    return this.#isPacing;
  }

  /** Chunks to be read until the next grant is due; `Infinity` without flow control. */
  get reportAfter(): number {
    return this.#isPacing ? Math.max(1, Math.min(this.#open - this.#low, this.#dueAfter)) : Number.POSITIVE_INFINITY;
  }

  /** The request is sent. @returns the first grant */
  start(): number {
    this.#isPacing = true;
    this.#open = FIRST_CHUNKS;
    this.#opened = FIRST_CHUNKS;
    this.#low = FIRST_CHUNKS - FIRST_REPORT;
    this.#unread = 0;
    this.#onGranted();
    return FIRST_CHUNKS;
  }

  /** Ends flow control: no further grant is due. */
  stop(): void {
    this.#isPacing = false;
  }

  /** A chunk has arrived. @returns whether the next grant is due earlier than before: see `reportAfter` */
  onArrived(bytes: number): boolean {
    this.#bytes += bytes;
    this.#chunks += 1;
    this.#unread += 1;
    this.#bytesSinceGrant += bytes;
    if (this.#bytesSinceGrant < GRANT_BYTES || this.#dueAfter !== Number.POSITIVE_INFINITY) return false;
    this.#dueAfter = this.#unread;
    return this.#isPacing && this.#dueAfter < this.#open - this.#low;
  }

  onRead(chunks: number): void {
    this.#open -= chunks;
    this.#unread -= chunks;
    this.#dueAfter -= chunks;
  }

  /** @returns the number of chunks to grant now; may be 0 */
  take(): number {
    if (!this.#isPacing || this.#open === this.#opened) return 0;
    const size = this.#size();
    this.#low = size >> 1;
    this.#bytes /= 2;
    this.#chunks /= 2;
    const chunks = Math.max(this.#dueAfter > 0 ? 0 : 1, size - this.#open);
    if (chunks > 0) this.#onGranted();
    this.#open += chunks;
    this.#opened = this.#open;
    return chunks;
  }

  #onGranted(): void {
    this.#bytesSinceGrant = 0;
    this.#dueAfter = Number.POSITIVE_INFINITY;
  }

  #size(): number {
    const mean = this.#chunks === 0 ? WINDOW_BYTES : Math.max(1, this.#bytes / this.#chunks);
    return Math.min(Math.max(MIN_CHUNKS, Math.floor(WINDOW_BYTES / mean)), MAX_CHUNKS);
  }
}
