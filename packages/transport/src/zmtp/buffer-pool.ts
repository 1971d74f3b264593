// Memory that messages are written into on their way out, used again and again. A link has one pool for all of its
// connections: a connection has a buffer only while something is to be written.

/** The room that a buffer has. */
const BUFFER_BYTES = 128 * 1024;
/** What is given back beyond this is left to the garbage collector. */
const MAX_IDLE = 32;

export class BufferPool {
  readonly #idle: Buffer[] = [];

  take(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  /** Only when nobody reads it any more. */
  giveBack(buffer: Buffer): void {
    if (this.#idle.length < MAX_IDLE) this.#idle.push(buffer);
  }
}
