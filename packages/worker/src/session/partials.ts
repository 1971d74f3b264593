// Partial replies that leave together, in one message, where the broker reads such (P-REP-9). A handler that writes in a loop
// pays for each chunk, and so does everyone on the way: of what a small chunk costs, most is the message around it.
// What is written in one tick of the event loop waits for its end, and no longer; so nothing arrives later than it would.
//
// Only chunks that follow each other are put together: whatever else is sent goes behind them.

import { type Frame, type FromWorker, MAX_FRAMES, sameBytes } from "@pigato/protocol";

export type Partial = Extract<FromWorker, { readonly type: "partial" }>;

/** The most chunks of one message, which has six other frames. */
const MAX_CHUNKS = MAX_FRAMES / 2;
/** A message that has so many bytes of chunks takes no more. A chunk as large as that gains nothing. */
const ENOUGH_BYTES = 4 * 1024;

export class Partials {
  #first: Partial | undefined;
  #chunks: Frame[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** @returns whether it was taken; otherwise what waits must be taken out first, and it goes as it is if it cannot wait */
  add(partial: Partial): boolean {
    const [chunk] = partial.body;
    if (chunk === undefined || chunk.length >= ENOUGH_BYTES) return false;
    if (this.#first === undefined) this.#first = partial;
    else if (!this.#fits(partial, this.#first)) return false;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return true;
  }

  #fits({ address, requestId, trailer }: Partial, first: Partial): boolean {
    if (this.#chunks.length === MAX_CHUNKS || this.#bytes >= ENOUGH_BYTES) return false;
    if (requestId !== first.requestId || address !== first.address) return false;
    const [options] = trailer;
    const [firstOptions] = first.trailer;
    return (
      options === firstOptions ||
      (options !== undefined && firstOptions !== undefined && sameBytes(options, firstOptions))
    );
  }

  /** Takes out what waits, as one message. */
  take(): FromWorker | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    const chunks = this.#chunks;
    this.#first = undefined;
    this.#chunks = [];
    this.#bytes = 0;
    const [options] = first.trailer;
    if (chunks.length === 1 || options === undefined) return first;
    return { type: "partials", address: first.address, requestId: first.requestId, chunks, options };
  }
}
