// Bounds what open requests pin: their frames are views of the buffers that they were read into. Most requests end before many others
// have come, and cost a store into a ring. One that leaves the ring and is still open joins a list, oldest first, which counts what
// the buffers of its requests hold besides them. Beyond the bound, the oldest get frames of their own. So a request that waits, or whose
// worker is slow, is copied once, and only if its buffer holds little else.
//
// A buffer counts once for requests that follow each other: usually all requests in a buffer do.
//
// On the path of every request, measured by apps/bench, core. Reading the buffer of a frame is a call into V8's C++ code, so it is left
// to requests that are no longer recent.

import { type Frames, ownFrames } from "@pigato/protocol/internal";

/** The fields of a request that belong to this table. */
export interface PinLinks<Self> {
  body: Frames;
  trailer: Frames;
  /** Its slot in the ring, while it is there; otherwise `NO_SLOT`. */
  recentSlot: number;
  /** The buffer of its frames, while it is in the list. */
  pinnedBuffer: ArrayBufferLike | undefined;
  /** What its frames pin in other buffers, less its bytes in this one. */
  pinnedElsewhere: number;
  pinnedPrev: Self | undefined;
  pinnedNext: Self | undefined;
}

export const NO_SLOT = -1;
/** What the buffers of all requests in the list may hold besides their frames. Little, because V8 frees a buffer soon only while it is young. */
const MAX_PINNED_BYTES = 1 * 1024 * 1024;
/** A power of two. These pin at most a buffer of 64 KiB each. */
const MAX_RECENT = 256;

export class PinnedRequests<Item extends PinLinks<Item>> {
  readonly #maxBytes: number;
  readonly #recent: (Item | undefined)[];
  #nextSlot = 0;
  #first: Item | undefined;
  #last: Item | undefined;
  #bytes = 0;

  constructor(maxBytes: number = MAX_PINNED_BYTES, maxRecent: number = MAX_RECENT) {
    this.#maxBytes = maxBytes;
    this.#recent = new Array<undefined>(maxRecent).fill(undefined);
  }

  /** What the buffers of all requests in the list hold besides their frames. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A request was opened. */
  add(request: Item): void {
    const slot = this.#nextSlot;
    this.#nextSlot = (slot + 1) & (this.#recent.length - 1);
    const oldest = this.#recent[slot];
    this.#recent[slot] = request;
    request.recentSlot = slot;
    if (oldest === undefined) return;
    oldest.recentSlot = NO_SLOT;
    this.#append(oldest);
  }

  /** A request has ended. */
  remove(request: Item): void {
    if (request.recentSlot !== NO_SLOT) {
      this.#recent[request.recentSlot] = undefined;
      request.recentSlot = NO_SLOT;
    } else if (request.pinnedBuffer !== undefined) {
      this.#unlink(request, request.pinnedBuffer);
    }
  }

  /** Copies the frames of an open request, because it is kept for long. */
  copy(request: Item): void {
    this.remove(request);
    request.body = ownFrames(request.body);
    request.trailer = ownFrames(request.trailer);
  }

  /** The list, oldest first. For tests. */
  *[Symbol.iterator](): IterableIterator<Item> {
    for (let request = this.#first; request !== undefined; request = request.pinnedNext) yield request;
  }

  #append(request: Item): void {
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

  #unlink(request: Item, buffer: ArrayBufferLike): void {
    const { pinnedPrev, pinnedNext } = request;
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
