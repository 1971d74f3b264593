// Held replies to persistent requests, counted against the bounds of one client and of all. Decides whether there is room;
// held-replies.ts decides what happens to a reply without room.

import type { FailureCode, ToClient } from "@pigato/protocol";
import { costOfFrames, type Deadlines, ownFrames } from "@pigato/protocol/internal";
import type { HeldUsage } from "./client-record.ts";
import type { CoreOptions } from "./core-options.ts";
import type { ClientRecord, QueuedRequest } from "./queued-request.ts";
import { RequestList } from "./request-list.ts";
import type { Timer } from "./timer.ts";

/** The fixed cost of a reply and of each of its messages besides their frames: about the memory of their objects. */
const REPLY_BYTES = 512;
const MESSAGE_BYTES = 128;

export type ReplyMessage = ToClient & { readonly type: "partial" | "final" | "failure" };

/** Why a reply cannot be delivered whole: it was too large to hold, or an earlier connection got a part of it. */
export type LossReason = "BUSY" | "BROKER_LOST" | "INVALID";

export interface HeldReply {
  readonly request: QueuedRequest;
  messages: ReplyMessage[];
  /** Its cost; 0 if it is not held. */
  bytes: number;
  loss: LossReason | undefined;
  /** The failure that ends it, if there is one. */
  code: FailureCode | undefined;
  isComplete: boolean;
}

export function newReply(request: QueuedRequest): HeldReply {
  return { request, messages: [], bytes: 0, loss: undefined, code: undefined, isComplete: false };
}

export class HeldReplyTable {
  /** Replies that were sent, while it is unknown whether the connection took them. */
  readonly sent: Map<QueuedRequest, HeldReply> = new Map();
  readonly #options: CoreOptions;
  readonly #timers: Deadlines<Timer>;
  /** Includes running requests whose reply can no longer be held. */
  readonly #held = new Map<QueuedRequest, HeldReply>();
  /** The requests with complete replies, in order of completion. */
  readonly #complete = new RequestList<QueuedRequest>();
  /** How many replies hold a message, and what they count for. */
  #size = 0;
  #bytes = 0;

  constructor(options: CoreOptions, timers: Deadlines<Timer>) {
    this.#options = options;
    this.#timers = timers;
  }

  /** How many replies are held, complete or not. */
  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(request: QueuedRequest): HeldReply | undefined {
    return this.#held.get(request);
  }

  has(request: QueuedRequest): boolean {
    return this.#held.has(request);
  }

  values(): IterableIterator<HeldReply> {
    return this.#held.values();
  }

  /** The requests with complete replies, in order of completion. */
  get complete(): RequestList<QueuedRequest> {
    return this.#complete;
  }

  /** What is held for one client. */
  usageOf(client: ClientRecord): HeldUsage {
    client.held ??= { replies: 0, bytes: 0, timer: this.#timers.entry({ kind: "held-replies", client: client.id }) };
    return client.held;
  }

  begin(request: QueuedRequest): HeldReply {
    const reply = newReply(request);
    this.#held.set(request, reply);
    return reply;
  }

  /** No message follows. */
  setComplete(reply: HeldReply): void {
    reply.isComplete = true;
    this.#complete.append(reply.request);
  }

  /** Whether a message fits within the bounds of one client and of one reply. */
  fitsClient(reply: HeldReply, message: ReplyMessage): boolean {
    const { maxHeldReplies, maxHeldBytes, maxHeldRepliesPerClient, maxHeldBytesPerClient } = this.#options;
    const bytes = costOf(reply, message);
    const { held } = reply.request.client;
    if (reply.bytes + bytes > maxHeldBytes || (held?.bytes ?? 0) + bytes > maxHeldBytesPerClient) return false;
    return reply.messages.length > 0 || ((held?.replies ?? 0) < maxHeldRepliesPerClient && maxHeldReplies > 0);
  }

  /** Whether a message fits within the bounds of all replies. */
  hasRoom(reply: HeldReply, message: ReplyMessage): boolean {
    const { maxHeldReplies, maxHeldBytes } = this.#options;
    const isNew = reply.messages.length === 0;
    return this.#bytes + costOf(reply, message) <= maxHeldBytes && !(isNew && this.#size >= maxHeldReplies);
  }

  /** Whether the client of a reply would hold more than the client of another one, by the bound that is reached. */
  holdsMore(reply: HeldReply, message: ReplyMessage, other: HeldReply): boolean {
    const [one, another] = [reply.request.client, other.request.client];
    if (one === another) return false;
    const [own, others] = [this.usageOf(one), this.usageOf(another)];
    const isNew = reply.messages.length === 0;
    if (isNew && this.#size >= this.#options.maxHeldReplies) return own.replies + 1 > others.replies;
    return own.bytes + costOf(reply, message) > others.bytes;
  }

  add(reply: HeldReply, message: ReplyMessage): void {
    const bytes = costOf(reply, message);
    this.#count(reply, reply.messages.length === 0 ? 1 : 0, bytes);
    reply.messages.push(copyOf(message));
    reply.bytes += bytes;
  }

  /** Releases the messages of a reply. */
  clear(reply: HeldReply): void {
    if (reply.messages.length > 0) this.#count(reply, -1, -reply.bytes);
    reply.messages = [];
    reply.bytes = 0;
  }

  /** Removes a reply, with its messages. */
  take(request: QueuedRequest): HeldReply | undefined {
    const reply = this.#held.get(request);
    if (reply === undefined) return undefined;
    this.#held.delete(request);
    if (reply.isComplete) this.#complete.remove(request);
    if (reply.messages.length > 0) this.#count(reply, -1, -reply.bytes);
    reply.isComplete = false;
    reply.bytes = 0;
    return reply;
  }

  /** A request has ended: releases its reply, wherever it is. */
  forget(request: QueuedRequest): void {
    this.sent.delete(request);
    this.take(request);
  }

  #count(reply: HeldReply, replies: number, bytes: number): void {
    const usage = this.usageOf(reply.request.client);
    usage.replies += replies;
    usage.bytes += bytes;
    this.#size += replies;
    this.#bytes += bytes;
  }
}

/** What one more message adds. */
function costOf(reply: HeldReply, message: ReplyMessage): number {
  const bytes = message.type === "failure" ? 0 : costOfFrames(message.body) + costOfFrames(message.trailer);
  return bytes + MESSAGE_BYTES + (reply.messages.length === 0 ? REPLY_BYTES : 0);
}

/** With frames of its own, which do not keep the read buffer alive. */
function copyOf(message: ReplyMessage): ReplyMessage {
  if (message.type === "failure") return message;
  return { ...message, body: ownFrames(message.body), trailer: ownFrames(message.trailer) };
}
