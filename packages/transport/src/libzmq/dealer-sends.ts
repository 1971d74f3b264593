// What a dealer has to send: one outbox, and one write at a time, which waits until libzmq takes it. While the other end
// is not there, messages wait here and not in libzmq: here they are counted, and can still be told as undelivered.

import type { Dealer } from "zeromq";
import { asBytes, type FramesToSend } from "../frames-to-send.ts";
import type { DealerHandlers } from "../link.ts";
import type { Outbox } from "../outbox.ts";
import { surface } from "../surface.ts";

export class DealerSends {
  readonly #socket: Dealer;
  readonly #handlers: DealerHandlers;
  readonly #onFailure: (cause: unknown) => void;
  readonly #outbox: Outbox;
  #isUp = false;
  #isWriting = false;
  #onFlushed: (() => void) | undefined;

  constructor(socket: Dealer, handlers: DealerHandlers, outbox: Outbox, onFailure: (cause: unknown) => void) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#onFailure = onFailure;
    this.#outbox = outbox;
  }

  send(frames: FramesToSend, isUrgent: boolean): "queued" | "slow" | "congested" {
    const outcome = this.#outbox.offer(frames, isUrgent);
    this.#write();
    return outcome;
  }

  /** Whether the other end is there. */
  setUp(isUp: boolean): void {
    this.#isUp = isUp;
    this.#write();
  }

  /** Resolves when nothing waits any more. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onFlushed = resolve;
      this.#checkFlushed();
    });
  }

  /** Gives up what still waits and tells of each message. For a socket that is closed. */
  abandon(): void {
    this.#isUp = false;
    for (let frames = this.#outbox.shift(); frames !== undefined; frames = this.#outbox.shift()) {
      try {
        this.#handlers.onUndelivered?.(asBytes(frames));
      } catch (error) {
        surface(error);
      }
    }
  }

  #write(): void {
    if (this.#isWriting || !this.#isUp || this.#outbox.isEmpty) return;
    this.#isWriting = true;
    queueMicrotask(() => void this.#writeAll());
  }

  async #writeAll(): Promise<void> {
    for (let frames = this.#outbox.first; frames !== undefined && this.#isUp; frames = this.#outbox.first) {
      try {
        await this.#socket.send(asBytes(frames));
      } catch (error) {
        // Closing the socket ends a write that waits, too; then this is no news.
        this.#onFailure(error);
        break;
      }
      this.#onWritten();
    }
    this.#isWriting = false;
    this.#checkFlushed();
  }

  #onWritten(): void {
    this.#outbox.shift();
    if (!this.#outbox.takeDrained()) return;
    try {
      this.#handlers.onDrain?.();
    } catch (error) {
      surface(error);
    }
  }

  #checkFlushed(): void {
    if (!this.#outbox.isEmpty || this.#isWriting) return;
    this.#onFlushed?.();
    this.#onFlushed = undefined;
  }
}
