// The reply cache: which cached replies the broker may send, and which it must send while the bounds of the cache are out
// of reach.

import type { FromWorker, RequestOptions } from "@pigato/protocol";
import { type Instant, readBytes } from "@pigato/protocol/internal";
import type { CoreOptions } from "../core-options.ts";
import type { ModelNames } from "./model-names.ts";
import { invariant, type ModelRequest, type RequestMessage } from "./model-records.ts";

type Part = Pick<FromWorker & { readonly type: "partial" }, "body" | "trailer">;
type PartMessage = FromWorker & { readonly type: "partial" | "final" };

interface CachedReply {
  readonly parts: readonly Part[];
  readonly endAt: Instant;
  /** The service whose worker sent it. */
  readonly servedBy: string | undefined;
}

export class CacheChecks {
  readonly #names: ModelNames;
  /** Whether the cache may have evicted a reply to make room. */
  readonly #isBounded: boolean;
  readonly #cached = new Map<string, CachedReply>();
  /** The parts so far of each reply that has begun; `undefined` if it must not be cached. */
  readonly #partials = new Map<ModelRequest, Part[] | undefined>();

  constructor({ cacheMaxEntries, cacheMaxBytes, cacheMaxReplyBytes }: CoreOptions, names: ModelNames) {
    this.#names = names;
    this.#isBounded = cacheMaxEntries < 1_000 || cacheMaxBytes < 1_000_000 || cacheMaxReplyBytes < 100_000;
  }

  /** @param isDelivered whether the client gets the part */
  seePart(request: ModelRequest, message: PartMessage, isDelivered: boolean, now: Instant): void {
    const { body, trailer, status, cacheMs } = message;
    const parts = this.#partials.has(request) ? this.#partials.get(request) : [];
    const { worker, hasInput } = request.options;
    const mayShare = worker === undefined && !hasInput;
    const isCacheable = isDelivered && cacheMs !== undefined && status === 0 && mayShare;
    if (message.type === "partial") {
      this.#partials.set(request, isCacheable && parts ? [...parts, { body, trailer }] : undefined);
      return;
    }
    this.#partials.delete(request);
    if (!isCacheable) return;
    const key = keyOf(request.service, request.options, request.frame);
    if (parts === undefined) {
      this.#cached.delete(key);
      return;
    }
    this.#cached.set(key, {
      parts: [...parts, { body, trailer }],
      endAt: now + cacheMs,
      servedBy: request.servedBy,
    });
  }

  /** The parts of the cached reply to a request; `undefined` if a worker must run it. */
  replyTo({ service, body, options }: RequestMessage, now: Instant): readonly Part[] | undefined {
    if (options.noCache || options.hasInput || options.worker !== undefined || options.timeoutMs === 0)
      return undefined;
    const reply = this.#cached.get(keyOf(service, options, body[0]));
    const isCurrent = [undefined, reply?.servedBy].includes(this.#names.servedAs(service));
    return reply !== undefined && reply.endAt > now && isCurrent ? reply.parts : undefined;
  }

  /** The broker gave a request to a worker. */
  checkMiss(request: RequestMessage, now: Instant): void {
    invariant(
      this.#isBounded || this.replyTo(request, now) === undefined,
      `${request.requestId} was dispatched although its reply is cached`,
    );
  }
}

function keyOf(
  service: string,
  { method, hasArgs, codec, accept }: RequestOptions,
  frame: Uint8Array | undefined,
): string {
  const call = JSON.stringify([method, hasArgs, codec, accept]);
  return `${service} ${call} ${frame === undefined ? "" : readBytes(frame)}`;
}
