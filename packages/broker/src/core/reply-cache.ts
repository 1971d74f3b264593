// Replies that their workers allowed to be given again, for a while, to equal requests: those for the same service, as
// the client names it, with the same payload, byte for byte, as long as that name leads to the service whose worker gave
// the reply. Options are no part of it.
//
// A reply is kept whole or not at all: a stream is collected while it passes, if its worker said so from the first part
// on. Errors are never kept. What has had its time goes at that time; beyond the bounds the one goes that was asked for
// the longest ago. While nothing is kept for a service, its requests cost a look at one number.

import type { Deadline, Deadlines, Frame, FromClient, FromWorker, Instant, ServiceName } from "@pigato/protocol";
import { readBytes } from "@pigato/protocol";
import { LRUCache } from "lru-cache";
import type { CoreOptions } from "./core-options.ts";
import type { Due, Request } from "./records.ts";
import type { Services } from "./services.ts";

/** What a part and a reply are counted for beside their bytes: about what their objects take. */
const PART_BYTES = 256;
const REPLY_BYTES = 512;
/** A longer frame is found by its length and its ends; two that agree in these keep only one of their replies. */
const MAX_KEY_BYTES = 4_096;
const KEY_END_BYTES = 1_024;

type PartMessage = FromWorker & { readonly type: "partial" | "final" };

interface Part {
  readonly body: readonly Frame[];
  readonly isRaw?: boolean | undefined;
  readonly trailer: readonly Frame[];
}

export class CachedReply {
  readonly key: string;
  /** As the client named it. */
  readonly service: ServiceName;
  /** The service whose worker gave the reply. */
  readonly servedBy: ServiceName;
  /** The payload of the request that it answers. */
  readonly question: readonly Frame[];
  /** All of it, in order: the last part is the final one. */
  readonly parts: readonly Part[];
  readonly end: Deadline<Due>;

  constructor(key: string, request: Request, parts: Part[], deadlines: Deadlines<Due>) {
    const { name, place, route, body } = request;
    this.key = key;
    this.service = name;
    this.servedBy = place.at === "worker" ? place.worker.service.name : route.service.name;
    this.question = body.map(copy);
    this.parts = parts;
    this.end = deadlines.entry({ kind: "cached-reply", reply: this });
  }
}

/** The parts of a reply so far; `isWhole` is false if one of them was not, or could not be, collected. */
interface Collected {
  readonly parts: Part[];
  bytes: number;
  isWhole: boolean;
}

export class ReplyCache {
  readonly #options: CoreOptions;
  readonly #deadlines: Deadlines<Due>;
  readonly #services: Services;
  /** Made when there is the first reply to keep: it takes room for all entries at once. */
  #replies: LRUCache<string, CachedReply> | undefined;
  /** How many replies are kept of each service that has any. */
  readonly #counts = new Map<ServiceName, number>();
  readonly #collected = new Map<Request, Collected>();
  #collectedBytes = 0;

  constructor(options: CoreOptions, deadlines: Deadlines<Due>, services: Services) {
    this.#options = options;
    this.#deadlines = deadlines;
    this.#services = services;
  }

  /** How many replies are kept. */
  get size(): number {
    return this.#replies?.size ?? 0;
  }

  /**
   * The reply to give to a request instead of running it. None for one that asks for a certain worker, or that has no
   * time left.
   */
  find(message: FromClient & { readonly type: "request" }): CachedReply | undefined {
    if (this.#counts.size === 0 || !this.#counts.has(message.service)) return undefined;
    const { noCache, worker, timeoutMs } = message.options;
    if (noCache || worker !== undefined || timeoutMs === 0) return undefined;
    const reply = this.#replies?.get(keyOf(message.service, message.body));
    if (reply === undefined || !areEqual(reply.question, message.body)) return undefined;
    return this.#isCurrent(reply) ? reply : undefined;
  }

  /** Whether `onPartial` would do anything with a part that says this. */
  mayCollect({ cacheMs }: { readonly cacheMs?: number }): boolean {
    return cacheMs !== undefined || this.#collected.size > 0;
  }

  /** A part of a reply passes, before its request is told of it. */
  onPartial(request: Request, message: PartMessage): void {
    if (!this.mayCollect(message)) return;
    const collected = this.#collected.get(request);
    if (collected !== undefined) return this.#collect(collected, message);
    // What came before this part is not here: it did not say that it may be kept.
    if (request.hasPartial || !this.#mayKeep(request, message)) return;
    const begun = { parts: [], bytes: 0, isWhole: true };
    this.#collected.set(request, begun);
    this.#collect(begun, message);
  }

  /** A part was kept from its client, which is not the way to give it to others: this reply is not kept. */
  onSkipped(request: Request): void {
    const collected = this.#collected.get(request);
    if (collected === undefined) this.#collected.set(request, { parts: [], bytes: 0, isWhole: false });
    else this.#spoil(collected);
  }

  /** The end of a reply passes: it is kept, if all of it may be. */
  onFinal(request: Request, message: PartMessage, now: Instant): void {
    const collected = this.#collected.size === 0 ? undefined : this.#collected.get(request);
    this.forget(request);
    const { cacheMs } = message;
    if (cacheMs === undefined || !this.#mayKeep(request, message)) return;
    if (collected === undefined ? request.hasPartial : !collected.isWhole) return this.#replaceByNone(request);
    this.#keep(request, [...(collected?.parts ?? []), copyOf(message)], cacheMs, now);
  }

  /** A request has ended: what was collected of its reply is let go. */
  forget(request: Request): void {
    if (this.#collected.size === 0) return;
    this.#collectedBytes -= this.#collected.get(request)?.bytes ?? 0;
    this.#collected.delete(request);
  }

  /** A reply has had its time. */
  expire(reply: CachedReply): void {
    this.#replies?.delete(reply.key);
  }

  /** Throws if what is counted is not what is there. For tests. */
  assertConsistent(): void {
    let kept = 0;
    let collected = 0;
    for (const count of this.#counts.values()) kept += count;
    for (const { bytes } of this.#collected.values()) collected += bytes;
    const isRight = kept === this.size && collected === this.#collectedBytes;
    if (!isRight) throw new Error(`inconsistent: ${kept} of ${this.size} cached replies, ${collected} bytes collected`);
  }

  /**
   * P-CACHE-2: whether its name leads to where it was answered, or to nobody who would answer otherwise. Else a better
   * version, or a service of the very name, has come since.
   */
  #isCurrent({ service, servedBy }: CachedReply): boolean {
    const { service: now } = this.#services.route(service);
    return now === this.#services.nobody || now.name === servedBy;
  }

  #mayKeep(request: Request, { status, cacheMs }: PartMessage): boolean {
    if (cacheMs === undefined || status !== 0 || this.#options.cacheMaxEntries === 0) return false;
    // Who asks for a certain worker is not asking for what others get.
    return request.options.worker === undefined;
  }

  #collect(collected: Collected, message: PartMessage): void {
    if (!collected.isWhole) return;
    const bytes = sizeOf(message);
    const { cacheMaxReplyBytes, cacheMaxBytes } = this.#options;
    const fits = collected.bytes + bytes <= cacheMaxReplyBytes && this.#collectedBytes + bytes <= cacheMaxBytes;
    if (!fits || message.cacheMs === undefined || message.status !== 0) return this.#spoil(collected);
    collected.parts.push(copyOf(message));
    collected.bytes += bytes;
    this.#collectedBytes += bytes;
  }

  #spoil(collected: Collected): void {
    collected.isWhole = false;
    collected.parts.length = 0;
    this.#collectedBytes -= collected.bytes;
    collected.bytes = 0;
  }

  #keep(request: Request, parts: Part[], cacheMs: number, now: Instant): void {
    const { cacheMaxReplyBytes, cacheMaxBytes, cacheMaxEntries } = this.#options;
    let size = REPLY_BYTES + bytesOf(request.body);
    for (const part of parts) size += sizeOf(part);
    if (size > cacheMaxReplyBytes || size > cacheMaxBytes) return this.#replaceByNone(request);
    this.#replies ??= new LRUCache({
      max: cacheMaxEntries,
      maxSize: cacheMaxBytes,
      dispose: (reply) => this.#onGone(reply),
    });
    const service = request.name;
    const key = keyOf(service, request.body);
    const reply = new CachedReply(key, request, parts, this.#deadlines);
    this.#counts.set(service, (this.#counts.get(service) ?? 0) + 1);
    this.#deadlines.set(reply.end, cacheMs, now);
    this.#replies.set(key, reply, { size });
  }

  /** P-CACHE-4: what was kept for an equal request is older than the reply that has just passed. */
  #replaceByNone(request: Request): void {
    this.#replies?.delete(keyOf(request.name, request.body));
  }

  /** Its time is up, a newer one replaced it, or it had to make room. */
  #onGone(reply: CachedReply): void {
    this.#deadlines.clear(reply.end);
    const left = (this.#counts.get(reply.service) ?? 0) - 1;
    if (left > 0) this.#counts.set(reply.service, left);
    else this.#counts.delete(reply.service);
  }
}

function keyOf(service: ServiceName, body: readonly Frame[]): string {
  let key = `${service.length}:${service}`;
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

/** What is kept must not hold on to the block of memory in which it was received, with all that came beside it. */
function copyOf({ body, isRaw, trailer }: Part): Part {
  return { body: body.map(copy), isRaw, trailer: trailer.map(copy) };
}

function copy(frame: Frame): Frame {
  return new Uint8Array(frame);
}

function sizeOf({ body, trailer }: Part): number {
  return PART_BYTES + bytesOf(body) + bytesOf(trailer);
}

function bytesOf(frames: readonly Frame[]): number {
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes;
}
