// Caches of decoded frames. They are on the path of every request, measured by apps/bench, core. The dialect instance that
// decodes the frames owns them.

import { type Frame, sameBytes } from "./frame.ts";
import { readBytes } from "./ids.ts";

const SLOTS = 256;
/** Longer frames are decoded each time. */
const MAX_BYTES = 128;

interface Slot<Value> {
  readonly frame: Frame;
  readonly value: Value;
}

/**
 * Direct-mapped cache, keyed by the bytes of a frame: for frames that repeat, such as service names and request options. Each
 * frame has one slot, and a newer frame replaces an older one there. So memory is bounded, and frames that a peer makes up
 * to collide cost no more than decoding them.
 */
export class DecodeCache<Value> {
  readonly #decode: (frame: Frame) => Value;
  /** Made on first use: many clients never decode a request. */
  #slots: (Slot<Value> | undefined)[] | undefined;
  /** The last hit: a link passes the same frame object again when a message repeats it. */
  #last: Slot<Value> | undefined;

  /** @param decode depends on the bytes alone; callers share what it returns and must not change it */
  constructor(decode: (frame: Frame) => Value) {
    this.#decode = decode;
  }

  read(frame: Frame): Value {
    if (frame.length > MAX_BYTES) return this.#decode(frame);
    if (this.#last?.frame !== frame) this.#last = { frame, value: this.#find(frame) };
    return this.#last.value;
  }

  #find(frame: Frame): Value {
    this.#slots ??= Array.from({ length: SLOTS }, () => undefined);
    const index = slotOf(frame);
    const slot = this.#slots[index];
    if (slot !== undefined && sameBytes(slot.frame, frame)) return slot.value;
    const value = this.#decode(frame);
    // A copy, because the frame may be a view of a large buffer.
    this.#slots[index] = { frame: new Uint8Array(frame), value };
    return value;
  }
}

function slotOf(frame: Frame): number {
  let hash = frame.length;
  for (const byte of frame) hash = (Math.imul(hash, 31) + byte) | 0;
  return (hash ^ (hash >>> 8)) & (SLOTS - 1);
}

/** Reads byte strings (ids.ts) and keeps the last one: all parts of a reply carry the same request id. */
export class LastValueCache {
  #text = "";
  #frame: Frame | undefined;

  read(frame: Frame): string {
    if (frame === this.#frame) return this.#text;
    this.#frame = frame;
    if (!isSame(frame, this.#text)) this.#text = readBytes(frame);
    return this.#text;
  }
}

function isSame(frame: Frame, text: string): boolean {
  // From the end, where ids with a counter differ.
  if (frame.length !== text.length) return false;
  for (let index = frame.length - 1; index >= 0; index--) {
    if (frame[index] !== text.charCodeAt(index)) return false;
  }
  return true;
}
