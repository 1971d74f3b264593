// Turns of the event loop. A receive loop over a socket that always has messages would starve timers and other sockets, because
// awaiting a message that is already there does not yield. `Turns` decides when such a loop yields.

import { setImmediate as nextTurn } from "node:timers/promises";

/** About a millisecond of a native socket's work. */
const FRAMES_PER_TURN = 512;
/** A message counts as this many frames more, because its receiver works, too. */
const FRAMES_PER_MESSAGE = 4;

export class Turns {
  #spent = 0;

  /** Counts one message. The caller awaits the result, if there is one, before it continues. */
  after(frames: number): Promise<void> | undefined {
    this.#spent += frames + FRAMES_PER_MESSAGE;
    if (this.#spent < FRAMES_PER_TURN) return undefined;
    this.#spent = 0;
    return nextTurn();
  }
}
