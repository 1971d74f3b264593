// The requests of a client that speaks PIGATO: accepted or refused, sent, sent again, answered, failed. Every request that is
// accepted ends exactly once, with a final or a failure, and nothing follows its end. What both sides support is negotiated for
// each connection.

import type { Connection, LossReason } from "@pigato/peer/session";
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
import { type Instant, offerOf, sharedCapabilities } from "@pigato/protocol/internal";
import { type Call, Calls } from "./calls.ts";
import {
  type BrokerMessage,
  type Effect,
  failed,
  type Progress,
  type RequestInput,
  type RequestMessage,
} from "./effects.ts";
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
import { type Exchange, type ExchangeInput, Session, type SessionOptions } from "./session.ts";

/** Requests that get a heartbeat at one interval: with more, they take turns. */
const MAX_REQUEST_HEARTBEATS = 1_000;

type CallInput = Exclude<ExchangeInput, { readonly type: "request" | "message" | "heartbeat" | "tick" }>;
type Reply = Extract<ToClient, { readonly type: "partial" | "final" }>;

const HEARTBEAT: Progress = Object.freeze({ type: "heartbeat" });

export function pigatoSession(options: SessionOptions): Session {
  return new Session(options, PigatoExchange);
}

class PigatoExchange implements Exchange {
  readonly #options: SessionOptions;
  readonly #offer: Capabilities | undefined;
  readonly #connection: Pick<Connection, "phase">;
  readonly #emit: (effect: Effect) => void;
  readonly #calls: Calls;
  /** What both sides support on this connection: nothing, until the broker answers the offer. */
  #capabilities: Capabilities = NO_CAPABILITIES;
  /** Whether the broker of this connection knows more than the classic wire. */
  #isOfferAnswered = false;
  /** Whether the broker has answered. A request with flow control waits for that, because it carries the first credit. */
  #isBrokerKnown = false;

  constructor(options: SessionOptions, connection: Pick<Connection, "phase">, emit: (effect: Effect) => void) {
    const {
      connection: { heartbeatMs },
      limits,
      negotiate,
    } = options;
    this.#options = options;
    this.#offer = negotiate ? offerOf("client", { heartbeatMs }) : undefined;
    this.#connection = connection;
    this.#emit = emit;
    this.#calls = new Calls(limits.hasStableId);
  }

  get openCount(): number {
    return this.#calls.size;
  }

  nextDeadline(): Instant | undefined {
    return this.#calls.nextDeadline();
  }

  handle(input: ExchangeInput, now: Instant): undefined {
    switch (input.type) {
      case "request":
        this.#accept(input, now);
        break;
      case "message":
        this.#onMessage(input.message, now);
        if (!this.#isBrokerKnown && this.isFromBroker(input.message)) this.#onBrokerKnown(now);
        break;
      case "heartbeat":
        this.#onHeartbeat(input.requestId);
        break;
      case "tick":
        this.#onTick(now);
        break;
      default: {
        const call = this.#calls.get(input.requestId);
        if (call !== undefined) this.#onCallInput(call, input, now);
      }
    }
  }

  isFromBroker(message: BrokerMessage | Violation): boolean {
    return message.type !== "violation" || message.clause !== "P-MSG-1";
  }

  greet(now: Instant): void {
    this.#sendHeartbeat();
    // Without an offer there is no answer to wait for.
    this.#isBrokerKnown = this.#offer === undefined;
    this.#sendWaiting(now);
  }

  heartbeat(now: Instant): void {
    this.#sendHeartbeat();
    // What the link returned is sent again at the interval of heartbeats, not in a busy loop with a failing link.
    this.#sendWaiting(now);
    this.#heartbeatLong(now - this.#options.connection.heartbeatMs);
  }

  onLost(reason: LossReason): void {
    this.#isOfferAnswered = false;
    this.#capabilities = NO_CAPABILITIES;
    this.#isBrokerKnown = false;
    for (const call of this.#calls.all()) {
      if (call.isWaiting) continue;
      if (call.mayStartOver) this.#calls.keepWaiting(call);
      else this.#fail(call, brokerLost(call, reason));
    }
  }

  close(): void {
    for (const call of this.#calls.all()) this.#fail(call, closed(call));
    // An old broker does not know DISCONNECT of a client.
    if (this.#isOfferAnswered) this.#emit({ type: "send", message: { type: "disconnect" } });
  }

  settle(): void {}

  /** The broker's first message answers the offer, if it knows offers. */
  #onBrokerKnown(now: Instant): void {
    if (this.#connection.phase !== "open") return;
    this.#isBrokerKnown = true;
    this.#sendWaiting(now);
  }

  #onHeartbeat(requestId: RequestId | undefined): void {
    if (this.#connection.phase !== "open") return;
    if (requestId === undefined) this.#sendHeartbeat();
    else this.#emit({ type: "send", message: { type: "request-heartbeat", requestId } });
  }

  #onMessage(message: BrokerMessage | Violation, now: Instant): void {
    switch (message.type) {
      case "partial":
      case "final":
        return this.#onReply(message, now);
      case "failure":
        return this.#onFailure(message.requestId, message.failure, now);
      case "request-heartbeat":
        if (this.#capabilities.requestHeartbeat) return this.#onRequestHeartbeat(message.requestId);
        return this.#reportUnsupported(message);
      case "heartbeat":
        if (message.accepted === undefined || this.#offer === undefined) return;
        this.#isOfferAnswered = true;
        this.#capabilities = sharedCapabilities(this.#offer, message.accepted);
        return;
      case "violation":
        this.#emit({ type: "report", event: { type: "violation", violation: message } });
        if (message.requestId !== undefined) this.#onMalformed(message.requestId, message);
        return;
      case "notice":
        if (this.#capabilities.notice) return this.#onNotice(message);
        return this.#reportUnsupported(message);
      // Not used in this direction yet.
      case "credit":
      case "input":
      case "input-end":
        return this.#reportUnsupported(message);
      default:
        return message satisfies never;
    }
  }

  #reportUnsupported({ type }: BrokerMessage): void {
    this.#emit({ type: "report", event: { type: "unsupported", message: type } });
  }

  /** P-NEG-4: each one repeats the offer, for a broker that was restarted meanwhile. */
  #sendHeartbeat(): void {
    this.#emit({ type: "send", message: { type: "heartbeat", offer: this.#offer } });
  }

  #accept(input: RequestInput, now: Instant): void {
    const { message, isPaced } = input;
    const { maxOpenRequests, maxQueuedRequests } = this.#options.limits;
    if (this.#calls.size >= maxOpenRequests) {
      return this.#emit(failed(input, tooManyOpen(message, maxOpenRequests)));
    }
    const goesNow = this.#connection.phase === "open" && (!isPaced || this.#isBrokerKnown);
    if (!goesNow && this.#calls.waitingCount >= maxQueuedRequests) {
      return this.#emit(failed(input, tooManyWaiting(message, maxQueuedRequests)));
    }
    const call = this.#calls.add(input);
    if (goesNow) return this.#send(call, now);
    this.#calls.setTimer(call, message.options.timeoutMs, now);
    this.#calls.keepWaiting(call);
  }

  #onCallInput(call: Call, input: CallInput, now: Instant): void {
    switch (input.type) {
      case "cancel":
        return this.#giveUp(call, canceled(call.message, call.delivery, input.reason));
      case "read":
        return this.#onRead(call, input.chunks, now);
      case "grant-refused":
        // Without the credit, the rest of the reply might never come.
        return this.#giveUp(call, congested(call.message, call.delivery));
      case "request-heartbeat":
        return this.#requestHeartbeat(call);
      case "refused":
        call.returns += 1;
        return this.#fail(call, congested(call.message, call.delivery));
      case "undelivered":
        if (call.isWaiting) return;
        call.returns += 1;
        return this.#calls.keepWaiting(call);
      default:
        return input satisfies never;
    }
  }

  #sendWaiting(now: Instant): void {
    if (this.#calls.waitingCount === 0) return;
    for (const call of this.#calls.takeWaiting()) {
      if (call.window === undefined || this.#isBrokerKnown) this.#send(call, now);
      else this.#calls.keepWaiting(call);
    }
  }

  #onRead(call: Call, chunks: number, now: Instant): void {
    if (call.window === undefined) return;
    call.window.onRead(chunks);
    const granted = call.window.take();
    if (granted > 0) {
      this.#emit({ type: "send", message: { type: "credit", requestId: call.id, chunks: granted } });
      this.#restartTimer(call, now);
    }
    this.#reportReads(call, call.window.reportAfter);
  }

  #requestHeartbeat({ id, isWaiting }: Call): void {
    if (!isWaiting) this.#emit({ type: "send", message: { type: "request-heartbeat", requestId: id } });
  }

  /** P-HB-8: notifies the workers of requests that were sent before then that the caller still waits. */
  #heartbeatLong(since: Instant): void {
    if (!this.#capabilities.requestHeartbeat) return;
    for (const call of this.#calls.sentBefore(since, MAX_REQUEST_HEARTBEATS)) this.#requestHeartbeat(call);
  }

  #onReply(reply: Reply, now: Instant): void {
    const call = this.#calls.get(reply.requestId);
    if (call === undefined) return this.#reportLate(reply.type, reply.requestId);
    const body = reply.body[0] ?? NULL_FRAME;
    const value = decodePayload(body);
    const failure = failureOf(reply, value, call.message);
    if (reply.type === "final") {
      if (failure !== undefined) return this.#fail(call, failure);
      this.#end(call);
      return this.#emit({ type: "final", call: call.call, value });
    }
    if (failure !== undefined) return this.#giveUp(call, failure);
    call.hasPartial = true;
    call.window?.onArrived(body.length);
    this.#restartTimer(call, now);
    this.#emit({ type: "partial", call: call.call, value });
  }

  #onNotice({ requestId, state, worker }: Extract<ToClient, { readonly type: "notice" }>): void {
    const call = this.#calls.get(requestId);
    if (call === undefined) return this.#reportLate("notice", requestId);
    const notice = worker === undefined ? { state } : { state, worker: display(worker) };
    call.notice = notice;
    this.#emit({ type: "progress", call: call.call, progress: { type: "notice", notice } });
  }

  #onRequestHeartbeat(requestId: RequestId): void {
    const call = this.#calls.get(requestId);
    if (call === undefined) return this.#reportLate("request-heartbeat", requestId);
    this.#emit({ type: "progress", call: call.call, progress: HEARTBEAT });
  }

  /** The broker itself failed the request. */
  #onFailure(requestId: RequestId, failure: Failure, now: Instant): void {
    const call = this.#calls.get(requestId);
    if (call === undefined) return this.#reportLate("failure", requestId);
    if (this.#capabilities.error && call.mayStartOver) {
      if (failure.code === "BROKER_LOST") return this.#send(call, now);
      if (failure.code === "CLOSED" && call.survivesStop) return this.#calls.keepWaiting(call);
    }
    this.#fail(call, this.#capabilities.error ? failure : fromWorker(failure));
  }

  /** A reply that names its request and could not be read. */
  #onMalformed(requestId: RequestId, violation: Violation): void {
    const call = this.#calls.get(requestId);
    if (call !== undefined) this.#giveUp(call, malformed(call.message, `${violation.clause}, ${violation.detail}`));
  }

  #onTick(now: Instant): void {
    for (let call = this.#calls.takeDue(now); call !== undefined; call = this.#calls.takeDue(now)) {
      this.#onTimeUp(call, now);
    }
  }

  #onTimeUp(call: Call, now: Instant): void {
    if (call.window?.isPacing && call.hasPartial && !call.isHalfway) return this.#onHalfTimeUp(call, now);
    // The broker has the same deadline and knows more: whether a worker ever had the request.
    if (!call.isInGrace && !call.isWaiting && this.#capabilities.error) {
      call.isInGrace = true;
      return this.#calls.setTimer(call, this.#options.limits.timeoutGraceMs, now);
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
    this.#emit({ type: "report-reads", call: call.call, after });
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
    const { window } = call;
    // A caller starts with `FIRST_REPORT` by itself.
    if (window !== undefined && (call.sends > 1 || !window.isPacing)) this.#reportReads(call, window.reportAfter);
  }

  /** P-STREAM-3: with the first credit, for flow control that the broker supports. */
  #withCredit({ message, window }: Call): RequestMessage {
    if (window === undefined) return message;
    const { type, service, requestId, body, trailer, options } = message;
    if (this.#capabilities.credit) {
      return { type, service, requestId, body, trailer, options, credit: window.start() };
    }
    window.stop();
    return message;
  }

  /** Ends a call that the broker may still have. */
  #giveUp(call: Call, failure: Failure): void {
    if (!call.isWaiting && this.#capabilities.cancel) {
      this.#emit({ type: "send", message: { type: "cancel", requestId: call.id } });
    }
    this.#fail(call, failure);
  }

  #fail(call: Call, failure: Failure): void {
    this.#end(call);
    this.#emit(failed(call, failure));
  }

  #end(call: Call): void {
    this.#calls.end(call);
    call.window?.stop();
  }

  #reportLate(message: BrokerMessage["type"], requestId: RequestId): void {
    this.#emit({ type: "report", event: { type: "late", message, requestId } });
  }
}
