// What waits for one peer, oldest first, and the answer that `send` gives for it. Nothing here writes or keeps time:
// whoever owns an outbox takes the first message, writes it and removes it.
//
// Two bounds hold at once: this peer's own, and that of all outboxes which share a tally, so that many peers that
// never read cannot together take what one may not. Messages that are being written are not counted: libzmq's
// high-water marks bound them, or the size of one write.

import type { FramesToSend } from "./frames-to-send.ts";
import type { LinkLimits } from "./link.ts";

/** What all outboxes of one link hold together. Start one with zeroes. */
export interface Tally {
  bytes: number;
  messages: number;
}

/** What one frame costs beyond its bytes, so that messages of very many small frames are bounded too. */
const FRAME_COST_BYTES = 64;
/** How many peers may be at their bound before a message for any other is refused as well. */
const PEERS_AT_BOUND = 4;
/** The bound for urgent messages, as a multiple of the one for others. */
const URGENT_STRETCH = 1.125;

interface Waiting {
  readonly frames: FramesToSend;
  readonly cost: number;
  next: Waiting | undefined;
}

export class Outbox {
  readonly #limits: LinkLimits;
  readonly #total: Tally;
  #first: Waiting | undefined;
  #last: Waiting | undefined;
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

  /** Appends a message unless a bound forbids it. A peer that nothing waits for may get one message of any size. */
  offer(frames: FramesToSend, isUrgent: boolean): "queued" | "slow" | "congested" {
    const cost = costOf(frames);
    const stretch = isUrgent ? URGENT_STRETCH : 1;
    if (!this.isEmpty && this.#exceeds(this.#bytes + cost, this.#messages + 1, stretch)) {
      this.#owesDrain = true;
      return "congested";
    }
    const total = this.#total;
    if (total.messages > 0 && this.#exceeds(total.bytes + cost, total.messages + 1, stretch * PEERS_AT_BOUND)) {
      return "congested";
    }
    this.#append({ frames, cost, next: undefined });
    if (this.#bytes <= this.#limits.slowBytes) return "queued";
    this.#owesDrain = true;
    return "slow";
  }

  /** Takes out the oldest message. */
  shift(): FramesToSend | undefined {
    const waiting = this.#first;
    if (waiting === undefined) return undefined;
    this.#first = waiting.next;
    if (waiting.next === undefined) this.#last = undefined;
    this.#count(-waiting.cost, -1);
    return waiting.frames;
  }

  /** Whether the peer was told to be slow or congested and has caught up: half of what made it so is gone. Once. */
  takeDrained(): boolean {
    const { slowBytes, maxQueuedMessages } = this.#limits;
    if (!this.#owesDrain || this.#bytes > slowBytes / 2 || this.#messages > maxQueuedMessages / 2) return false;
    this.#owesDrain = false;
    return true;
  }

  #append(waiting: Waiting): void {
    if (this.#last === undefined) this.#first = waiting;
    else this.#last.next = waiting;
    this.#last = waiting;
    this.#count(waiting.cost, 1);
  }

  #count(bytes: number, messages: number): void {
    this.#bytes += bytes;
    this.#messages += messages;
    this.#total.bytes += bytes;
    this.#total.messages += messages;
  }

  #exceeds(bytes: number, messages: number, stretch: number): boolean {
    const { maxQueuedBytes, maxQueuedMessages } = this.#limits;
    return bytes > maxQueuedBytes * stretch || messages > Math.ceil(maxQueuedMessages * stretch);
  }
}

function costOf(frames: FramesToSend): number {
  let cost = frames.length * FRAME_COST_BYTES;
  for (const frame of frames) cost += frame.length;
  return cost;
}
