// The queue of messages that wait for one peer, oldest first. It decides what `send` returns. Its owner takes the first message,
// writes it and removes it.
//
// Two bounds apply: this peer's own, at which messages for it are refused, and one for all peers (send-budget.ts). A write in progress
// counts only toward the second one. libzmq does not report what it has taken: its high-water mark bounds that.

import type { FramesToSend } from "./byte-strings.ts";
import type { LinkLimits } from "./link.ts";
import type { Holding } from "./send-budget.ts";

/** A message and a frame count as this many bytes more, so that small ones are bounded, too. */
const MESSAGE_COST_BYTES = 128;
const FRAME_COST_BYTES = 64;
/** The bound for urgent messages, as a multiple of the one for others. */
const URGENT_FACTOR = 1.125;

interface QueuedMessage {
  readonly frames: FramesToSend;
  readonly cost: number;
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
    this.#append({ frames, cost, next: undefined });
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
    this.#count(-message.cost, -1);
    return message.frames;
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

  #append(message: QueuedMessage): void {
    if (this.#last === undefined) this.#first = message;
    else this.#last.next = message;
    this.#last = message;
    this.#count(message.cost, 1);
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

function costOf(frames: FramesToSend): number {
  let cost = MESSAGE_COST_BYTES + frames.length * FRAME_COST_BYTES;
  for (const frame of frames) cost += frame.length;
  return cost;
}
