// Open requests whose frames are views of larger buffers, oldest first. Nearly all requests end soon, so their frames stay views
// of the buffers that they were read into. What all of them pin is bounded: beyond that, those that have been open for longest get
// frames of their own. So a request that waits, or whose worker is slow, is copied once, and only if its buffer holds little else.
//
// A buffer counts once for requests that follow each other: usually all requests in a buffer do.
//
// On the path of every request, measured by apps/bench, core.

import { type Frames, ownFrames } from "@pigato/protocol/internal";

/** The fields of a request that belong to this list. */
export interface PinLinks<Self> {
  body: Frames;
  trailer: Frames;
  /** The buffer of its frames, while it is in the list. */
  pinnedBuffer: ArrayBufferLike | undefined;
  /** What its frames pin in other buffers, less its bytes in this one. */
  pinnedElsewhere: number;
  pinnedPrev: Self | undefined;
  pinnedNext: Self | undefined;
}

/** What the buffers of all requests may hold besides their frames. */
const MAX_PINNED_BYTES = 4 * 1024 * 1024;

export class PinnedRequests<Item extends PinLinks<Item>> {
  readonly #maxBytes: number;
  #first: Item | undefined;
  #last: Item | undefined;
  #bytes = 0;

  constructor(maxBytes: number = MAX_PINNED_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** What the buffers of all requests hold besides their frames. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A request was opened. */
  add(request: Item): void {
    const buffer = sharedBufferOf(request);
    if (buffer === undefined) return;
    request.pinnedBuffer = buffer;
    request.pinnedElsewhere = pinnedElsewhere(request.body, buffer) + pinnedElsewhere(request.trailer, buffer);
    const last = this.#last;
    this.#bytes += request.pinnedElsewhere;
    if (last?.pinnedBuffer !== buffer) this.#bytes += buffer.byteLength;
    request.pinnedPrev = last;
    if (last) last.pinnedNext = request;
    else this.#first = request;
    this.#last = request;
    while (this.#bytes > this.#maxBytes && this.#first !== undefined) this.copy(this.#first);
  }

  /** A request has ended. */
  remove(request: Item): void {
    const { pinnedBuffer: buffer, pinnedPrev, pinnedNext } = request;
    if (buffer === undefined) return;
    this.#bytes -= request.pinnedElsewhere;
    const before = pinnedPrev?.pinnedBuffer;
    const after = pinnedNext?.pinnedBuffer;
    if (before !== buffer && after !== buffer) {
      this.#bytes -= buffer.byteLength;
      // Its neighbors now follow each other.
      if (before !== undefined && before === after) this.#bytes -= before.byteLength;
    }
    if (pinnedPrev) pinnedPrev.pinnedNext = pinnedNext;
    else this.#first = pinnedNext;
    if (pinnedNext) pinnedNext.pinnedPrev = pinnedPrev;
    else this.#last = pinnedPrev;
    request.pinnedBuffer = undefined;
    request.pinnedPrev = undefined;
    request.pinnedNext = undefined;
  }

  /** Copies the frames of a request, because it is kept for long. */
  copy(request: Item): void {
    if (request.pinnedBuffer === undefined) return;
    this.remove(request);
    request.body = ownFrames(request.body);
    request.trailer = ownFrames(request.trailer);
  }

  /** Oldest first. For tests. */
  *[Symbol.iterator](): IterableIterator<Item> {
    for (let request = this.#first; request !== undefined; request = request.pinnedNext) yield request;
  }
}

/** The first buffer that holds more than a frame of the request. */
function sharedBufferOf({ body, trailer }: Pick<PinLinks<unknown>, "body" | "trailer">): ArrayBufferLike | undefined {
  for (const { buffer, length } of body) if (buffer.byteLength > length) return buffer;
  for (const { buffer, length } of trailer) if (buffer.byteLength > length) return buffer;
  return undefined;
}

/** What frames pin in other buffers, less their bytes in this one. */
function pinnedElsewhere(frames: Frames, shared: ArrayBufferLike): number {
  let bytes = 0;
  for (const { buffer, length } of frames) bytes += buffer === shared ? -length : buffer.byteLength - length;
  return bytes;
}
