// A dealer's send queue: one outbox, and one write at a time, which waits until libzmq takes it. While the dealer is not
// connected, messages wait here and not in libzmq: here they are counted, and can be reported as undelivered.

import type { Dealer } from "zeromq";
import { type FramesToSend, toBytes } from "../byte-strings.ts";
import { callHandler } from "../handlers.ts";
import type { DealerHandlers } from "../link.ts";
import type { Outbox } from "../outbox.ts";
import { queueMicrotask } from "../timers.ts";

export interface DealerSendQueueOwner {
  readonly handlers: DealerHandlers;
  /** The socket failed. */
  onFailure(cause: unknown): void;
}

export class DealerSendQueue {
  readonly #socket: Dealer;
  readonly #outbox: Outbox;
  readonly #owner: DealerSendQueueOwner;
  #isUp = false;
  #isWriting = false;
  #onFlushed: (() => void) | undefined;

  constructor(socket: Dealer, outbox: Outbox, owner: DealerSendQueueOwner) {
    this.#socket = socket;
    this.#outbox = outbox;
    this.#owner = owner;
  }

  send(frames: FramesToSend, isUrgent: boolean): "queued" | "slow" | "congested" {
    const outcome = this.#outbox.offer(frames, isUrgent);
    this.#write();
    return outcome;
  }

  /** Messages leave only while the dealer is connected. */
  setUp(isUp: boolean): void {
    this.#isUp = isUp;
    this.#write();
  }

  /** Resolves when the queue is empty. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onFlushed = resolve;
      this.#checkFlushed();
    });
  }

  /** Empties the queue and reports each message as undelivered. For a closed socket. */
  abandon(): void {
    this.#isUp = false;
    for (let frames = this.#outbox.shift(); frames !== undefined; frames = this.#outbox.shift()) {
      const undelivered = toBytes(frames);
      callHandler(() => this.#owner.handlers.onUndelivered?.(undelivered));
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
        await this.#socket.send(toBytes(frames));
      } catch (error) {
        // Closing the socket also ends a waiting write; the owner ignores that failure.
        this.#owner.onFailure(error);
        break;
      }
      this.#onWritten();
    }
    this.#isWriting = false;
    this.#checkFlushed();
  }

  #onWritten(): void {
    this.#outbox.shift();
    if (this.#outbox.takeDrained()) callHandler(() => this.#owner.handlers.onDrain?.());
  }

  #checkFlushed(): void {
    if (!this.#outbox.isEmpty || this.#isWriting) return;
    this.#onFlushed?.();
    this.#onFlushed = undefined;
  }
}
