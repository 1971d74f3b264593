// Writes to one socket. HOT in `send` and `flush`; the benchmark is apps/bench/src/transport.ts.
//
// A message is encoded into a buffer at once and leaves with the next flush, unless the kernel takes no more: then it waits in
// the outbox, where it is counted and can still be reported as undelivered. There is one write at a time. If the kernel took it
// whole, its buffers are free again at once. If not, the other end must continue to read (send-progress.ts).

import type { Socket } from "node:net";
import { type FramesToSend, toBytes } from "../byte-strings.ts";
import { alarmAfterIo, systemClock } from "../clock.ts";
import type { LinkLimits } from "../link.ts";
import type { Outbox } from "../outbox.ts";
import { encodePong } from "./commands.ts";
import type { Flushable, Flusher } from "./flusher.ts";
import { BUFFER_BYTES, type BufferPool, FrameWriter } from "./frame-writer.ts";
import type { FrameProtection } from "./mechanism/mechanism.ts";
import { SendProgress } from "./send-progress.ts";
import { COMMAND, encodeFrame, MORE, type Violation } from "./wire.ts";

/**
 * As many bytes are written without waiting for the flush, and then twice as many each time until it comes. Large writes cost
 * less per message, but keep the reader idle: with 100 requests in flight, all requests or replies of one tick would leave
 * together, and only one of client, broker and worker would work at a time.
 */
const FIRST_WRITE_BYTES = 3 * 1024;
const LARGEST_WRITE_BYTES = 24 * 1024;

/** What the senders of one link share. */
export interface SenderSettings {
  readonly pool: BufferPool;
  readonly flusher: Flusher;
  readonly limits: Pick<LinkLimits, "sendStallTimeoutMs" | "minProgressBytes">;
}

/** What a sender needs of a `net.Socket`. */
export interface SenderSocket extends Pick<Socket, "cork" | "uncork" | "destroyed" | "writableLength"> {
  write(bytes: Uint8Array, onWritten?: () => void): boolean;
}

export interface SenderOwner {
  /** Where messages wait. */
  readonly outbox: Outbox;
  /** The other end, reported as slow or congested before, has caught up. */
  onDrain(): void;
  /** The other end does not read. */
  destroy(violation: Violation): void;
}

interface SenderAudit {
  readonly isOpen: boolean;
  readonly isDirty: boolean;
  readonly isBlocked: boolean;
  readonly isDestroyed: boolean;
  readonly hasOutput: boolean;
  readonly hasPong: boolean;
  readonly hasMessages: boolean;
  readonly lent: number;
}

export class Sender implements Flushable {
  /** Whether anything was written since the owner last set this to false. */
  hasSent = false;
  readonly #outbox: Outbox;
  readonly #socket: SenderSocket;
  readonly #settings: SenderSettings;
  readonly #owner: SenderOwner;
  readonly #writer: FrameWriter;
  readonly #onWritten = (): void => this.#unblock();
  /** Messages may leave. */
  #isOpen = false;
  #protection: FrameProtection | undefined;
  /** It waits for its flush. */
  #isDirty = false;
  /** As many bytes are written without waiting for the flush. */
  #writeAtBytes = FIRST_WRITE_BYTES;
  /** A write is in progress, with the buffers lent to it. */
  #isBlocked = false;
  #lent: readonly Buffer[] = [];
  readonly #progress: SendProgress;
  /** Bytes of all writes. */
  #writtenBytes = 0;
  #pong: Uint8Array | undefined;
  #onFlushed: (() => void) | undefined;

  constructor(socket: SenderSocket, settings: SenderSettings, owner: SenderOwner) {
    this.#socket = socket;
    this.#settings = settings;
    this.#owner = owner;
    this.#outbox = owner.outbox;
    this.#writer = new FrameWriter(settings.pool);
    this.#progress = new SendProgress(settings.limits, () => alarmAfterIo(() => this.#checkProgress()));
  }

  /** Its state, for the checks of tests. */
  audit(): SenderAudit {
    return {
      isOpen: this.#isOpen,
      isDirty: this.#isDirty,
      isBlocked: this.#isBlocked,
      isDestroyed: this.#socket.destroyed,
      hasOutput: this.#writer.bytes > 0,
      hasPong: this.#pong !== undefined,
      hasMessages: !this.#outbox.isEmpty,
      lent: this.#lent.length,
    };
  }

  /** The kernel did not take the last write whole. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Messages leave from now on, those in the outbox first. @param protection seals every frame from now on */
  open(protection: FrameProtection | undefined): void {
    this.#isOpen = true;
    this.#protection = protection;
    this.#pump();
  }

  /** Sends one message. Messages wait until the sender is open, and while the kernel takes nothing. */
  send(frames: FramesToSend, isUrgent: boolean): "queued" | "slow" | "congested" {
    if (this.#isBlocked || !this.#isOpen) return this.#outbox.offer(frames, isUrgent);
    if (this.#protection === undefined) this.#writer.add(frames);
    else this.#addSealed(frames, this.#protection);
    if (!this.#isDirty) {
      this.#isDirty = true;
      this.#settings.flusher.add(this);
    }
    if (this.#writer.bytes >= this.#writeAtBytes) {
      this.#writeAtBytes = Math.min(2 * this.#writeAtBytes, LARGEST_WRITE_BYTES);
      this.#write();
    }
    return "queued";
  }

  /** Writes encoded bytes, as soon as the kernel takes them. */
  sendEncoded(bytes: Uint8Array): void {
    this.#writer.addEncoded(bytes);
    this.flush();
  }

  /** Writes one frame, such as a command, as soon as the kernel takes it. It overtakes the messages in the outbox. */
  sendFrame(flags: number, body: Uint8Array): void {
    this.#addFrame(flags, body);
    this.flush();
  }

  /** Answers a PING. While nothing can be written, only the last is answered. */
  answerPing(context: Uint8Array): void {
    this.#pong = context;
    if (!this.#isBlocked) this.#pump();
  }

  /** Writes what has been sent. */
  flush(): void {
    this.#isDirty = false;
    this.#writeAtBytes = FIRST_WRITE_BYTES;
    this.#write();
  }

  #write(): void {
    const { bytes } = this.#writer;
    if (this.#isBlocked || bytes === 0) return;
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
    this.#writtenBytes += bytes;
    // Whether the kernel took it all at once.
    if (socket.writableLength > 0) this.#block(bytes + buffers.length * BUFFER_BYTES);
    else this.#returnBuffers();
  }

  /** @param bytes the memory that the write holds */
  #block(bytes: number): void {
    this.#isBlocked = true;
    if (!this.#progress.isMeasuring) this.#progress.begin(this.#takenBytes, systemClock.now());
    // Perhaps this ends the connection.
    this.#outbox.beginWrite(bytes);
  }

  #checkProgress(): void {
    const { waitingBytes } = this.#outbox;
    const sending = { isBlocked: this.#isBlocked, takenBytes: this.#takenBytes, waitingBytes };
    const violation = this.#progress.check(sending, systemClock.now());
    if (violation !== undefined) this.#owner.destroy(violation);
  }

  /** Bytes that the kernel has taken; `undefined` if that is unknown. */
  get #takenBytes(): number | undefined {
    const queued = this.#isBlocked ? queuedBytes(this.#socket) : 0;
    return queued === undefined ? undefined : this.#writtenBytes - queued;
  }

  /** Resolves when everything is written, or never will be. */
  flushed(): Promise<void> {
    this.flush();
    return new Promise((resolve) => {
      this.#onFlushed = resolve;
      if (this.#isFlushed || this.#socket.destroyed) resolve();
    });
  }

  /** The socket is closed. Messages in the outbox have not left. */
  close(): void {
    this.#isOpen = false;
    this.#progress.stop();
    this.#outbox.endWrite();
    // An aborted write may still use its buffers.
    this.#lent = [];
    for (const buffer of this.#writer.take().buffers) this.#settings.pool.giveBack(buffer);
    this.#onFlushed?.();
  }

  #unblock(): void {
    if (!this.#isBlocked || this.#socket.writableLength > 0) return;
    this.#isBlocked = false;
    this.#outbox.endWrite();
    this.#returnBuffers();
    this.#pump();
    if (!this.#isBlocked) this.#progress.onCaughtUp();
  }

  #returnBuffers(): void {
    for (const buffer of this.#lent) this.#settings.pool.giveBack(buffer);
    this.#lent = [];
  }

  /** Writes what waits, until the kernel takes no more. */
  #pump(): void {
    if (this.#pong !== undefined) this.#addFrame(COMMAND, encodePong(this.#pong));
    this.#pong = undefined;
    while (!this.#isBlocked && !this.#socket.destroyed) {
      while (this.#isOpen && this.#writer.bytes < LARGEST_WRITE_BYTES) {
        const frames = this.#outbox.shift();
        if (frames === undefined) break;
        if (this.#protection === undefined) this.#writer.add(frames);
        else this.#addSealed(frames, this.#protection);
      }
      if (this.#writer.bytes === 0) break;
      this.flush();
    }
    if (this.#outbox.takeDrained()) this.#owner.onDrain();
    if (this.#isFlushed) this.#onFlushed?.();
  }

  #addFrame(flags: number, body: Uint8Array): void {
    const frame =
      this.#protection === undefined ? encodeFrame(flags, body) : encodeFrame(0, this.#protection.seal(flags, body));
    this.#writer.addEncoded(frame);
  }

  #addSealed(frames: FramesToSend, protection: FrameProtection): void {
    const last = frames.length - 1;
    for (const [index, frame] of toBytes(frames).entries()) {
      this.#writer.add([protection.seal(index < last ? MORE : 0, frame)]);
    }
  }

  get #isFlushed(): boolean {
    return this.#outbox.isEmpty && this.#writer.bytes === 0 && !this.#isBlocked;
  }
}

/**
 * Bytes that wait in libuv. Only this shows the progress of one long write, and Node's own timeout of a socket depends on it. `undefined`
 * if libuv has written all and Node does not know it yet, and in other runtimes.
 */
function queuedBytes(socket: SenderSocket): number | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) return undefined;
  const queued: unknown = Reflect.get(handle, "writeQueueSize");
  return typeof queued === "number" && queued > 0 ? queued : undefined;
}
