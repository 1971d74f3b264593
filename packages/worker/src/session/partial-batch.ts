// Partials of one request that are sent in one message, if the broker supports that (P-REP-9): most of the cost of a small
// chunk is its message. A chunk waits until the end of the current tick of the event loop, so it does not arrive later than it
// would alone.

import type { Frame, FromWorker } from "@pigato/protocol";
import { MAX_FRAMES, sameBytes } from "@pigato/protocol/internal";
import type { PartialInput } from "./effects.ts";
import type { InFlightRequest } from "./request-table.ts";

/** The maximum number of chunks in a message, which has six other frames. */
const MAX_CHUNKS = MAX_FRAMES / 2;
/** A message with so many bytes of chunks is full. For a chunk of this size, batching gains nothing. */
const ENOUGH_BYTES = 4 * 1024;

export class PartialBatch {
  /** The most bytes of a message without its options: a full message, one more chunk, and the envelope. */
  static readonly MAX_BYTES: number = 3 * ENOUGH_BYTES;
  #request: InFlightRequest | undefined;
  #options: Frame | undefined;
  #chunks: Frame[] = [];
  #bytes = 0;

  /** The request whose partials wait here. */
  get request(): InFlightRequest | undefined {
    return this.#request;
  }

  /** Whether the partial may be batched. */
  static takes({ body }: PartialInput): boolean {
    return body.length === 1 && body[0] !== undefined && body[0].length < ENOUGH_BYTES;
  }

  /** @returns `false` if `take` must be called first */
  add(request: InFlightRequest, { body, options }: PartialInput): boolean {
    const [chunk] = body;
    if (chunk === undefined || !this.#fits(request, options)) return false;
    this.#request = request;
    this.#options ??= options;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return true;
  }

  /** Removes the waiting partials and returns them as one message. */
  take(): FromWorker | undefined {
    const [request, options, chunks] = [this.#request, this.#options, this.#chunks];
    this.clear();
    if (request === undefined || options === undefined) return undefined;
    const { address, requestId } = request;
    if (chunks.length > 1) return { type: "partials", address, requestId, chunks, options };
    return { type: "partial", address, requestId, status: 0, body: chunks, trailer: [options] };
  }

  clear(): void {
    this.#request = undefined;
    this.#options = undefined;
    this.#chunks = [];
    this.#bytes = 0;
  }

  #fits(request: InFlightRequest, options: Frame): boolean {
    if (this.#request === undefined || this.#options === undefined) return true;
    if (this.#request !== request || this.#chunks.length === MAX_CHUNKS || this.#bytes >= ENOUGH_BYTES) return false;
    return options === this.#options || sameBytes(options, this.#options);
  }
}
