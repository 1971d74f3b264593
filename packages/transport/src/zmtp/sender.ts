// What leaves by one socket. HOT in `send` and `flush`; the benchmark is apps/bench/src/transport.ts.
//
// A message is written into a buffer at once and leaves with the next flush, unless the kernel takes no more: then it waits
// in the outbox, where it is counted and can still be told as undelivered. There is one write at a time, and if it was
// taken whole, its buffers are free again at once.

import type { Socket } from "node:net";
import type { FramesToSend } from "../frames-to-send.ts";
import type { Outbox } from "../outbox.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { encodePong } from "./commands.ts";
import type { Flushable, Flusher } from "./flusher.ts";
import { FrameWriter } from "./frame-writer.ts";

/**
 * So many bytes are written without waiting for the flush, and then twice as many each time until it comes. Large writes
 * cost less for each message; but meanwhile whoever reads them has nothing to do: with 100 requests in flight, all that are
 * asked or answered within one tick leave together, and one of client, broker and worker works at a time.
 */
const FIRST_WRITE_BYTES = 3 * 1024;
const LARGEST_WRITE_BYTES = 24 * 1024;

/** What the senders of one link share. */
export interface SenderSettings {
  readonly pool: BufferPool;
  readonly flusher: Flusher;
}

export class Sender implements Flushable {
  readonly outbox: Outbox;
  /** Whether anything was written since somebody last looked, and set this to false. */
  hasSent = false;
  readonly #socket: Socket;
  readonly #settings: SenderSettings;
  readonly #onDrain: () => void;
  readonly #writer: FrameWriter;
  readonly #onWritten = (): void => this.#unblock();
  /** Messages may leave. */
  #isOpen = false;
  /** It waits for its flush. */
  #isDirty = false;
  /** As many bytes are written at once. */
  #dueBytes = FIRST_WRITE_BYTES;
  /** A write is under way, with the buffers lent to it. */
  #isBlocked = false;
  #lent: readonly Buffer[] = [];
  #pong: Uint8Array | undefined;
  #onFlushed: (() => void) | undefined;

  /** @param onDrain the other end, told to be slow or congested before, has caught up */
  constructor(socket: Socket, outbox: Outbox, settings: SenderSettings, onDrain: () => void) {
    this.#socket = socket;
    this.outbox = outbox;
    this.#settings = settings;
    this.#onDrain = onDrain;
    this.#writer = new FrameWriter(settings.pool);
  }

  /** A write is under way that the kernel did not take whole. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Messages leave from now on, those in the outbox first. */
  open(): void {
    this.#isOpen = true;
    this.#pump();
  }

  /** Takes one message. Before it is open, and while the kernel takes nothing, messages wait. */
  send(frames: FramesToSend, isUrgent: boolean): "queued" | "slow" | "congested" {
    if (this.#isBlocked || !this.#isOpen) return this.outbox.offer(frames, isUrgent);
    this.#writer.add(frames);
    if (!this.#isDirty) {
      this.#isDirty = true;
      this.#settings.flusher.add(this);
    }
    if (this.#writer.bytes >= this.#dueBytes) {
      this.#dueBytes = Math.min(2 * this.#dueBytes, LARGEST_WRITE_BYTES);
      this.#write();
    }
    return "queued";
  }

  /** Writes what is encoded already, such as a command, as soon as the kernel takes it. */
  say(bytes: Uint8Array): void {
    this.#writer.addEncoded(bytes);
    this.flush();
  }

  /** Answers a PING. While nothing can be written, only the last is answered. */
  answer(context: Uint8Array): void {
    this.#pong = context;
    if (!this.#isBlocked) this.#pump();
  }

  /** Writes what was sent. */
  flush(): void {
    this.#isDirty = false;
    this.#dueBytes = FIRST_WRITE_BYTES;
    this.#write();
  }

  #write(): void {
    if (this.#isBlocked || this.#writer.bytes === 0) return;
    const { pieces, buffers } = this.#writer.take();
    const socket = this.#socket;
    const last = pieces.length - 1;
    if (last > 0) socket.cork();
    for (const [index, piece] of pieces.entries()) {
      if (index < last) socket.write(piece);
      else socket.write(piece, this.#onWritten);
    }
    if (last > 0) socket.uncork();
    this.hasSent = true;
    this.#lent = buffers;
    // Whether the kernel took it all at once.
    if (socket.writableLength > 0) this.#isBlocked = true;
    else this.#returnBuffers();
  }

  /** Resolves when nothing waits any more, or nothing ever will leave. */
  flushed(): Promise<void> {
    this.flush();
    return new Promise((resolve) => {
      this.#onFlushed = resolve;
      if (this.#isFlushed || this.#socket.destroyed) resolve();
    });
  }

  /** The socket is closed. What is in the outbox has not left. */
  close(): void {
    this.#isOpen = false;
    // A write that was cut off may still have its buffers.
    this.#lent = [];
    for (const buffer of this.#writer.take().buffers) this.#settings.pool.giveBack(buffer);
    this.#onFlushed?.();
  }

  #unblock(): void {
    if (!this.#isBlocked || this.#socket.writableLength > 0) return;
    this.#isBlocked = false;
    this.#returnBuffers();
    this.#pump();
  }

  #returnBuffers(): void {
    for (const buffer of this.#lent) this.#settings.pool.giveBack(buffer);
    this.#lent = [];
  }

  /** Writes what waits, until the kernel takes no more. */
  #pump(): void {
    if (this.#pong !== undefined) this.#writer.addEncoded(encodePong(this.#pong));
    this.#pong = undefined;
    while (!this.#isBlocked && !this.#socket.destroyed) {
      while (this.#isOpen && this.#writer.bytes < LARGEST_WRITE_BYTES) {
        const frames = this.outbox.shift();
        if (frames === undefined) break;
        this.#writer.add(frames);
      }
      if (this.#writer.bytes === 0) break;
      this.flush();
    }
    if (this.outbox.takeDrained()) this.#onDrain();
    if (this.#isFlushed) this.#onFlushed?.();
  }

  get #isFlushed(): boolean {
    return this.outbox.isEmpty && this.#writer.bytes === 0 && !this.#isBlocked;
  }
}
