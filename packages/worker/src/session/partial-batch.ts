// Partials of one request with the same options that are sent in one message, if the broker supports that (P-REP-9).

import { ChunkBatch } from "@pigato/peer/session";
import type { Frame, FromWorker } from "@pigato/protocol";
import { sameBytes } from "@pigato/protocol/internal";
import type { PartialInput } from "./effects.ts";
import type { InFlightRequest } from "./request-table.ts";

export class PartialBatch {
  static readonly MAX_BYTES: number = ChunkBatch.MAX_BYTES;
  readonly #batch = new ChunkBatch<InFlightRequest>();
  #options: Frame | undefined;

  /** The request whose partials wait here. */
  get request(): InFlightRequest | undefined {
    return this.#batch.stream;
  }

  /** Whether the partial may be batched. */
  static takes({ body }: PartialInput): boolean {
    return body.length === 1 && body[0] !== undefined && ChunkBatch.takes(body[0]);
  }

  /** @returns `false` if `take` must be called first */
  add(request: InFlightRequest, { body, options }: PartialInput): boolean {
    const [chunk] = body;
    if (chunk === undefined || !this.#hasOptions(options) || !this.#batch.add(request, chunk)) return false;
    this.#options ??= options;
    return true;
  }

  /** Removes the waiting partials and returns them as one message. */
  take(): FromWorker | undefined {
    const [request, options, chunks] = [this.request, this.#options, this.#batch.take()];
    this.#options = undefined;
    if (request === undefined || options === undefined) return undefined;
    const { address, requestId } = request;
    if (chunks.length > 1) return { type: "partials", address, requestId, chunks, options };
    return { type: "partial", address, requestId, status: 0, body: chunks, trailer: [options] };
  }

  clear(): void {
    this.#batch.clear();
    this.#options = undefined;
  }

  #hasOptions(options: Frame): boolean {
    return this.#options === undefined || options === this.#options || sameBytes(options, this.#options);
  }
}
