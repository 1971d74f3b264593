// Checks a worker's session by its inputs and effects alone, and throws as soon as an invariant breaks: which requests run, how
// they end, and what is sent of their replies.

import type { CallId } from "@pigato/peer/session";
import { type Capabilities, type Frame, type FromWorker, NO_CAPABILITIES } from "@pigato/protocol";
import { type Instant, MAX_CREDIT, sameBytes } from "@pigato/protocol/internal";
import { invariant, LinkChecks } from "@pigato/testkit";
import type { Effect, Effects, Input } from "../session/effects.ts";
import type { SessionOptions } from "../session/options.ts";
import type { RequestRef } from "../session/request-table.ts";

/** A request from `run` until its end. */
interface ModelRequest {
  readonly call: CallId;
  readonly key: string;
  /** What its handler wrote and was not sent. */
  readonly written: Frame[];
  /** Chunks that may be sent. */
  credit: number;
  isPaused: boolean;
  /** Chunks of input that were granted and have not arrived; `undefined` without streamed input. */
  inputDue: number | undefined;
  /** Its end was sent: `finished` or `abort` must follow. */
  hasEnd: boolean;
}

/** How many milliseconds an idle worker listens before it leaves. */
const LISTEN_MS = 500;

export class SessionObserver {
  readonly #options: SessionOptions;
  readonly #link = new LinkChecks();
  readonly #byCall = new Map<CallId, ModelRequest>();
  readonly #byKey = new Map<string, ModelRequest>();
  /** Whether the link of this connection asked for no further partials. */
  isLinkSlow = false;
  /** Whether an input `flush` will come. */
  isFlushPending = false;
  #capabilities: Capabilities = NO_CAPABILITIES;
  #concurrency: number;
  #lastCall = 0;
  #unanswered = 0;
  #hasGreeted = false;
  /** When it began to drain, and until when it must listen if the broker does not answer. */
  #drainsSince: Instant | undefined;
  #listensUntil: Instant = 0;
  #isRunning = false;
  /** Whether the current input ended the connection, not the worker. */
  #hasLost = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency;
  }

  before(input: Input, now: Instant): void {
    this.#link.before(input);
    this.#hasLost = false;
    switch (input.type) {
      case "start":
        this.#isRunning = true;
        return;
      case "stop":
        if (!this.#isRunning || this.#drainsSince !== undefined) return;
        this.#drainsSince = now;
        this.#listensUntil = now + (this.#link.isConnected ? Math.min(this.#options.stopTimeoutMs, LISTEN_MS) : 0);
        return;
      case "link-slow":
      case "link-drained":
        this.isLinkSlow = input.type === "link-slow";
        return;
      case "flush":
        this.isFlushPending = false;
        return;
      case "concurrency":
        this.#concurrency = input.concurrency;
        return;
      case "partial":
        this.#byCall.get(input.call)?.written.push(...input.body);
        return;
      case "message":
        if (!this.#link.isUp) return;
        if (input.message.type === "disconnect") this.#hasLost = true;
        if (input.message.type === "ready") this.#capabilities = input.message.accepted ?? NO_CAPABILITIES;
        if (input.message.type === "heartbeat") this.#unanswered = Math.max(0, this.#unanswered - 1);
        if (input.message.type === "credit" && this.#capabilities.credit) {
          const request = this.#byKey.get(keyOf(input.message));
          if (request !== undefined) request.credit = Math.min(MAX_CREDIT, request.credit + input.message.chunks);
        }
    }
  }

  after(input: Input, effects: Effects, now: Instant): void {
    for (const effect of effects) this.#see(effect, input, now);
    this.#link.after();
    for (const { key, hasEnd } of this.#byKey.values()) invariant(!hasEnd, `request ${key} goes on after its end`);
  }

  #see(effect: Effect, input: Input, now: Instant): void {
    this.#link.see(effect);
    switch (effect.type) {
      case "open":
        invariant(this.#byCall.size === 0, "requests outlive their connection");
        this.#capabilities = NO_CAPABILITIES;
        this.#unanswered = 0;
        this.#hasGreeted = false;
        return;
      case "close":
        this.isLinkSlow = false;
        return;
      case "flush-soon":
        this.isFlushPending = true;
        return;
      case "send":
        return this.#seeSend(effect.message, input);
      case "run":
        return this.#seeRun(effect, input);
      case "input": {
        const request = this.#open(effect.call, "input");
        request.inputDue = (request.inputDue ?? 0) - effect.chunks.length;
        return invariant(request.inputDue >= 0, `the handler of ${request.key} gets more input than was granted`);
      }
      case "input-end":
      case "report-reads":
        return invariant(this.#open(effect.call, effect.type).inputDue !== undefined, `${effect.type} without input`);
      case "pause":
      case "drain": {
        const request = this.#open(effect.call, effect.type);
        invariant(request.isPaused === (effect.type === "drain"), `${request.key} gets ${effect.type} twice`);
        request.isPaused = effect.type === "pause";
        return;
      }
      case "finished":
        invariant(this.#open(effect.call, "finished").hasEnd, "a reply is finished and its end was not sent");
        return this.#end(effect.call);
      case "abort":
        this.#open(effect.call, "abort");
        return this.#end(effect.call);
      case "defer":
        // A deferred partial comes again.
        if (effect.input.type !== "partial") return;
        this.#byCall.get(effect.input.call)?.written.splice(-effect.input.body.length);
        return;
      case "disconnected":
        if (effect.reason !== "disconnected") this.#hasLost = true;
        return;
      case "stopped":
        return this.#seeStopped(now);
    }
  }

  #seeRun({ call, request }: Extract<Effect, { readonly type: "run" }>, input: Input): void {
    const key = keyOf(request);
    invariant(this.#link.isUp && "message" in input && input.message === request, `${key} runs and did not come`);
    invariant(this.#drainsSince === undefined, `${key} runs although the worker stops`);
    invariant(call > this.#lastCall && !this.#byKey.has(key), `${key} runs twice, or call ${call} is reused`);
    this.#lastCall = call;
    const { maxInFlight } = this.#options;
    const most =
      this.#concurrency === Number.POSITIVE_INFINITY ? maxInFlight : Math.max(maxInFlight, this.#concurrency);
    invariant(this.#byCall.size < most, `more than ${most} requests run`);
    const credit = this.#capabilities.credit ? (request.credit ?? MAX_CREDIT) : MAX_CREDIT;
    const inputDue = request.options.hasInput && this.#capabilities.duplex ? 0 : undefined;
    const model = { call, key, written: [], credit, isPaused: false, inputDue, hasEnd: false };
    this.#byCall.set(call, model);
    this.#byKey.set(key, model);
  }

  #seeSend(message: FromWorker, input: Input): void {
    const isFurther = message.type === "ready" && message.service !== this.#options.service;
    if (isFurther) invariant(this.#capabilities.services, `${message.service} is offered, which was not negotiated`);
    const isGreeting = message.type === "ready" && !isFurther;
    invariant(this.#hasGreeted !== isGreeting, `${message.type} is sent before READY, or READY twice`);
    this.#hasGreeted = true;
    switch (message.type) {
      case "heartbeat": {
        const concurrency = this.#drainsSince === undefined ? this.#concurrency : 0;
        invariant(message.concurrency === concurrency, `a heartbeat offers ${message.concurrency}, not ${concurrency}`);
        if (this.#options.brokerAnswers) this.#unanswered += 1;
        return;
      }
      case "partial":
        return this.#seeChunks(message, message.body, 1);
      case "partials":
        return this.#seeChunks(message, message.chunks, message.chunks.length);
      case "final":
      case "reject":
        return this.#seeEnd(message, input);
      case "credit": {
        const request = this.#byKey.get(keyOf(message));
        if (request?.inputDue === undefined)
          return invariant(false, `a grant is sent for ${keyOf(message)} without input`);
        request.inputDue += message.chunks;
        return invariant(
          message.chunks > 0 && request.inputDue <= 4_096,
          `${request.inputDue} chunks of input are granted`,
        );
      }
      case "request-heartbeat":
        return invariant(this.#byKey.has(keyOf(message)), `a heartbeat is sent for ${keyOf(message)}, which has ended`);
    }
  }

  /** P-STREAM-4: in the order in which they were written, and no more than was granted. */
  #seeChunks(ref: RequestRef, frames: readonly Frame[], chunks: number): void {
    const request = this.#byKey.get(keyOf(ref));
    if (request === undefined || request.hasEnd)
      return invariant(false, `a partial is sent of ${keyOf(ref)} after its end`);
    for (const frame of frames) {
      // A chunk that waited for credit is a copy.
      const next = request.written.shift();
      invariant(next !== undefined && sameBytes(next, frame), `a chunk of ${request.key} is sent out of order`);
    }
    if (request.credit === MAX_CREDIT) return;
    request.credit -= chunks;
    invariant(request.credit >= 0, `more chunks of ${request.key} are sent than were granted`);
  }

  /** Only a request that is running, or that came with this input and does not run. A link that was full gets it again. */
  #seeEnd(message: Extract<FromWorker, { readonly type: "final" | "reject" }>, input: Input): void {
    const request = this.#byKey.get(keyOf(message));
    if (request === undefined) {
      const isRefused =
        "message" in input && "requestId" in input.message && input.message.requestId === message.requestId;
      return invariant(isRefused, `the end of ${keyOf(message)} is sent, which does not run`);
    }
    invariant(!request.hasEnd, `the end of ${request.key} is sent twice`);
    request.hasEnd = true;
    const isWhole = message.type === "reject" || message.status !== 0 || request.written.length === 0;
    invariant(isWhole, `${request.key} is finished with ${request.written.length} chunks not sent`);
  }

  #seeStopped(now: Instant): void {
    invariant(this.#byCall.size === 0, "requests outlive the worker");
    const mayLeave = this.#unanswered === 0 || now >= this.#listensUntil || this.#hasLost;
    invariant(mayLeave, "the worker leaves while the broker may send it requests");
    this.#drainsSince = undefined;
    this.#isRunning = false;
  }

  #open(call: CallId, effect: string): ModelRequest {
    const request = this.#byCall.get(call);
    if (request === undefined) throw new Error(`broken invariant: ${effect} of call ${call}, which is not open`);
    return request;
  }

  #end(call: CallId): void {
    const request = this.#open(call, "end");
    this.#byCall.delete(call);
    this.#byKey.delete(request.key);
  }
}

function keyOf({ address, requestId }: RequestRef): string {
  return `${requestId} of ${address}`;
}
