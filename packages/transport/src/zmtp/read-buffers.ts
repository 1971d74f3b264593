// The memory that one socket reads into. HOT; the benchmark is apps/bench/src/transport.ts.
//
// Small messages are read many at a time, and copied out of a buffer that is used again. The rest of a large frame is read to where
// it belongs, which saves its copy. After a large frame, only a little is read at once, so that the next large frame is not read
// before its memory is known.

import type { OnReadOpts } from "node:net";
import type { SocketConnection } from "./socket-connection.ts";

const READ_BYTES = 64 * 1024;
/** Room for the frames before the body of a message. */
const SMALL_BYTES = 2 * 1024;

export class ReadBuffers {
  readonly #shared: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #small: Buffer = this.#shared.subarray(0, SMALL_BYTES);
  #next: Buffer = this.#shared;

  /** @param connection that of the socket, as soon as there is one */
  optionsFor(connection: () => SocketConnection | undefined): OnReadOpts {
    this.#next = this.#shared;
    return {
      buffer: () => this.#choose(connection()),
      callback: (bytes) => this.#onRead(connection(), bytes),
    };
  }

  #choose(connection: SocketConnection | undefined): Buffer {
    const { reader, hasUnread = true } = connection ?? {};
    const target = hasUnread ? undefined : reader?.target;
    const isAfterLarge = this.#isTarget || reader?.takeHasReadLarge() === true;
    this.#next = target ?? (isAfterLarge ? this.#small : this.#shared);
    return this.#next;
  }

  get #isTarget(): boolean {
    return this.#next !== this.#shared && this.#next !== this.#small;
  }

  #onRead(connection: SocketConnection | undefined, bytes: number): boolean {
    if (connection === undefined) return true;
    if (this.#isTarget) return connection.onData(connection.reader.fill(bytes), true);
    return connection.onData(this.#next.subarray(0, bytes), false);
  }
}
