// Receive loops. A loop over a socket that always has messages would starve timers and other sockets, because awaiting a message
// that is already there does not yield. `Turns` decides when such a loop yields to the event loop.

import { monotonicNow, setImmediate } from "../timers.ts";

/** About a millisecond of a native socket's work. */
const FRAMES_PER_TURN = 512;
/** A message counts as this many frames more, because its receiver works, too. */
const FRAMES_PER_MESSAGE = 4;
/** Milliseconds that a turn may take. Some messages cost much more than others, and the time is read after some of them. */
const MAX_TURN_MS = 50;
const MESSAGES_PER_CHECK = 4;

export class Turns {
  readonly #now: () => number;
  #spent = 0;
  #messages = 0;
  #startedAt: number;

  constructor(now: () => number = monotonicNow) {
    this.#now = now;
    this.#startedAt = now();
  }

  /** Counts one message. The caller awaits the result, if there is one, before it continues. */
  after(frames: number): Promise<void> | undefined {
    this.#spent += frames + FRAMES_PER_MESSAGE;
    this.#messages += 1;
    if (this.#spent < FRAMES_PER_TURN && !this.#isOverdue()) return undefined;
    this.#spent = 0;
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#startedAt = this.#now();
        resolve();
      });
    });
  }

  #isOverdue(): boolean {
    return this.#messages % MESSAGES_PER_CHECK === 0 && this.#now() - this.#startedAt > MAX_TURN_MS;
  }
}

interface Receiver {
  /** The socket is closed, or failed. */
  onFailure(cause: unknown): void;
  /** @returns a promise if the next message must wait */
  onMessage(frames: Buffer[]): Promise<void> | void;
}

/** Reads a socket to its end. */
export async function receiveAll(socket: { receive(): Promise<Buffer[]> }, receiver: Receiver): Promise<void> {
  const turns = new Turns();
  for (;;) {
    let frames: Buffer[];
    try {
      frames = await socket.receive();
    } catch (error) {
      return receiver.onFailure(error);
    }
    // Before the handler, which may take frames out.
    const count = frames.length;
    const handled = receiver.onMessage(frames);
    if (handled !== undefined) await handled;
    await turns.after(count);
  }
}
