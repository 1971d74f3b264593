// The queue of messages that wait for one peer, oldest first. It decides what `send` returns. Its owner takes the first message,
// writes it and removes it.
//
// Two bounds apply: this peer's own, and one for all outboxes that share a tally, so that many peers that do not read cannot take
// memory without bound. Messages that are being written are not counted: libzmq's high-water mark bounds them, or the size of one
// write.

import type { FramesToSend } from "./byte-strings.ts";
import type { LinkLimits } from "./link.ts";

/** The content of all outboxes of one link. Starts with zeros. */
export interface Tally {
  bytes: number;
  messages: number;
}

/** A frame counts as this many bytes more, so that messages of many small frames are bounded, too. */
const FRAME_COST_BYTES = 64;
/** Above so many full peers, messages for every other peer are rejected, too. */
const PEERS_AT_BOUND = 4;
/** The bound for urgent messages, as a multiple of the one for others. */
const URGENT_FACTOR = 1.125;

interface QueuedMessage {
  readonly frames: FramesToSend;
  readonly cost: number;
  next: QueuedMessage | undefined;
}

export class Outbox {
  readonly #limits: LinkLimits;
  readonly #total: Tally;
  #first: QueuedMessage | undefined;
  #last: QueuedMessage | undefined;
  #bytes = 0;
  #messages = 0;
  #owesDrain = false;

  constructor(limits: LinkLimits, total: Tally = { bytes: 0, messages: 0 }) {
    this.#limits = limits;
    this.#total = total;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
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
    const total = this.#total;
    if (total.messages > 0 && this.#exceeds(total.bytes + cost, total.messages + 1, factor * PEERS_AT_BOUND)) {
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
    this.#total.bytes += bytes;
    this.#total.messages += messages;
  }

  #exceeds(bytes: number, messages: number, factor: number): boolean {
    const { maxQueuedBytes, maxQueuedMessages } = this.#limits;
    return bytes > maxQueuedBytes * factor || messages > Math.ceil(maxQueuedMessages * factor);
  }
}

function costOf(frames: FramesToSend): number {
  let cost = frames.length * FRAME_COST_BYTES;
  for (const frame of frames) cost += frame.length;
  return cost;
}
