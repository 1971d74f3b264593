// Replies: a reply reaches only the client whose request its worker holds, unchanged and once, or it comes from the cache.

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
  readonly #heldReplies: HeldReplyChecks;
  readonly #cache: CacheChecks;
  /** What the client of the request must get before the current input ends, in order. */
  #expected: string[] = [];
  /** The rest of a reply from the cache. */
  #fromCache: string[] = [];
  /** How many requests were answered from the cache so far. */
  cached = 0;
  /** How many requests were answered so far, from the cache or by workers, except persistent ones. */
  answered = 0;

  constructor(model: Model, heldReplies: HeldReplyChecks) {
    this.#model = model;
    this.#heldReplies = heldReplies;
    this.#cache = new CacheChecks(model.options, model.names);
  }

  before(): void {
    this.#expected = [];
  }

  /** A worker sent a message. */
  beforeMessage(worker: ModelWorker | undefined, message: FromWorker): void {
    const request = this.#model.heldUnder(worker, message);
    if (request === undefined) return;
    if (message.type === "partials") return this.#beforePartials(request, message);
    if (message.type === "partial" || message.type === "final") this.#beforePart(request, message);
  }

  /** P-REP-9: each chunk is a partial; a client that negotiated partials gets all of them as one message. */
  #beforePartials(request: ModelRequest, message: FromWorker & { readonly type: "partials" }): void {
    const { address, requestId, chunks, options, cacheMs } = message;
    const isWhole = this.#model.clients.get(request.client)?.capabilities.partials === true;
    for (const chunk of chunks) {
      const part = { type: "partial" as const, address, requestId, status: 0, body: [chunk], trailer: [options] };
      this.#beforePart(request, cacheMs === undefined ? part : { ...part, cacheMs }, isWhole);
    }
    if (!isWhole) return;
    if (request.options.persist && this.#heldReplies.mustHold(request)) return;
    this.#expected = [lineOf(request.client, { type: "partials", requestId: request.id, chunks, options })];
  }

  /** @param isWhole whether the client gets it within one message of several partials, also if it is `null` */
  #beforePart(
    request: ModelRequest,
    message: FromWorker & { readonly type: "partial" | "final" },
    isWhole = false,
  ): void {
    const isHeld = request.options.persist && this.#heldReplies.mustHold(request);
    const isTaken = isWhole || this.#takes(request.client, message.body[0]);
    const isDelivered = isHeld || message.type === "final" || isTaken;
    this.#cache.seePart(request, message, isDelivered, this.#model.now);
    if (message.type === "partial") {
      request.restartTimeout(this.#model.now);
      if (!isDelivered) return;
      request.hasPartial = true;
    }
    const { type, status, body, trailer } = message;
    const line = lineOf(request.client, { type, requestId: request.id, status, body, trailer });
    if (isHeld) this.#heldReplies.hold(request, line, type === "partial" && isNull(body[0]));
    else this.#expected.push(line);
    if (message.type !== "final") return;
    if (!request.options.persist) {
      if (status === 0) this.answered += 1;
      return this.#model.close(request);
    }
    this.#heldReplies.complete(request);
    if (!isHeld) this.#heldReplies.seeSent(request, line);
  }

  seeReply(to: PeerId, message: PartMessage): void {
    const line = lineOf(to, message);
    if (this.#fromCache.length > 0) {
      const next = this.#fromCache.shift();
      return invariant(next === line, `${to} got ${toClientLine(message)} and not ${next}`);
    }
    if (this.#expected[0] !== line && this.#heldReplies.seeHeldLine(to, message.requestId, line)) return;
    invariant(this.#expected.shift() === line, `${to} got ${toClientLine(message)}, which no worker sent`);
  }

  seeCached({ client, requestId: id }: BrokerEvent & { readonly type: "request-cached" }): void {
    const { input, arriving, now } = this.#model;
    const request = input.type === "from-client" ? input.message : undefined;
    if (request?.type !== "request" || arriving?.client !== client || arriving.id !== id) {
      return invariant(false, `${id} of ${client} was answered from the cache and is not the current request`);
    }
    const parts = this.#cache.replyTo(request, now);
    if (parts === undefined) return invariant(false, `${id} was answered from the cache, which has no reply to it`);
    this.#model.arriving = undefined;
    this.#model.accepted += 1;
    this.cached += 1;
    this.answered += 1;
    const last = parts.length - 1;
    for (const [index, { body, trailer }] of parts.entries()) {
      const type = index === last ? "final" : "partial";
      if (type === "partial" && !this.#takes(client, body[0])) continue;
      this.#fromCache.push(lineOf(client, { type, requestId: request.requestId, status: 0, body, trailer }));
    }
  }

  after(): void {
    const { input, hasAccepted, now } = this.#model;
    invariant(this.#expected.length === 0, `the reply ${this.#expected[0]} was not sent`);
    invariant(this.#fromCache.length === 0, `${this.#fromCache[0]} is missing from a cached reply`);
    if (hasAccepted && input.type === "from-client" && input.message.type === "request")
      this.#cache.checkMiss(input.message, now);
  }

  /** How many partials of a message the client does not get. */
  droppedIn(worker: ModelWorker | undefined, message: FromWorker): number {
    const request = this.#model.heldUnder(worker, message);
    if (request === undefined) return 0;
    if (message.type === "partial") return this.#takes(request.client, message.body[0]) ? 0 : 1;
    if (message.type !== "partials" || this.#model.clients.get(request.client)?.capabilities.partials) return 0;
    return message.chunks.filter((chunk) => !this.#takes(request.client, chunk)).length;
  }

  /** P-REP-5: a client that did not negotiate errors does not get a `null` partial. */
  #takes(client: PeerId, frame: Uint8Array | undefined): boolean {
    return this.#model.takesErrors(client) || !isNull(frame);
  }
}

function isNull(frame: Uint8Array | undefined): boolean {
  return frame === undefined || frame.length === 0 || String.fromCharCode(...frame) === "null";
}

function lineOf(client: PeerId, message: PartMessage): string {
  const more = message.type === "partials" ? 1 : message.trailer.length;
  return `${client}: ${toClientLine(message)} +${more}`;
}
