// A loop over a socket that always has something to do would never let the event loop go on to timers and other sockets:
// what is there already costs no waiting. This is the loop's allowance between two such pauses.

import { setImmediate as nextTurn } from "node:timers/promises";

/** About a millisecond's worth of a native socket's work. */
const FRAMES_PER_TURN = 512;
/** Messages count for as much as these frames, because each is also somebody's work. */
const FRAMES_PER_MESSAGE = 4;

export class Turns {
  #spent = 0;

  /** Counts one message. The caller awaits what this returns, if anything, before it goes on. */
  after(frames: number): Promise<void> | undefined {
    this.#spent += frames + FRAMES_PER_MESSAGE;
    if (this.#spent < FRAMES_PER_TURN) return undefined;
    this.#spent = 0;
    return nextTurn();
  }
}
