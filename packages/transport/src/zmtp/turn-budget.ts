// Bounds what a link reads from one peer in one turn of the event loop, so that timers and other sockets get their turns. Messages
// and commands count alike: a command and a message of a few bytes cost about the same.
//
// A chunk is read in parts, because a chunk of 64 KiB may hold more than 7,000 PINGs. The size of a part follows the number of
// messages in the last part. With messages of usual sizes, all chunks but the first are read whole.

const WORK_PER_TURN = 1_024;
const FIRST_PART_BYTES = 16 * 1024;
const SMALLEST_PART_BYTES = 1024;

export class TurnBudget {
  /** Messages and commands that were read this turn. */
  work = 0;
  #workBefore = 0;
  #partBytes: number = FIRST_PART_BYTES;

  /** The most bytes to read at once. */
  get partBytes(): number {
    return this.#partBytes;
  }

  /** Call when a part of so many bytes has been read. @returns whether the turn is over */
  onRead(bytes: number): boolean {
    const work = this.work - this.#workBefore;
    if (work > 2 * WORK_PER_TURN) {
      this.#partBytes = Math.max(SMALLEST_PART_BYTES, Math.floor((bytes * WORK_PER_TURN) / work));
    } else if (bytes >= this.#partBytes && work < WORK_PER_TURN) {
      this.#partBytes *= 2;
    }
    const isOver = this.work >= WORK_PER_TURN;
    if (isOver) this.work = 0;
    this.#workBefore = this.work;
    return isOver;
  }
}
