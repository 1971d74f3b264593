// The queue of messages that wait for one peer, oldest first. It decides what `send` returns. Its owner takes the first message,
// writes it and removes it.
//
// Two bounds apply: this peer's own, at which messages for it are refused, and one for all peers (send-budget.ts). A write in progress
// counts only toward the second one. libzmq does not report what it has taken: its high-water mark bounds that.
//
// Messages are views of buffers that may hold others, too. As long as these hold little else, they stay views; beyond that, messages
// are copied when they start to wait.

import type { FramesToSend } from "./byte-strings.ts";
import { ownFrames, pinnedElsewhere, sharedBufferOf } from "./frame-memory.ts";
import type { LinkLimits } from "./link.ts";
import type { Holding } from "./send-budget.ts";

/** A message and a frame count as this many bytes more, so that small ones are bounded, too. */
const MESSAGE_COST_BYTES = 128;
const FRAME_COST_BYTES = 64;
/** The bound for urgent messages, as a multiple of the one for others. */
const URGENT_FACTOR = 1.125;
/** What buffers may hold besides waiting messages, however few these are: a message that waits for a moment is not copied. */
const MIN_PINNED_BYTES = 32 * 1024;
/** The same as a part of what waits, if that is more. */
const MAX_PINNED_PART = 1 / 4;

interface QueuedMessage {
  readonly frames: FramesToSend;
  readonly cost: number;
  /** The buffer of its frames, unless they have memory of their own. It counts once for messages that follow each other. */
  readonly buffer: ArrayBufferLike | undefined;
  next: QueuedMessage | undefined;
}

interface OutboxAudit {
  readonly bytes: number;
  readonly messages: number;
  readonly writing: number;
  readonly holding: Holding | undefined;
}

export class Outbox {
  readonly #limits: LinkLimits;
  readonly #holding: Holding | undefined;
  #first: QueuedMessage | undefined;
  #last: QueuedMessage | undefined;
  #bytes = 0;
  #messages = 0;
  /** What the buffers of all messages hold besides these. */
  #pinned = 0;
  /** The bytes of the write in progress. */
  #writing = 0;
  #owesDrain = false;

  /** @param holding counts for the bound of all peers */
  constructor(limits: LinkLimits, holding?: Holding) {
    this.#limits = limits;
    this.#holding = holding;
  }

  /** What it counts, for the checks of tests. */
  audit(): OutboxAudit {
    return { bytes: this.#bytes, messages: this.#messages, writing: this.#writing, holding: this.#holding };
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** What waits for this peer, with the write in progress. */
  get waitingBytes(): number {
    return this.#bytes + this.#writing;
  }

  get first(): FramesToSend | undefined {
    return this.#first?.frames;
  }

  /** Appends a message unless a bound forbids it. An empty outbox takes one message of any size. */
  offer(frames: FramesToSend, isUrgent: boolean): "queued" | "slow" | "congested" {
    const cost = costOf(frames);
    const factor = isUrgent ? URGENT_FACTOR : 1;
    if (!this.isEmpty && this.#exceeds(this.#bytes + cost, this.#messages + 1, factor)) {
      this.#owesDrain = true;
      return "congested";
    }
    this.#append(frames, cost);
    if (this.#bytes <= this.#limits.slowBytes) return "queued";
    this.#owesDrain = true;
    return "slow";
  }

  /** Removes the oldest message. */
  shift(): FramesToSend | undefined {
    const message = this.#first;
    if (message === undefined) return undefined;
    this.#first = message.next;
    if (message.next === undefined) this.#last = undefined;
    const { frames, cost, buffer, next } = message;
    this.#count(-cost, -1);
    if (buffer !== undefined) this.#pinned -= pinnedBytes(frames, buffer, next?.buffer);
    return frames;
  }

  /** The kernel did not take a write whole. @param bytes the memory that it holds until it ends */
  beginWrite(bytes: number): void {
    this.#writing = bytes;
    this.#holding?.budget.count(this.#holding, bytes);
  }

  endWrite(): void {
    this.#holding?.budget.count(this.#holding, -this.#writing);
    this.#writing = 0;
  }

  /** Whether a slow or congested peer has caught up: half of its bound is free. True once. */
  takeDrained(): boolean {
    const { slowBytes, maxQueuedMessages } = this.#limits;
    if (!this.#owesDrain || this.#bytes > slowBytes / 2 || this.#messages > maxQueuedMessages / 2) return false;
    this.#owesDrain = false;
    return true;
  }

  #append(frames: FramesToSend, cost: number): void {
    const message = this.#toQueue(frames, cost);
    if (this.#last === undefined) this.#first = message;
    else this.#last.next = message;
    this.#last = message;
    this.#count(cost, 1);
  }

  #toQueue(frames: FramesToSend, cost: number): QueuedMessage {
    // Reading the buffer of a frame is a slow call, and a message that waits alone soon leaves or is soon one of many.
    const buffer = this.isEmpty ? undefined : sharedBufferOf(frames);
    if (buffer === undefined) return { frames, cost, buffer, next: undefined };
    const pinned = this.#pinned + pinnedBytes(frames, buffer, this.#last?.buffer);
    if (pinned > Math.max(MIN_PINNED_BYTES, (this.waitingBytes + cost) * MAX_PINNED_PART)) {
      return { frames: ownFrames(frames), cost, buffer: undefined, next: undefined };
    }
    this.#pinned = pinned;
    return { frames, cost, buffer, next: undefined };
  }

  #count(bytes: number, messages: number): void {
    this.#bytes += bytes;
    this.#messages += messages;
    this.#holding?.budget.count(this.#holding, bytes);
  }

  #exceeds(bytes: number, messages: number, factor: number): boolean {
    const { maxQueuedBytes, maxQueuedMessages } = this.#limits;
    return bytes > maxQueuedBytes * factor || messages > Math.ceil(maxQueuedMessages * factor);
  }
}

/** What a message pins beside its neighbor. */
function pinnedBytes(frames: FramesToSend, buffer: ArrayBufferLike, neighbor: ArrayBufferLike | undefined): number {
  return pinnedElsewhere(frames, buffer) + (neighbor === buffer ? 0 : buffer.byteLength);
}

function costOf(frames: FramesToSend): number {
  let cost = MESSAGE_COST_BYTES + frames.length * FRAME_COST_BYTES;
  for (const frame of frames) cost += frame.length;
  return cost;
}
