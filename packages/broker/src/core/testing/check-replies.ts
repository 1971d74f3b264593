// Replies: a reply reaches only the client whose request its worker holds, unchanged and once; or it comes from the cache.

import type { FromWorker, PeerId, ToClient } from "@pigato/protocol";
import type { BrokerEvent } from "../effects.ts";
import { CacheChecks } from "./check-cache.ts";
import type { HeldReplyChecks } from "./check-held-replies.ts";
import { toClientLine } from "./lines.ts";
import type { Model } from "./model.ts";
import { invariant, type ModelRequest, type ModelWorker } from "./model-records.ts";

type PartMessage = ToClient & { readonly type: "partial" | "partials" | "final" };

export class ReplyChecks {
  readonly #model: Model;
  readonly #answers: HeldReplyChecks;
  readonly #cache: CacheChecks;
  /** What the client of the request must get before the input at hand is over, in order. */
  #awaited: string[] = [];
  /** What is left to come of a reply from the cache. */
  #fromCache: string[] = [];
  /** How many requests were answered from the cache so far. */
  cached = 0;

  constructor(model: Model, answers: HeldReplyChecks) {
    this.#model = model;
    this.#answers = answers;
    this.#cache = new CacheChecks(model.options, model.names);
  }

  before(): void {
    this.#awaited = [];
  }

  /** A worker has said something. */
  beforeMessage(worker: ModelWorker | undefined, message: FromWorker): void {
    const request = this.#model.heldUnder(worker, message);
    if (request === undefined) return;
    if (message.type === "partials") return this.#beforePartials(request, message);
    if (message.type === "partial" || message.type === "final") this.#beforePart(request, message);
  }

  /** P-REP-9: they are as many partial replies, which a client that negotiated it gets as one message. */
  #beforePartials(request: ModelRequest, message: FromWorker & { readonly type: "partials" }): void {
    const { address, requestId, chunks, options, cacheMs } = message;
    for (const chunk of chunks) {
      const part = { type: "partial" as const, address, requestId, status: 0, body: [chunk], trailer: [options] };
      this.#beforePart(request, cacheMs === undefined ? part : { ...part, cacheMs });
    }
    if (!this.#model.clients.get(request.client)?.capabilities.partials) return;
    if (request.options.persist && this.#answers.isHeldBack(request)) return;
    this.#awaited = [lineOf(request.client, { type: "partials", requestId: request.id, chunks, options })];
  }

  #beforePart(request: ModelRequest, message: FromWorker & { readonly type: "partial" | "final" }): void {
    const isHeld = request.options.persist && this.#answers.isHeldBack(request);
    const isTaken = isHeld || message.type === "final" || this.#takes(request.client, message.body[0]);
    this.#cache.sawPart(request, message, isTaken, this.#model.now);
    if (message.type === "partial") {
      request.deadlineAt = this.#model.now + request.options.timeoutMs;
      if (!isTaken) return;
      request.hasPartial = true;
    }
    const { type, status, body, trailer } = message;
    const line = lineOf(request.client, { type, requestId: request.id, status, body, trailer });
    if (isHeld) this.#answers.hold(request, line, type === "partial" && isNull(body[0]));
    else this.#awaited.push(line);
    if (message.type !== "final") return;
    if (!request.options.persist) return this.#model.close(request);
    this.#answers.answer(request);
    if (!isHeld) this.#answers.give(request, line);
  }

  seeReply(to: PeerId, message: PartMessage): void {
    const line = lineOf(to, message);
    if (this.#fromCache.length > 0) {
      const next = this.#fromCache.shift();
      return invariant(next === line, `${to} got ${toClientLine(message)} and not ${next}`);
    }
    if (this.#awaited[0] !== line && this.#answers.seeGiven(to, message.requestId, line)) return;
    invariant(this.#awaited.shift() === line, `${to} got ${toClientLine(message)}, which nobody sent it`);
  }

  seeCached({ client, requestId: id }: BrokerEvent & { readonly type: "request-cached" }): void {
    const { input, arriving, now } = this.#model;
    const asked = input.type === "from-client" ? input.message : undefined;
    if (asked?.type !== "request" || arriving?.client !== client || arriving.id !== id) {
      return invariant(false, `${id} of ${client} was answered from the cache and did not just come`);
    }
    const parts = this.#cache.answerTo(asked, now);
    if (parts === undefined) return invariant(false, `${id} was answered from a cache that has no reply to it`);
    this.#model.arriving = undefined;
    this.#model.accepted += 1;
    this.cached += 1;
    const last = parts.length - 1;
    for (const [index, { body, trailer }] of parts.entries()) {
      const type = index === last ? "final" : "partial";
      if (type === "partial" && !this.#takes(client, body[0])) continue;
      this.#fromCache.push(lineOf(client, { type, requestId: asked.requestId, status: 0, body, trailer }));
    }
  }

  after(): void {
    const { input, hasAccepted, now } = this.#model;
    invariant(this.#awaited.length === 0, `the reply ${this.#awaited[0]} reached nobody`);
    invariant(this.#fromCache.length === 0, `${this.#fromCache[0]} was cut from a cached reply`);
    if (hasAccepted && input.type === "from-client" && input.message.type === "request")
      this.#cache.missed(input.message, now);
  }

  /** How many parts a message has that its client does not get. */
  dropsOf(worker: ModelWorker | undefined, message: FromWorker): number {
    const request = this.#model.heldUnder(worker, message);
    if (request === undefined) return 0;
    if (message.type === "partial") return this.#takes(request.client, message.body[0]) ? 0 : 1;
    if (message.type !== "partials" || this.#model.clients.get(request.client)?.capabilities.partials) return 0;
    return message.chunks.filter((chunk) => !this.#takes(request.client, chunk)).length;
  }

  /** P-REP-5: an old client does not get a `null` part. */
  #takes(client: PeerId, frame: Uint8Array | undefined): boolean {
    return this.#model.isTyped(client) || !isNull(frame);
  }
}

function isNull(frame: Uint8Array | undefined): boolean {
  return frame === undefined || frame.length === 0 || String.fromCharCode(...frame) === "null";
}

function lineOf(client: PeerId, message: PartMessage): string {
  const more = message.type === "partials" ? 1 : message.trailer.length;
  return `${client}: ${toClientLine(message)} +${more}`;
}
