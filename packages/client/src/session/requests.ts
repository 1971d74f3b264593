// What becomes of requests: accepted or refused, sent, sent again, answered, failed. Every request that is accepted ends
// exactly once, with a final or with a failure, and nothing follows its end. The session says when the link is there
// and what the broker can do; this decides for each request what follows from it.

import type { LossReason } from "@pigato/peer/session";
import {
  type Capabilities,
  decodePayload,
  display,
  type Failure,
  type Instant,
  NO_CAPABILITIES,
  NULL_FRAME,
  type RequestId,
  type ToClient,
  type Violation,
} from "@pigato/protocol";
import { type Call, Calls, type RequestMessage } from "./calls.ts";
import type { Effect, Heard, News } from "./effects.ts";
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
import type { Window } from "./window.ts";

export interface RequestLimits {
  /** Requests that may wait for a link. */
  readonly maxQueuedRequests: number;
  /** Requests that may be open, waiting or sent. */
  readonly maxOpenRequests: number;
  /** Milliseconds past a request's timeout in which the broker may still say itself that it has expired. */
  readonly timeoutGraceMs: number;
}

/** Requests for which a heartbeat goes out at one time: with more, they take turns. */
const MAX_REQUEST_HEARTBEATS = 1_000;

type Reply = Extract<ToClient, { readonly type: "partial" | "final" }>;
type Emit<Caller> = (effect: Effect<Caller>) => void;

const HEARTBEAT: News = Object.freeze({ type: "heartbeat" });

export class Requests<Caller> {
  readonly #limits: RequestLimits;
  readonly #emit: Emit<Caller>;
  readonly #calls = new Calls<Caller>();
  /** What both sides can do in this life of the connection: nothing, until the broker answers the offer. */
  capabilities: Capabilities = NO_CAPABILITIES;
  /** Whether that has been found out. Until then whoever reads at its own pace waits: its request says so. */
  isBrokerKnown = false;

  constructor(limits: RequestLimits, emit: Emit<Caller>) {
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

  accept(message: RequestMessage, caller: Caller, window: Window | undefined, isLinkUp: boolean, now: Instant): void {
    const { maxOpenRequests, maxQueuedRequests } = this.#limits;
    if (this.#calls.size >= maxOpenRequests) {
      return this.refuse(message, caller, tooManyOpen(message, maxOpenRequests));
    }
    const goesNow = isLinkUp && (window === undefined || this.isBrokerKnown);
    if (!goesNow && this.#calls.waitingCount >= maxQueuedRequests) {
      return this.refuse(message, caller, tooManyWaiting(message, maxQueuedRequests));
    }
    const call = this.#calls.add(message, caller, window);
    if (goesNow) return this.#send(call, now);
    this.#calls.setTimer(call, message.options.timeoutMs, now);
    this.#calls.keepWaiting(call);
  }

  /** Fails a request without ever accepting it. */
  refuse(message: RequestMessage, caller: Caller, failure: Failure): void {
    this.#emit({ type: "failed", caller, request: message, failure });
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

  /** Its caller has read enough for the next grant. */
  grant(requestId: RequestId, now: Instant): void {
    const call = this.#calls.get(requestId);
    if (call !== undefined) this.#grant(call, now);
  }

  /** The rest of its reply might never come. */
  onGrantRefused(requestId: RequestId): void {
    const call = this.#calls.get(requestId);
    if (call !== undefined) this.#giveUp(call, congested(call.message, call.delivery));
  }

  heartbeat(requestId: RequestId): void {
    const call = this.#calls.get(requestId);
    if (call === undefined || call.isWaiting) return;
    this.#emit({ type: "send", message: { type: "request-heartbeat", requestId } });
  }

  /** P-HB-8: for whatever has been with the broker since then, says that its caller still waits. */
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
      return this.#emit({ type: "final", caller: call.caller, value });
    }
    if (failure !== undefined) return this.#giveUp(call, failure);
    call.hasPartial = true;
    call.window?.onCame(body.length);
    this.#restartTimer(call, now);
    this.#emit({ type: "partial", caller: call.caller, value });
  }

  onNotice({ requestId, state, worker }: Extract<ToClient, { readonly type: "notice" }>): void {
    const call = this.#calls.get(requestId);
    if (call === undefined) return this.#reportLate("notice", requestId);
    const notice = worker === undefined ? { state } : { state, worker: display(worker) };
    call.notice = notice;
    this.#emit({ type: "news", caller: call.caller, news: { type: "notice", notice } });
  }

  onHeartbeat(requestId: RequestId): void {
    const call = this.#calls.get(requestId);
    if (call === undefined) return this.#reportLate("request-heartbeat", requestId);
    this.#emit({ type: "news", caller: call.caller, news: HEARTBEAT });
  }

  /** The broker itself failed the request. */
  onFailure(requestId: RequestId, failure: Failure, now: Instant): void {
    const call = this.#calls.get(requestId);
    if (call === undefined) return this.#reportLate("failure", requestId);
    if (this.capabilities.error && failure.code === "BROKER_LOST" && mayStartOver(call)) return this.#send(call, now);
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

  /** The link gave the request back: it has not left. */
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

  /** The link is gone, and with it whatever was under way. */
  onLost(reason: LossReason): void {
    this.capabilities = NO_CAPABILITIES;
    this.isBrokerKnown = false;
    for (const call of this.#calls.all()) {
      if (call.isWaiting) continue;
      if (mayStartOver(call)) this.#calls.keepWaiting(call);
      else this.#fail(call, brokerLost(call, reason));
    }
  }

  closeAll(): void {
    for (const call of this.#calls.all()) this.#fail(call, closed(call));
  }

  #onTimeUp(call: Call<Caller>, now: Instant): void {
    if (call.window?.isPacing && call.hasPartial && !call.isHalfway) return this.#onHalfTimeUp(call, call.window, now);
    // The broker counts the same time and knows more: whether a worker ever had the request.
    if (!call.isInGrace && !call.isWaiting && this.capabilities.error) {
      call.isInGrace = true;
      return this.#calls.setTimer(call, this.#limits.timeoutGraceMs, now);
    }
    this.#giveUp(call, timedOut(call));
  }

  /** P-STREAM-5: without a grant in time, one who reads slowly would look to the broker like one who has stopped. */
  #onHalfTimeUp(call: Call<Caller>, window: Window, now: Instant): void {
    if (this.#grant(call, now)) return;
    window.hurry();
    call.isHalfway = true;
    this.#calls.setTimer(call, call.message.options.timeoutMs / 2, now);
  }

  /** @returns whether there was anything to be granted */
  #grant(call: Call<Caller>, now: Instant): boolean {
    const chunks = call.window?.take() ?? 0;
    if (chunks === 0) return false;
    this.#emit({ type: "send", message: { type: "credit", requestId: call.id, chunks } });
    this.#restartTimer(call, now);
    return true;
  }

  /** Something came, or was granted. */
  #restartTimer(call: Call<Caller>, now: Instant): void {
    const { timeoutMs } = call.message.options;
    call.isInGrace = false;
    call.isHalfway = false;
    this.#calls.setTimer(call, call.window?.isPacing ? timeoutMs / 2 : timeoutMs, now);
  }

  #send(call: Call<Caller>, now: Instant): void {
    // The timeout counts from the first sending; a request that is sent again has the rest of it.
    if (call.sends === 0) this.#calls.setTimer(call, call.message.options.timeoutMs, now);
    call.sends += 1;
    call.sentAt = now;
    call.notice = undefined;
    this.#emit({ type: "send", message: this.#paced(call) });
  }

  /** P-STREAM-3: with the first grant, if the reply is to be paced and the broker knows how. */
  #paced({ message, window }: Call<Caller>): RequestMessage {
    if (window === undefined) return message;
    const { type, service, requestId, body, trailer, options } = message;
    if (this.capabilities.credit) {
      return { type, service, requestId, body, trailer, options, credit: window.start() };
    }
    window.stop();
    return message;
  }

  /** Ends a call that the broker does not know to have ended. */
  #giveUp(call: Call<Caller>, failure: Failure): void {
    if (!call.isWaiting && this.capabilities.cancel) {
      this.#emit({ type: "send", message: { type: "cancel", requestId: call.id } });
    }
    this.#fail(call, failure);
  }

  #fail(call: Call<Caller>, failure: Failure): void {
    this.#end(call);
    this.#emit({ type: "failed", caller: call.caller, request: call.message, failure });
  }

  #end(call: Call<Caller>): void {
    this.#calls.end(call);
    call.window?.stop();
  }

  #reportLate(message: Heard["type"], requestId: RequestId): void {
    this.#emit({ type: "report", event: { type: "late", message, requestId } });
  }
}

/** A caller that has seen a partial would see it again: a stream cannot start over. */
function mayStartOver({ message, hasPartial }: Call<unknown>): boolean {
  return message.options.retry && !hasPartial;
}
