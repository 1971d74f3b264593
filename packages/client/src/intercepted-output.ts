// The results of requests that pass interceptors: a promise of the value, or a stream of the chunks.

import type { AnyReply, AnyRequest, Next } from "@pigato/contract";
import { HeaderMap } from "@pigato/contract";
import { afterFirst, isStreamReply, replyOf } from "@pigato/contract/internal";
import { isError, reasonOf, requestIdFromText } from "@pigato/protocol/internal";
import { ReplyStream } from "./call.ts";
import type { CallOptions } from "./call-options.ts";
import { callListener, type HeaderListeners } from "./header-listeners.ts";
import { InterceptedCall, type InterceptedPort, type OutgoingRequest } from "./intercepted-call.ts";
import { ReplyMetadata } from "./reply-metadata.ts";

/** As many chunks as a stream buffers ahead of its reader. */
const BUFFERED_CHUNKS = 16;

/** @param send sends a request as the last interceptor left it */
export async function interceptValue(
  next: Next,
  outgoing: OutgoingRequest,
  { clock, signals }: InterceptedPort,
  send: (request: AnyRequest, options: CallOptions, metadata: ReplyMetadata) => Promise<unknown>,
): Promise<unknown> {
  const call = new InterceptedCall(next, outgoing, {
    clock,
    signals,
    async send(request, options) {
      const metadata = new ReplyMetadata();
      const output = await send(request, options, metadata);
      return replyOf(request, output, metadata.headers, metadata.trailers);
    },
  });
  const { output, headers, trailers } = await call.reply;
  call.end();
  notify(outgoing, "onHeaders", headers);
  notify(outgoing, "onTrailers", trailers);
  return output;
}

/** @param open sends a request as the last interceptor left it */
export function interceptStream(
  next: Next,
  outgoing: OutgoingRequest,
  { clock, signals }: InterceptedPort,
  open: (request: AnyRequest, options: CallOptions, metadata: ReplyMetadata) => ReplyStream,
): ReplyStream {
  let wake = (): void => {};
  let inner: ReplyStream | undefined;
  const outer = new ReplyStream(requestIdFromText("intercepted"), {
    hasCallerStacks: false,
    cancel: (_id, reason) => call.cancel(reason),
    read: () => wake(),
    heartbeat: () => inner?.heartbeat(),
  });
  ReplyStream.reportReads(outer, 1);
  outer.once("close", () => wake());
  const call = new InterceptedCall(next, outgoing, {
    clock,
    signals,
    async send(request, options) {
      const metadata = new ReplyMetadata();
      inner = open(request, options, metadata);
      forwardProgress(inner, outer);
      const output = await afterFirst(inner, request.signal);
      return replyOf(request, output, metadata.headers, metadata.trailers);
    },
  });
  void pump(call, { outgoing, stream: outer }, async () => {
    while (outer.readableLength >= BUFFERED_CHUNKS && !outer.destroyed) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  });
  return outer;
}

/** Writes the chunks of a reply to a stream. @param hasRoom resolves when the stream takes another chunk, or is closed */
async function pump(
  call: InterceptedCall,
  { outgoing, stream }: { readonly outgoing: OutgoingRequest; readonly stream: ReplyStream },
  hasRoom: () => Promise<void>,
): Promise<void> {
  try {
    const reply = await call.reply;
    notify(outgoing, "onHeaders", reply.headers);
    for await (const chunk of chunksOf(reply)) {
      if (stream.destroyed) return;
      ReplyStream.add(stream, chunk);
      await hasRoom();
    }
    notify(outgoing, "onTrailers", reply.trailers);
    stream.push(null);
  } catch (error) {
    call.end(error);
    stream.destroy(isError(error) ? error : new Error(reasonOf(error), { cause: error }));
  } finally {
    call.end();
  }
}

/** Calls the listener of the caller, with the headers as the interceptors left them. @throws RequestError if it throws */
function notify({ service, options }: OutgoingRequest, name: keyof HeaderListeners, headers: HeaderMap): void {
  if (options[name] === undefined) return;
  callListener(options, name, HeaderMap.from(headers), { service, requestId: undefined });
}

function chunksOf(reply: AnyReply): AsyncIterable<unknown> | Iterable<unknown> {
  return isStreamReply(reply) ? reply.output : [reply.output];
}

function forwardProgress(from: ReplyStream, to: ReplyStream): void {
  for (const event of ["queued", "stored", "heartbeat"] as const) from.on(event, () => to.emit(event));
  from.on("dispatched", (worker) => to.emit("dispatched", worker));
}
