// An LRU cache of replies that their workers marked as cacheable, for equal requests: the same service as the client names
// it, the same method and codec, and the same payload, byte for byte, while that name leads to the service whose worker sent the
// reply. Other options do not count.
//
// A reply is cached whole or not at all: partials are collected while they pass, if the worker marked the first one.
// Errors are never cached. While nothing is cached for a service, its requests cost one comparison.

import type { Frame, RequestOptions, ServiceName } from "@pigato/protocol";
import {
  costOfFrames,
  type Deadline,
  type Deadlines,
  type Instant,
  ownFrames,
  readBytes,
} from "@pigato/protocol/internal";
import { LRUCache } from "lru-cache";
import type { CoreOptions } from "./core-options.ts";
import type { FinalMessage, PartialMessage, QueuedRequest, RequestMessage } from "./queued-request.ts";
import type { Timer } from "./timer.ts";

/** What a part and a reply count for besides their frames: about what their objects occupy. */
const PART_BYTES = 128;
const REPLY_BYTES = 512;
/** The key of a longer frame is its length and its ends. Of two frames that agree in these, one reply is cached. */
const MAX_KEY_BYTES = 4_096;
const KEY_END_BYTES = 1_024;

type PartMessage = PartialMessage | FinalMessage;

interface Part {
  readonly body: readonly Frame[];
  readonly isRaw?: boolean | undefined;
  readonly trailer: readonly Frame[];
}

export interface CachedReply {
  readonly key: string;
  /** As the client named it. */
  readonly service: ServiceName;
  /** The service whose worker sent the reply. */
  readonly servedBy: ServiceName;
  /** The payload of the request. */
  readonly requestBody: readonly Frame[];
  /** All of it, in order: the last part is the final one. */
  readonly parts: readonly Part[];
  readonly timer: Deadline<Timer>;
}

/** The partials of a reply so far; `isWhole` is false if one of them could not be collected. */
interface Collected {
  readonly parts: Part[];
  bytes: number;
  isWhole: boolean;
}

export class ReplyCache {
  readonly #options: CoreOptions;
  readonly #timers: Deadlines<Timer>;
  /** Created with the first reply, because it allocates all entries at once. */
  #replies: LRUCache<string, CachedReply> | undefined;
  /** How many replies are cached of each service that has any. */
  readonly #counts = new Map<ServiceName, number>();
  readonly #collected = new Map<QueuedRequest, Collected>();
  #collectedBytes = 0;

  constructor(options: CoreOptions, timers: Deadlines<Timer>) {
    this.#options = options;
    this.#timers = timers;
  }

  get size(): number {
    return this.#replies?.size ?? 0;
  }

  /** The reply to an equal request. None for a request that names its worker, or that has no time left. */
  find(message: RequestMessage): CachedReply | undefined {
    if (this.#counts.size === 0 || !this.#counts.has(message.service)) return undefined;
    const { noCache, worker, timeoutMs, hasInput } = message.options;
    if (noCache || hasInput || worker !== undefined || timeoutMs === 0) return undefined;
    const reply = this.#replies?.get(keyOf(message.service, message.options, message.body));
    return reply !== undefined && areEqual(reply.requestBody, message.body) ? reply : undefined;
  }

  /** Whether `collectPartial` would do anything with a partial that is marked like this. */
  mayCollect({ cacheMs }: { readonly cacheMs?: number }): boolean {
    return cacheMs !== undefined || this.#collected.size > 0;
  }

  /** A partial passes. `request.hasPartial` says whether others came before. */
  collectPartial(request: QueuedRequest, message: PartialMessage): void {
    if (!this.mayCollect(message)) return;
    const collected = this.#collected.get(request);
    if (collected !== undefined) return this.#collect(collected, message);
    // The partials before this one were not marked, so they are not here.
    if (request.hasPartial || !this.#isCacheable(request, message)) return;
    const begun = { parts: [], bytes: 0, isWhole: true };
    this.#collected.set(request, begun);
    this.#collect(begun, message);
  }

  /** The client did not get a partial, so the reply is not cached: another client may be entitled to that partial. */
  spoil(request: QueuedRequest): void {
    const collected = this.#collected.get(request);
    if (collected === undefined) this.#collected.set(request, { parts: [], bytes: 0, isWhole: false });
    else this.#release(collected);
  }

  /** The final reply passes: caches the whole reply, if all of it was marked. */
  addFinal(request: QueuedRequest, message: FinalMessage, now: Instant): void {
    const collected = this.#collected.size === 0 ? undefined : this.#collected.get(request);
    this.forget(request);
    const { cacheMs } = message;
    if (cacheMs === undefined || !this.#isCacheable(request, message)) return;
    if (collected === undefined ? request.hasPartial : !collected.isWhole) return this.#evictOlder(request);
    this.#add(request, [...(collected?.parts ?? []), copyOf(message)], cacheMs, now);
  }

  /** A request has ended: releases what was collected of its reply. */
  forget(request: QueuedRequest): void {
    if (this.#collected.size === 0) return;
    this.#collectedBytes -= this.#collected.get(request)?.bytes ?? 0;
    this.#collected.delete(request);
  }

  expire(key: string): void {
    this.#replies?.delete(key);
  }

  /** What the counters should add up to. For tests. */
  audit(): { readonly cached: number; readonly collectedBytes: number; readonly countedBytes: number } {
    let cached = 0;
    let collectedBytes = 0;
    for (const count of this.#counts.values()) cached += count;
    for (const { bytes } of this.#collected.values()) collectedBytes += bytes;
    return { cached, collectedBytes, countedBytes: this.#collectedBytes };
  }

  #isCacheable(request: QueuedRequest, { status, cacheMs }: PartMessage): boolean {
    if (cacheMs === undefined || status !== 0 || this.#options.cacheMaxEntries === 0) return false;
    // A request for one certain worker does not ask for what others get. Streamed input is not compared.
    return request.options.worker === undefined && !request.options.hasInput;
  }

  #collect(collected: Collected, message: PartMessage): void {
    if (!collected.isWhole) return;
    const bytes = sizeOf(message);
    const { cacheMaxReplyBytes, cacheMaxBytes } = this.#options;
    const fits = collected.bytes + bytes <= cacheMaxReplyBytes && this.#collectedBytes + bytes <= cacheMaxBytes;
    if (!fits || message.cacheMs === undefined || message.status !== 0) return this.#release(collected);
    collected.parts.push(copyOf(message));
    collected.bytes += bytes;
    this.#collectedBytes += bytes;
  }

  /** Gives up collecting. */
  #release(collected: Collected): void {
    collected.isWhole = false;
    collected.parts.length = 0;
    this.#collectedBytes -= collected.bytes;
    collected.bytes = 0;
  }

  #add(request: QueuedRequest, parts: Part[], cacheMs: number, now: Instant): void {
    const { cacheMaxReplyBytes, cacheMaxBytes, cacheMaxEntries } = this.#options;
    let size = REPLY_BYTES + costOfFrames(request.body);
    for (const part of parts) size += sizeOf(part);
    if (size > cacheMaxReplyBytes || size > cacheMaxBytes) return this.#evictOlder(request);
    this.#replies ??= new LRUCache({
      max: cacheMaxEntries,
      maxSize: cacheMaxBytes,
      dispose: (reply) => this.#onEvicted(reply),
    });
    const { name: service, location, route, options, body } = request;
    const key = keyOf(service, options, body);
    const servedBy = location.at === "worker" ? location.registration.name : route.service.name;
    const timer = this.#timers.entry({ kind: "cached-reply", key });
    const reply = { key, service, servedBy, requestBody: ownFrames(body), parts, timer };
    this.#counts.set(service, (this.#counts.get(service) ?? 0) + 1);
    this.#timers.set(timer, cacheMs, now);
    this.#replies.set(key, reply, { size });
  }

  /** P-CACHE-4: a cached reply to an equal request is older than the reply that just passed. */
  #evictOlder(request: QueuedRequest): void {
    this.#replies?.delete(keyOf(request.name, request.options, request.body));
  }

  /** It expired, a newer reply replaced it, or it made room. */
  #onEvicted(reply: CachedReply): void {
    this.#timers.clear(reply.timer);
    const left = (this.#counts.get(reply.service) ?? 0) - 1;
    if (left > 0) this.#counts.set(reply.service, left);
    else this.#counts.delete(reply.service);
  }
}

function keyOf(service: ServiceName, options: RequestOptions, body: readonly Frame[]): string {
  const { method, hasArgs, codec, accept } = options;
  let key = `${service.length}:${service}`;
  // Also of a client that did not negotiate `methods`: its worker may read them (P-CACHE-2).
  if (method !== undefined || codec !== undefined || accept !== undefined)
    key += `${JSON.stringify([method, hasArgs, codec, accept])}`;
  for (const frame of body) key += `${frame.length}:${sampleOf(frame)}`;
  return key;
}

function sampleOf(frame: Frame): string {
  if (frame.length <= MAX_KEY_BYTES) return readBytes(frame);
  return readBytes(frame.subarray(0, KEY_END_BYTES)) + readBytes(frame.subarray(-KEY_END_BYTES));
}

function areEqual(left: readonly Frame[], right: readonly Frame[]): boolean {
  if (left.length !== right.length) return false;
  return left.every((frame, index) => {
    const other = right[index];
    return other !== undefined && Buffer.compare(frame, other) === 0;
  });
}

function copyOf({ body, isRaw, trailer }: Part): Part {
  return { body: ownFrames(body), isRaw, trailer: ownFrames(trailer) };
}

function sizeOf({ body, trailer }: Part): number {
  return PART_BYTES + costOfFrames(body) + costOfFrames(trailer);
}
