// Chunks of one stream that are sent in one message: most of the cost of a small chunk is its message. A chunk waits until the end
// of the current tick of the event loop, so it does not arrive later than it would alone.

import type { Frame } from "@pigato/protocol";
import { MAX_FRAMES } from "@pigato/protocol/internal";

/** The maximum number of chunks in a message, which has up to six other frames. */
const MAX_CHUNKS = MAX_FRAMES / 2;
/** A message with this many bytes of chunks is full. For a chunk of this size, batching gains nothing. */
const ENOUGH_BYTES = 4 * 1024;

export class ChunkBatch<Stream extends object> {
  /** The most bytes of a message without its options: a full message, one more chunk, and the envelope. */
  static readonly MAX_BYTES: number = 3 * ENOUGH_BYTES;
  #stream: Stream | undefined;
  #chunks: Frame[] = [];
  #bytes = 0;

  /** The stream whose chunks wait here. */
  get stream(): Stream | undefined {
    return this.#stream;
  }

  /** Whether the chunk may be batched. */
  static takes(chunk: Frame): boolean {
    return chunk.length < ENOUGH_BYTES;
  }

  /** @returns `false` if `take` must be called first */
  add(stream: Stream, chunk: Frame): boolean {
    if (this.#stream !== undefined && this.#stream !== stream) return false;
    if (this.#chunks.length === MAX_CHUNKS || this.#bytes >= ENOUGH_BYTES) return false;
    this.#stream = stream;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return true;
  }

  /** Removes and returns the waiting chunks. */
  take(): Frame[] {
    const chunks = this.#chunks;
    this.clear();
    return chunks;
  }

  clear(): void {
    this.#stream = undefined;
    this.#chunks = [];
    this.#bytes = 0;
  }
}
