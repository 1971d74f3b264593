// The life of each request: accepted or refused, sent, sent again, answered, failed. Every request that is accepted ends
// exactly once, with a final or a failure, and nothing follows its end. The session knows the connection and what the broker
// supports.

import type { LossReason } from "@pigato/peer/session";
import {
  type Capabilities,
  decodePayload,
  display,
  type Failure,
  NO_CAPABILITIES,
  NULL_FRAME,
  type RequestId,
  type ToClient,
  type Violation,
} from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";
import { type Call, Calls } from "./calls.ts";
import type { BrokerMessage, Effect, Progress, RequestInput, RequestMessage } from "./effects.ts";
import {
  brokerLost,
  canceled,
  closed,
  congested,
  failureOf,
  fromWorker,
  malformed,
  timedOut,
  tooManyOpen,
  tooManyWaiting,
} from "./failures.ts";

export interface RequestLimits {
  /** Requests that may wait for a link. */
  readonly maxQueuedRequests: number;
  /** Requests that may be open, waiting or sent. */
  readonly maxOpenRequests: number;
  /** Milliseconds after a request's timeout in which the broker may still report that it has expired. */
  readonly timeoutGraceMs: number;
  /** Whether each connection has the same routing id, so that the broker can deliver replies that it held. */
  readonly hasStableId: boolean;
}

/** Requests that get a heartbeat at one interval: with more, they take turns. */
const MAX_REQUEST_HEARTBEATS = 1_000;

type Reply = Extract<ToClient, { readonly type: "partial" | "final" }>;
type Emit = (effect: Effect) => void;

const HEARTBEAT: Progress = Object.freeze({ type: "heartbeat" });

export class Requests {
  readonly #limits: RequestLimits;
  readonly #emit: Emit;
  readonly #calls = new Calls();
  /** What both sides support on this connection: nothing, until the broker answers the offer. */
  capabilities: Capabilities = NO_CAPABILITIES;
  /** Whether the broker has answered. A request with flow control waits for that, because it carries the first credit. */
  isBrokerKnown = false;

  constructor(limits: RequestLimits, emit: Emit) {
    this.#limits = limits;
    this.#emit = emit;
  }

  /** Requests without an end. */
  get openCount(): number {
    return this.#calls.size;
  }

  nextDeadline(): Instant | undefined {
    return this.#calls.nextDeadline();
  }

  accept(input: RequestInput, isLinkUp: boolean, now: Instant): void {
    const { message, isPaced } = input;
    const { maxOpenRequests, maxQueuedRequests } = this.#limits;
    if (this.#calls.size >= maxOpenRequests) {
      return this.refuse(input, tooManyOpen(message, maxOpenRequests));
    }
    const goesNow = isLinkUp && (!isPaced || this.isBrokerKnown);
    if (!goesNow && this.#calls.waitingCount >= maxQueuedRequests) {
      return this.refuse(input, tooManyWaiting(message, maxQueuedRequests));
    }
    const call = this.#calls.add(input);
    if (goesNow) return this.#send(call, now);
    this.#calls.setTimer(call, message.options.timeoutMs, now);
    this.#calls.keepWaiting(call);
  }

  /** Fails a request without ever accepting it. */
  refuse({ call, message }: RequestInput, failure: Failure): void {
    this.#emit({ type: "failed", call, request: message, failure });
  }

  sendWaiting(now: Instant): void {
    if (this.#calls.waitingCount === 0) return;
    for (const call of this.#calls.takeWaiting()) {
      if (call.window === undefined || this.isBrokerKnown) this.#send(call, now);
      else this.#calls.keepWaiting(call);
    }
  }

  cancel(requestId: RequestId, reason: unknown): void {
    const call = this.#calls.get(requestId);
    if (call !== undefined) this.#giveUp(call, canceled(call.message, call.delivery, reason));
  }

  onRead(requestId: RequestId, chunks: number, now: Instant): void {
    const call = this.#calls.get(requestId);
    if (call?.window === undefined) return;
    call.window.onRead(chunks);
    const granted = call.window.take();
    if (granted > 0) {
      this.#emit({ type: "send", message: { type: "credit", requestId, chunks: granted } });
      this.#restartTimer(call, now);
    }
    this.#reportReads(call, call.window.reportAfter);
  }

  /** Without the credit, the rest of the reply might never come. */
  onGrantRefused(requestId: RequestId): void {
    const call = this.#calls.get(requestId);
    if (call !== undefined) this.#giveUp(call, congested(call.message, call.delivery));
  }

  heartbeat(requestId: RequestId): void {
    const call = this.#calls.get(requestId);
    if (call === undefined || call.isWaiting) return;
    this.#emit({ type: "send", message: { type: "request-heartbeat", requestId } });
  }

  /** P-HB-8: notifies the workers of requests that were sent before then that the caller still waits. */
  heartbeatLong(since: Instant): void {
    if (!this.capabilities.requestHeartbeat) return;
    for (const call of this.#calls.sentBefore(since, MAX_REQUEST_HEARTBEATS)) this.heartbeat(call.id);
  }

  onReply(reply: Reply, now: Instant): void {
    const call = this.#calls.get(reply.requestId);
    if (call === undefined) return this.#reportLate(reply.type, reply.requestId);
    const body = reply.body[0] ?? NULL_FRAME;
    const value = decodePayload(body);
    const failure = failureOf(reply, value, call.message);
    if (reply.type === "final") {
      if (failure !== undefined) return this.#fail(call, failure);
      this.#end(call);
      return this.#emit({ type: "final", call: call.callId, value });
    }
    if (failure !== undefined) return this.#giveUp(call, failure);
    call.hasPartial = true;
    call.window?.onArrived(body.length);
    this.#restartTimer(call, now);
    this.#emit({ type: "partial", call: call.callId, value });
  }

  onNotice({ requestId, state, worker }: Extract<ToClient, { readonly type: "notice" }>): void {
    const call = this.#calls.get(requestId);
    if (call === undefined) return this.#reportLate("notice", requestId);
    const notice = worker === undefined ? { state } : { state, worker: display(worker) };
    call.notice = notice;
    this.#emit({ type: "progress", call: call.callId, progress: { type: "notice", notice } });
  }

  onHeartbeat(requestId: RequestId): void {
    const call = this.#calls.get(requestId);
    if (call === undefined) return this.#reportLate("request-heartbeat", requestId);
    this.#emit({ type: "progress", call: call.callId, progress: HEARTBEAT });
  }

  /** The broker itself failed the request. */
  onFailure(requestId: RequestId, failure: Failure, now: Instant): void {
    const call = this.#calls.get(requestId);
    if (call === undefined) return this.#reportLate("failure", requestId);
    if (this.capabilities.error && this.#mayStartOver(call)) {
      if (failure.code === "BROKER_LOST") return this.#send(call, now);
      if (failure.code === "CLOSED" && this.#survivesStop(call)) return this.#calls.keepWaiting(call);
    }
    this.#fail(call, this.capabilities.error ? failure : fromWorker(failure));
  }

  /** A reply that names its request and could not be read. */
  onMalformed(requestId: RequestId, violation: Violation): void {
    const call = this.#calls.get(requestId);
    if (call !== undefined) this.#giveUp(call, malformed(call.message, `${violation.clause}, ${violation.detail}`));
  }

  /** The link refused to take the request. */
  onRefused(requestId: RequestId): void {
    const call = this.#calls.get(requestId);
    if (call === undefined) return;
    call.returns += 1;
    this.#fail(call, congested(call.message, call.delivery));
  }

  /** The link returned the request: it was not sent. */
  onUndelivered(requestId: RequestId): void {
    const call = this.#calls.get(requestId);
    if (call === undefined || call.isWaiting) return;
    call.returns += 1;
    this.#calls.keepWaiting(call);
  }

  onTick(now: Instant): void {
    for (let call = this.#calls.takeDue(now); call !== undefined; call = this.#calls.takeDue(now)) {
      this.#onTimeUp(call, now);
    }
  }

  /** Everything that was on its way is lost. */
  onLost(reason: LossReason): void {
    this.capabilities = NO_CAPABILITIES;
    this.isBrokerKnown = false;
    for (const call of this.#calls.all()) {
      if (call.isWaiting) continue;
      if (this.#mayStartOver(call)) this.#calls.keepWaiting(call);
      else this.#fail(call, brokerLost(call, reason));
    }
  }

  closeAll(): void {
    for (const call of this.#calls.all()) this.#fail(call, closed(call));
  }

  #onTimeUp(call: Call, now: Instant): void {
    if (call.window?.isPacing && call.hasPartial && !call.isHalfway) return this.#onHalfTimeUp(call, now);
    // The broker has the same deadline and knows more: whether a worker ever had the request.
    if (!call.isInGrace && !call.isWaiting && this.capabilities.error) {
      call.isInGrace = true;
      return this.#calls.setTimer(call, this.#limits.timeoutGraceMs, now);
    }
    this.#giveUp(call, timedOut(call));
  }

  /**
   * P-STREAM-5: without a grant in time, a slow reader looks to the broker like one that has stopped. What was read is
   * reported now, or as soon as there is anything.
   */
  #onHalfTimeUp(call: Call, now: Instant): void {
    call.isHalfway = true;
    this.#calls.setTimer(call, call.message.options.timeoutMs / 2, now);
    this.#reportReads(call, 1);
  }

  #reportReads(call: Call, after: number): void {
    this.#emit({ type: "report-reads", call: call.callId, after });
  }

  /** Progress: a partial came, or credit was granted. */
  #restartTimer(call: Call, now: Instant): void {
    const { timeoutMs } = call.message.options;
    call.isInGrace = false;
    call.isHalfway = false;
    this.#calls.setTimer(call, call.window?.isPacing ? timeoutMs / 2 : timeoutMs, now);
  }

  #send(call: Call, now: Instant): void {
    // The timeout starts when the request is first sent.
    if (call.sends === 0) this.#calls.setTimer(call, call.message.options.timeoutMs, now);
    call.sends += 1;
    call.sentAt = now;
    call.notice = undefined;
    this.#emit({ type: "send", message: this.#withCredit(call) });
    if (call.window !== undefined) this.#reportReads(call, call.window.reportAfter);
  }

  /** P-STREAM-3: with the first credit, for flow control that the broker supports. */
  #withCredit({ message, window }: Call): RequestMessage {
    if (window === undefined) return message;
    const { type, service, requestId, body, trailer, options } = message;
    if (this.capabilities.credit) {
      return { type, service, requestId, body, trailer, options, credit: window.start() };
    }
    window.stop();
    return message;
  }

  /** Ends a call that the broker may still have. */
  #giveUp(call: Call, failure: Failure): void {
    if (!call.isWaiting && this.capabilities.cancel) {
      this.#emit({ type: "send", message: { type: "cancel", requestId: call.id } });
    }
    this.#fail(call, failure);
  }

  #fail(call: Call, failure: Failure): void {
    this.#end(call);
    this.#emit({ type: "failed", call: call.callId, request: call.message, failure });
  }

  #end(call: Call): void {
    this.#calls.end(call);
    call.window?.stop();
  }

  /** Not after a partial, which the caller would get twice. */
  #mayStartOver(call: Call): boolean {
    return !call.hasPartial && (call.message.options.retry || this.#isDurable(call));
  }

  /** P-KEEP-4: sent again under the same ids, a request that the broker still has is not run again. */
  #isDurable({ message }: Call): boolean {
    return message.options.persist && this.#limits.hasStableId;
  }

  /** Whether a request waits for the next broker when this one stops. P-KEEP-7: a stored one runs when this broker is back. */
  #survivesStop(call: Call): boolean {
    return this.#isDurable(call) || !call.message.options.persist;
  }

  #reportLate(message: BrokerMessage["type"], requestId: RequestId): void {
    this.#emit({ type: "report", event: { type: "late", message, requestId } });
  }
}
