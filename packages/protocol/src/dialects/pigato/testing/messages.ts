// Arbitrary messages of each union, for the property tests. Only messages with one encoding, so that decoding must return them.

import fc from "fast-check";
import { type Capabilities, NO_CAPABILITIES } from "../../../capabilities.ts";
import { MAX_CREDIT } from "../../../credit.ts";
import type { Delivery, FailureCode } from "../../../errors.ts";
import { type Frame, sameBytes } from "../../../frame.ts";
import { peerId, readBytes, requestId, serviceName, writeText } from "../../../ids.ts";
import type { FromClient, FromWorker, StreamingMessage, ToClient, ToWorker } from "../../../message.ts";
import { isUndefinedFrame } from "../../../payload.ts";
import { readCacheMs } from "../../../reply-options.ts";
import { parseRequestOptions } from "../../../request-options.ts";
import { writeHeaders } from "../tags.ts";
import { BROKER_ORIGIN } from "../wire.ts";

// They compile only with every type, so that no type is left untested.
export const FROM_CLIENT: Record<FromClient["type"], true> = {
  request: true,
  heartbeat: true,
  "request-heartbeat": true,
  "worker-heartbeat": true,
  cancel: true,
  disconnect: true,
  credit: true,
  input: true,
  "input-end": true,
};
export const FROM_WORKER: Record<FromWorker["type"], true> = {
  ready: true,
  heartbeat: true,
  "request-heartbeat": true,
  partial: true,
  partials: true,
  final: true,
  reject: true,
  disconnect: true,
  credit: true,
  input: true,
  "input-end": true,
};
export const TO_CLIENT: Record<ToClient["type"], true> = {
  heartbeat: true,
  partial: true,
  partials: true,
  final: true,
  failure: true,
  "request-heartbeat": true,
  notice: true,
  credit: true,
  input: true,
  "input-end": true,
};
export const TO_WORKER: Record<ToWorker["type"], true> = {
  ready: true,
  "service-answer": true,
  request: true,
  heartbeat: true,
  "request-heartbeat": true,
  cancel: true,
  disconnect: true,
  credit: true,
  input: true,
  "input-end": true,
};
const CODES: readonly FailureCode[] = ["UNAVAILABLE", "BUSY", "WORKER_LOST", "INVALID"];
const DELIVERIES: readonly Delivery[] = ["not-sent", "queued", "dispatched", "maybe-executed"];

export const someFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc
    .constantFrom(
      "",
      "{}",
      "null",
      "undefined",
      '"text"',
      '{"origin":"broker"}',
      '{"cache":250}',
      "0",
      "-1",
      "pigato/1",
      "credit=16",
      "deadline=5",
      "caller=me",
      "attempt=2",
      'headers={"a":"b"}',
    )
    .map(writeText),
  fc.uint8Array({ maxLength: 24 }),
);
const someName = (minLength: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom("echo", "__proto__", "request", "worker", "~1a", "pigato/1", "\u0000\u00ff"),
    fc.uint8Array({ minLength, maxLength: 20 }).map(readBytes),
    fc.uint8Array({ minLength, maxLength: 255, size: "max" }).map(readBytes),
  );
const someRequestId = someName(1).map(requestId);
const someBody = someFrame.map((frame) => [frame]);
const someTrailer = fc.array(someFrame, { maxLength: 4 });
const someStatus = fc
  .oneof(fc.constantFrom(0, -1), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((status) => (status === 0 ? 0 : status));
const someChunks = fc.integer({ min: 1, max: MAX_CREDIT });
const someInterval = fc.option(fc.integer({ min: 1, max: 999_999_999_999_999 }), { nil: undefined });
const someConcurrency = fc.option(fc.oneof(fc.nat(), fc.constant(Number.POSITIVE_INFINITY)), { nil: undefined });
const someCapabilities: fc.Arbitrary<Capabilities> = fc
  .record({
    cancel: fc.boolean(),
    error: fc.boolean(),
    notice: fc.boolean(),
    requestHeartbeat: fc.boolean(),
    partials: fc.boolean(),
    credit: fc.boolean(),
    frames: fc.boolean(),
    duplex: fc.boolean(),
    codecs: fc.array(fc.stringMatching(/^[a-z0-9.+-]{1,32}$/), { maxLength: 5 }),
    heartbeatMs: someInterval,
    concurrency: someConcurrency,
  })
  .map((capabilities) => ({ ...NO_CAPABILITIES, ...capabilities }));
const someOffer = fc.option(someCapabilities, { nil: undefined });
/** The raw options frame of a request, with its decoded form. */
const someOptions = fc
  .oneof(
    fc.constantFrom("", "{}", "null", "[]", "{", "undefined", '{"timeout":60000,"retry":0}'),
    fc
      .record(
        {
          timeout: fc.oneof(fc.integer({ min: -1, max: 1e9 }), fc.string()),
          retry: fc.nat({ max: 1 }),
          workerId: fc.oneof(fc.string(), fc.nat()),
          failFast: fc.boolean(),
          nocache: fc.boolean(),
          persist: fc.boolean(),
          notices: fc.boolean(),
          input: fc.constantFrom(0, 1, true),
          other: fc.jsonValue(),
        },
        { requiredKeys: [] },
      )
      .map((options) => JSON.stringify(options)),
  )
  .map((text) => ({ options: parseRequestOptions(text), trailer: [writeText(text)] }));
const someContent = fc
  .record({
    service: someName(1).map(serviceName),
    requestId: someRequestId,
    body: someBody,
    sent: fc.option(someOptions, { nil: { options: parseRequestOptions(""), trailer: [] } }),
    // In this position, any frame of this form is a tag.
    more: someTrailer.map((frames) => frames.filter((frame) => !TAG.test(readBytes(frame)))),
    headers: fc.option(fc.jsonValue(), { nil: undefined }),
    tags: fc.record({ credit: someChunks, deadlineMs: fc.integer({ min: 1 }) }, { requiredKeys: [] }),
  })
  .map(({ sent, more, headers, tags, ...content }) => {
    if (sent.trailer.length === 0) return { ...content, options: sent.options, trailer: [] };
    const request = { ...content, ...tags, options: sent.options };
    if (headers === undefined) return { ...request, trailer: [...sent.trailer, ...more] };
    const trailer = [...sent.trailer, writeHeaders(JSON.stringify(headers)), ...more];
    return { ...request, trailer, hasHeaders: true };
  });
const TAG = /^(credit|deadline|caller|attempt|headers)=/;
const someDispatched = fc
  .tuple(someContent, fc.record({ caller: someName(0), attempt: fc.integer({ min: 1 }) }, { requiredKeys: [] }))
  .map(([content, tags]) => (content.trailer.length === 0 ? content : { ...content, ...tags }));
const someReply = fc.record({
  type: fc.constantFrom("partial" as const, "final" as const),
  requestId: someRequestId,
  status: someStatus,
  body: someBody,
  trailer: someTrailer,
});
const somePartials = fc.record({
  type: fc.constant("partials" as const),
  requestId: someRequestId,
  options: someFrame,
  chunks: fc.array(
    someFrame.filter((chunk) => !isUndefinedFrame(chunk)),
    { minLength: 1, maxLength: 32 },
  ),
});
const someFrames = fc.array(someFrame, { minLength: 1, maxLength: 50 });
const someFramedRequest = fc
  .record({ service: someName(1).map(serviceName), requestId: someRequestId, body: someFrames, sent: someOptions })
  .map(({ sent, ...content }) => ({ ...content, ...sent, isRaw: true, isFramed: true }));
const someFramedReply = fc
  .record({
    type: fc.constantFrom("partial" as const, "final" as const),
    requestId: someRequestId,
    body: someFrames,
    options: someFrame.filter((options) => !sameBytes(options, BROKER_ORIGIN)),
  })
  .map(({ options, ...reply }) => ({ ...reply, status: 0, isRaw: true, trailer: [options] }));
const someInput = fc.array(someFrame, { minLength: 1, maxLength: 50 });
const someStreaming: fc.Arbitrary<StreamingMessage> = fc.oneof(
  fc.record({ type: fc.constant("credit" as const), requestId: someRequestId, chunks: someChunks }),
  fc.record({ type: fc.constant("input" as const), requestId: someRequestId, chunks: someInput }),
  fc.record({ type: fc.constant("input-end" as const), requestId: someRequestId }),
);
const someAddress = someName(0);
const about = <Type extends string>(type: Type) => fc.record({ type: fc.constant(type), requestId: someRequestId });
const addressed = <Message extends object>(message: fc.Arbitrary<Message>) =>
  fc.tuple(message, someAddress).map(([content, address]) => ({ ...content, address }));
const withCacheMs = <Reply extends { readonly trailer: readonly Frame[] }>(reply: Reply) => {
  const cacheMs = readCacheMs(reply.trailer[0]);
  return cacheMs === undefined ? reply : { ...reply, cacheMs };
};
/** For messages with many kinds of violations. */
const often = <Message>(arbitrary: fc.Arbitrary<Message>) => ({ weight: 4, arbitrary });
const bare = <Type extends string>(type: Type) => fc.constant({ type });

export const fromClient: fc.Arbitrary<FromClient> = fc.oneof(
  often(someContent.map((content) => ({ type: "request" as const, ...content }))),
  someOffer.map((offer) => ({ type: "heartbeat" as const, offer })),
  about("request-heartbeat"),
  fc.record({ type: fc.constant("worker-heartbeat" as const), worker: someName(1).map(peerId) }),
  about("cancel"),
  bare("disconnect"),
  { weight: 3, arbitrary: someStreaming },
);
export const fromWorker: fc.Arbitrary<FromWorker> = fc.oneof(
  fc.record({ type: fc.constant("ready" as const), service: someName(1).map(serviceName), offer: someOffer }),
  often(fc.record({ type: fc.constant("heartbeat" as const), concurrency: someConcurrency, update: fc.boolean() })),
  fc.tuple(about("request-heartbeat"), someName(1)).map(([message, address]) => ({ ...message, address })),
  // Decoding rewrites the replies that are left out here.
  often(
    addressed(
      someReply.filter(
        ({ body: [data], trailer: [options] }) =>
          !(data && isUndefinedFrame(data)) && !(options && sameBytes(options, BROKER_ORIGIN)),
      ),
    ).map(withCacheMs),
  ),
  often(addressed(someFramedReply).map(withCacheMs)),
  addressed(somePartials).map((partials) => {
    const cacheMs = readCacheMs(partials.options);
    return cacheMs === undefined ? partials : { ...partials, cacheMs };
  }),
  addressed(fc.record({ type: fc.constant("reject" as const), requestId: someRequestId, reason: someFrame })),
  bare("disconnect"),
  { weight: 3, arbitrary: addressed(someStreaming) },
);
export const someFailure: fc.Arbitrary<Extract<ToClient, { readonly type: "failure" }>> = fc.record({
  type: fc.constant("failure" as const),
  requestId: someRequestId,
  failure: fc.record(
    {
      code: fc.constantFrom(...CODES),
      message: fc.string({ unit: "grapheme" }),
      delivery: fc.constantFrom(...DELIVERIES),
      detail: fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value))),
    },
    { requiredKeys: ["code", "message", "delivery"] },
  ),
});
export const toClient: fc.Arbitrary<ToClient> = fc.oneof(
  someOffer.map((accepted) => ({ type: "heartbeat" as const, accepted })),
  // A final error with the broker's mark decodes as a failure, see below.
  someReply.filter(({ trailer: [options] }) => !(options && sameBytes(options, BROKER_ORIGIN))),
  someFailure,
  somePartials,
  about("request-heartbeat"),
  fc.record({
    type: fc.constant("notice" as const),
    requestId: someRequestId,
    state: fc.constantFrom("queued" as const, "stored" as const, "dispatched" as const),
    worker: fc.option(someName(1).map(peerId), { nil: undefined }),
  }),
  { weight: 3, arbitrary: someStreaming },
);
const someReason = fc.record({ code: fc.constantFrom(...CODES), message: fc.string({ unit: "grapheme" }) });
export const toWorker: fc.Arbitrary<ToWorker> = fc.oneof(
  someOffer.map((accepted) => ({ type: "ready" as const, accepted })),
  fc.record({
    type: fc.constant("service-answer" as const),
    service: someName(1).map(serviceName),
    refusal: fc.option(someReason, { nil: undefined }),
  }),
  often(addressed(someDispatched).map((content) => ({ type: "request" as const, ...content }))),
  often(addressed(someFramedRequest).map((content) => ({ type: "request" as const, ...content }))),
  bare("heartbeat"),
  addressed(about("request-heartbeat")),
  addressed(about("cancel")),
  addressed(fc.record({ type: fc.constant("cancel" as const), requestId: someRequestId, reason: someReason })),
  bare("disconnect"),
  { weight: 3, arbitrary: addressed(someStreaming) },
);
