// The reply cache, attached to the lifecycle of requests (hooks.ts): collects partials, adds whole replies, and finds them for new
// requests.

import type { Frame } from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";
import type { FinalMessage, PartialMessage, PartialsMessage, QueuedRequest, RequestMessage } from "./queued-request.ts";
import type { CachedReply } from "./reply-cache.ts";
import type { CoreState } from "./state.ts";

/** @param isDelivered false if the client does not get the partial */
export function collectPartial(
  { replyCache }: CoreState,
  request: QueuedRequest,
  message: PartialMessage | PartialsMessage,
  isDelivered: boolean,
): void {
  if (!isDelivered) return replyCache.spoil(request);
  if (!replyCache.mayCollect(message)) return;
  if (message.type === "partial") return replyCache.collectPartial(request, message);
  for (const chunk of message.chunks) replyCache.collectPartial(request, partialOf(message, chunk));
}

export function cacheFinal(
  { replyCache }: CoreState,
  request: QueuedRequest,
  message: FinalMessage,
  now: Instant,
): void {
  replyCache.addFinal(request, message, now);
}

/**
 * The cached reply to a request. P-CACHE-2: only while the name leads to the service that gave the reply, or to none. Else
 * a better version, or a service of exactly this name, has come since.
 */
export function cachedReplyTo({ replyCache, services }: CoreState, message: RequestMessage): CachedReply | undefined {
  const reply = replyCache.find(message);
  if (reply === undefined) return undefined;
  const { service } = services.route(message.service);
  return service === services.unserved || service.name === reply.servedBy ? reply : undefined;
}

/** One of several chunks as a separate partial. */
export function partialOf(message: PartialsMessage, chunk: Frame): PartialMessage {
  const { address, requestId, options, cacheMs } = message;
  const partial = { type: "partial" as const, address, requestId, status: 0, body: [chunk], trailer: [options] };
  return cacheMs === undefined ? partial : { ...partial, cacheMs };
}
