// A reply reaches only the client whose request its worker holds, as it was sent, once; or it is what the cache may give.

import type { FromWorker, PeerId, ToClient } from "@pigato/protocol";
import type { BrokerEvent } from "../effects.ts";
import type { Books } from "./books.ts";
import { toClientLine } from "./transcript.ts";
import { promise, type WatchedRequest, type WatchedWorker } from "./watched.ts";
import type { WatchedAnswers } from "./watched-answers.ts";
import { WatchedCache } from "./watched-cache.ts";

type PartMessage = ToClient & { readonly type: "partial" | "partials" | "final" };

export class WatchedReplies {
  readonly #books: Books;
  readonly #answers: WatchedAnswers;
  readonly #cache: WatchedCache;
  /** What the client of the request must get before the input at hand is over, in order. */
  #awaited: string[] = [];
  /** What is left to come of a reply from the cache. */
  #fromCache: string[] = [];
  /** How many requests were answered from the cache so far. */
  cached = 0;

  constructor(books: Books, answers: WatchedAnswers) {
    this.#books = books;
    this.#answers = answers;
    this.#cache = new WatchedCache(books.options, books.names);
  }

  before(): void {
    this.#awaited = [];
  }

  /** A worker has said something. */
  beforeMessage(worker: WatchedWorker | undefined, message: FromWorker): void {
    const request = this.#books.heldUnder(worker, message);
    if (request === undefined) return;
    if (message.type === "partials") return this.#beforePartials(request, message);
    if (message.type === "partial" || message.type === "final") this.#beforePart(request, message);
  }

  /** P-REP-9: they are as many partial replies, which a client that negotiated it gets as one message. */
  #beforePartials(request: WatchedRequest, message: FromWorker & { readonly type: "partials" }): void {
    const { address, requestId, chunks, options, cacheMs } = message;
    for (const chunk of chunks) {
      const part = { type: "partial" as const, address, requestId, status: 0, body: [chunk], trailer: [options] };
      this.#beforePart(request, cacheMs === undefined ? part : { ...part, cacheMs });
    }
    if (!this.#books.clients.get(request.client)?.capabilities.partials) return;
    if (request.options.persist && this.#answers.isHeldBack(request)) return;
    this.#awaited = [lineOf(request.client, { type: "partials", requestId: request.id, chunks, options })];
  }

  #beforePart(request: WatchedRequest, message: FromWorker & { readonly type: "partial" | "final" }): void {
    const isHeld = request.options.persist && this.#answers.isHeldBack(request);
    const isTaken = isHeld || message.type === "final" || this.#takes(request.client, message.body[0]);
    this.#cache.sawPart(request, message, isTaken, this.#books.now);
    if (message.type === "partial") {
      request.deadlineAt = this.#books.now + request.options.timeoutMs;
      if (!isTaken) return;
      request.hasPartial = true;
    }
    const { type, status, body, trailer } = message;
    const line = lineOf(request.client, { type, requestId: request.id, status, body, trailer });
    if (isHeld) this.#answers.hold(request, line, type === "partial" && isNull(body[0]));
    else this.#awaited.push(line);
    if (message.type !== "final") return;
    if (!request.options.persist) return this.#books.close(request);
    this.#answers.answer(request);
    if (!isHeld) this.#answers.give(request, line);
  }

  seeReply(to: PeerId, message: PartMessage): void {
    const line = lineOf(to, message);
    if (this.#fromCache.length > 0) {
      const next = this.#fromCache.shift();
      return promise(next === line, `${to} got ${toClientLine(message)} and not ${next}`);
    }
    if (this.#awaited[0] !== line && this.#answers.seeGiven(to, message.requestId, line)) return;
    promise(this.#awaited.shift() === line, `${to} got ${toClientLine(message)}, which nobody sent it`);
  }

  seeCached({ client, requestId: id }: BrokerEvent & { readonly type: "request-cached" }): void {
    const { input, arriving, now } = this.#books;
    const asked = input.type === "from-client" ? input.message : undefined;
    if (asked?.type !== "request" || arriving?.client !== client || arriving.id !== id) {
      return promise(false, `${id} of ${client} was answered from the cache and did not just come`);
    }
    const parts = this.#cache.answerTo(asked, now);
    if (parts === undefined) return promise(false, `${id} was answered from a cache that has no reply to it`);
    this.#books.arriving = undefined;
    this.#books.accepted += 1;
    this.cached += 1;
    const last = parts.length - 1;
    for (const [index, { body, trailer }] of parts.entries()) {
      const type = index === last ? "final" : "partial";
      if (type === "partial" && !this.#takes(client, body[0])) continue;
      this.#fromCache.push(lineOf(client, { type, requestId: asked.requestId, status: 0, body, trailer }));
    }
  }

  after(): void {
    const { input, hasAccepted, now } = this.#books;
    promise(this.#awaited.length === 0, `the reply ${this.#awaited[0]} reached nobody`);
    promise(this.#fromCache.length === 0, `${this.#fromCache[0]} was cut from a cached reply`);
    if (hasAccepted && input.type === "from-client" && input.message.type === "request")
      this.#cache.missed(input.message, now);
  }

  /** How many parts a message has that its client does not get. */
  dropsOf(worker: WatchedWorker | undefined, message: FromWorker): number {
    const request = this.#books.heldUnder(worker, message);
    if (request === undefined) return 0;
    if (message.type === "partial") return this.#takes(request.client, message.body[0]) ? 0 : 1;
    if (message.type !== "partials" || this.#books.clients.get(request.client)?.capabilities.partials) return 0;
    return message.chunks.filter((chunk) => !this.#takes(request.client, chunk)).length;
  }

  /** P-REP-5: an old client does not get a `null` part. */
  #takes(client: PeerId, frame: Uint8Array | undefined): boolean {
    return this.#books.isTyped(client) || !isNull(frame);
  }
}

function isNull(frame: Uint8Array | undefined): boolean {
  return frame === undefined || frame.length === 0 || String.fromCharCode(...frame) === "null";
}

function lineOf(client: PeerId, message: PartMessage): string {
  const more = message.type === "partials" ? 1 : message.trailer.length;
  return `${client}: ${toClientLine(message)} +${more}`;
}
