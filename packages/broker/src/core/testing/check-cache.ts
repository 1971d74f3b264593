// What an observer knows of cached replies: which of them the broker may send again, and which it must, as long as the
// bounds of the cache are out of reach.

import type { FromClient, FromWorker } from "@pigato/protocol";
import { type Instant, readBytes } from "@pigato/protocol/internal";
import type { CoreOptions } from "../core-options.ts";
import type { ModelNames } from "./model-names.ts";
import { invariant, type ModelRequest } from "./model-records.ts";

type Asked = FromClient & { readonly type: "request" };
type Part = Pick<FromWorker & { readonly type: "partial" }, "body" | "trailer">;
type PartMessage = FromWorker & { readonly type: "partial" | "final" };

interface Kept {
  readonly parts: readonly Part[];
  readonly endAt: Instant;
  /** What its worker offers. */
  readonly servedBy: string | undefined;
}

export class CacheChecks {
  readonly #names: ModelNames;
  /** Whether it may have lost a reply to make room. */
  readonly #isBounded: boolean;
  readonly #kept = new Map<string, Kept>();
  /** The parts so far of each reply that has begun; `undefined` if it must not be kept. */
  readonly #begun = new Map<ModelRequest, Part[] | undefined>();

  constructor({ cacheMaxEntries, cacheMaxBytes, cacheMaxReplyBytes }: CoreOptions, names: ModelNames) {
    this.#names = names;
    this.#isBounded = cacheMaxEntries < 1_000 || cacheMaxBytes < 1_000_000 || cacheMaxReplyBytes < 100_000;
  }

  /** @param isTaken whether its client gets the part */
  sawPart(request: ModelRequest, message: PartMessage, isTaken: boolean, now: Instant): void {
    const { body, trailer, status, cacheMs } = message;
    const parts = this.#begun.has(request) ? this.#begun.get(request) : [];
    const isFine = isTaken && cacheMs !== undefined && status === 0 && request.options.worker === undefined;
    if (message.type === "partial") {
      this.#begun.set(request, isFine && parts ? [...parts, { body, trailer }] : undefined);
      return;
    }
    this.#begun.delete(request);
    if (!isFine) return;
    const key = keyOf(request.service, request.frame);
    if (parts === undefined) {
      this.#kept.delete(key);
      return;
    }
    this.#kept.set(key, {
      parts: [...parts, { body, trailer }],
      endAt: now + cacheMs,
      servedBy: request.holder?.service,
    });
  }

  /** The parts that this request may be answered with; none if it must be run. */
  answerTo({ service, body, options }: Asked, now: Instant): readonly Part[] | undefined {
    if (options.noCache || options.worker !== undefined || options.timeoutMs === 0) return undefined;
    const kept = this.#kept.get(keyOf(service, body[0]));
    const isCurrent = [undefined, kept?.servedBy].includes(this.#names.servedAs(service));
    return kept !== undefined && kept.endAt > now && isCurrent ? kept.parts : undefined;
  }

  /** The broker did not use what it had. */
  missed(asked: Asked, now: Instant): void {
    invariant(
      this.#isBounded || this.answerTo(asked, now) === undefined,
      `${asked.requestId} was run and is in the cache`,
    );
  }
}

function keyOf(service: string, frame: Uint8Array | undefined): string {
  return `${service} ${frame === undefined ? "" : readBytes(frame)}`;
}
