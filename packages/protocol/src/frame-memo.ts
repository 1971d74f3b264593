// What frames mean that come again and again, as the name of a service and the options of a request do: found by their bytes,
// instead of being read each time. On the path of every request, measured by apps/bench.
//
// A table of fixed size: a frame has one place in it, and whichever came last has the place. So it holds on to little, and
// frames made up to collide cost what reading them costs.

import { type Frame, sameBytes } from "./frame.ts";
import { readBytes } from "./ids.ts";

const PLACES = 256;
/** Longer frames are read each time. */
const MAX_BYTES = 128;

interface Known<Meaning> {
  readonly frame: Frame;
  readonly meaning: Meaning;
}

/** Gives what `read` gives, which must depend on the bytes alone and is handed out again, so that nobody may change it. */
export class FrameMemo<Meaning> {
  readonly #read: (frame: Frame) => Meaning;
  readonly #known: (Known<Meaning> | undefined)[] = Array.from({ length: PLACES }, () => undefined);
  /** What was read last: links give the same frame again where a message repeats it. */
  #last: Known<Meaning> | undefined;

  constructor(read: (frame: Frame) => Meaning) {
    this.#read = read;
  }

  read(frame: Frame): Meaning {
    if (frame.length > MAX_BYTES) return this.#read(frame);
    if (this.#last?.frame !== frame) this.#last = { frame, meaning: this.#find(frame) };
    return this.#last.meaning;
  }

  #find(frame: Frame): Meaning {
    const place = placeOf(frame);
    const known = this.#known[place];
    if (known !== undefined && sameBytes(known.frame, frame)) return known.meaning;
    const meaning = this.#read(frame);
    // A copy: the frame itself may be a view of much more.
    this.#known[place] = { frame: new Uint8Array(frame), meaning };
    return meaning;
  }
}

function placeOf(frame: Frame): number {
  let hash = frame.length;
  for (const byte of frame) hash = (Math.imul(hash, 31) + byte) | 0;
  return (hash ^ (hash >>> 8)) & (PLACES - 1);
}

/** Reads byte strings (ids.ts), and gives the last one again while its bytes come again: all parts of a reply name the same request. */
export class LastName {
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
  // From the end: names that are counted differ there.
  if (frame.length !== text.length) return false;
  for (let index = frame.length - 1; index >= 0; index--) {
    if (frame[index] !== text.charCodeAt(index)) return false;
  }
  return true;
}
