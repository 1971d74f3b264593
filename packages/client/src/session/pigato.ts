// The requests of a client that speaks PIGATO: when they are sent and sent again, and how they end. Every accepted request ends
// exactly once, with a final or a failure, and nothing follows its end. Capabilities are negotiated for each connection.

import { type Connection, type LossReason, mayOffer, type Negotiation } from "@pigato/peer/session";
import {
  type Capabilities,
  display,
  type Failure,
  NO_CAPABILITIES,
  type RequestId,
  type ToClient,
  type Violation,
} from "@pigato/protocol";
import {
  announcedBounds,
  boundsIn,
  DEFAULT_SIZE_BOUNDS,
  type Instant,
  OMDP_CAPABILITIES,
  offerOf,
  type SizeBounds,
  sharedCapabilities,
} from "@pigato/protocol/internal";
import { isClassic, obstacleTo } from "./broker-support.ts";
import { type Call, Calls } from "./calls.ts";
import type { BrokerMessage, Effect, Progress, RequestInput, RequestMessage } from "./effects.ts";
import {
  brokerLost,
  canceled,
  congested,
  deadlineExceeded,
  failureOf,
  fromWorker,
  malformed,
  timeUp,
} from "./failures.ts";
import { InputStreams } from "./input-streams.ts";
import { Pacing } from "./pacing.ts";
import { ReplyValues } from "./reply-values.ts";
import { RequestHeartbeats } from "./request-heartbeats.ts";
import { afterAll, pauseAfter, survivesFailure, survivesLoss } from "./restart.ts";
import { type Exchange, type ExchangeInput, Session, type SessionOptions } from "./session.ts";
import { tagged } from "./tags.ts";

type CallInput = Exclude<ExchangeInput, { readonly type: "request" | "message" | "heartbeat" | "tick" | "input-flow" }>;
type Reply = Extract<ToClient, { readonly type: "partial" | "final" }>;

const HEARTBEAT: Progress = Object.freeze({ type: "heartbeat" });

export function pigatoSession(options: SessionOptions): Session {
  return new Session(options, PigatoExchange);
}

/** zmq-omdp: the requests of PIGATO. Its brokers send no heartbeats to clients, so only the link shows their loss (D-PEER-8). */
export function omdpSession(options: SessionOptions): Session {
  const connection = { ...options.connection, liveness: Number.POSITIVE_INFINITY, brokerAnswers: false };
  return new Session({ ...options, connection, negotiate: false, fixed: OMDP_CAPABILITIES }, PigatoExchange);
}

class PigatoExchange implements Exchange {
  readonly #options: SessionOptions;
  readonly #negotiate: Negotiation;
  readonly #ownOffer: Capabilities;
  /** The capabilities that it offers on this connection. */
  #offer: Capabilities | undefined;
  readonly #connection: Pick<Connection, "phase">;
  readonly #emit: (effect: Effect) => void;
  readonly calls: Calls;
  readonly #heartbeats: RequestHeartbeats;
  readonly #pacing: Pacing;
  readonly #inputs: InputStreams;
  readonly #values: ReplyValues;
  /** The capabilities that both sides support on this connection: none, until the broker answers the offer. */
  #capabilities: Capabilities;
  /** Whether the broker of this connection answered the offer, and so knows more than the classic wire. */
  #isOfferAnswered = false;
  /** Whether the broker has answered. A request with flow control waits for that, because it carries the first credit. */
  #isBrokerKnown = false;

  constructor(options: SessionOptions, connection: Pick<Connection, "phase">, emit: (effect: Effect) => void) {
    const {
      connection: { heartbeatMs },
      limits,
      negotiate,
      sizeBounds = DEFAULT_SIZE_BOUNDS,
      codecs,
    } = options;
    this.#options = options;
    this.#capabilities = options.fixed ?? NO_CAPABILITIES;
    this.#ownOffer = offerOf("client", {
      heartbeatMs,
      // A client that behaves as the original may have an option of its own with the name `method`.
      methods: negotiate !== "announced",
      ...(codecs && { codecs: codecs.installed }),
      ...announcedBounds(sizeBounds),
    });
    this.#negotiate = negotiate;
    this.#connection = connection;
    this.#emit = emit;
    this.calls = new Calls(limits, emit);
    this.#heartbeats = new RequestHeartbeats(this.calls, emit);
    this.#pacing = new Pacing(this.calls, emit);
    const giveUp = (call: Call, failure: Failure): void => this.#giveUp(call, failure);
    this.#inputs = new InputStreams({ pacing: this.#pacing, emit, giveUp });
    this.#values = new ReplyValues(codecs);
  }

  get openCount(): number {
    return this.calls.size;
  }

  get knownBounds(): SizeBounds | undefined {
    return this.#isBrokerKnown ? this.#inputs.brokerBounds : undefined;
  }

  nextDeadline(): Instant | undefined {
    return this.calls.nextDeadline();
  }

  get mayWakeEarlier(): boolean {
    return this.calls.mayWakeEarlier;
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
      case "input-flow":
        this.#inputs.onFlow(input.event);
        break;
      default: {
        const call = this.calls.get(input.requestId);
        if (call !== undefined) this.#onCallInput(call, input, now);
      }
    }
  }

  isFromBroker(message: BrokerMessage | Violation): boolean {
    return message.type !== "violation" || message.clause !== "P-MSG-1";
  }

  onLinkUp(announcement: string | undefined): void {
    this.#offer = mayOffer(this.#negotiate, announcement) ? this.#ownOffer : undefined;
  }

  greet(now: Instant): void {
    this.#sendHeartbeat();
    // Without an offer there is no answer to wait for.
    this.#isBrokerKnown = this.#offer === undefined;
    this.#sendAll(this.calls.takeWaiting(true), now);
  }

  heartbeat(now: Instant): void {
    this.#sendHeartbeat();
    // Requests that the link returned are sent again with the next heartbeat, not in a busy loop with a failing link.
    this.#sendAll(this.calls.takeWaiting(false), now);
    if (this.#capabilities.requestHeartbeat) this.#heartbeats.sendLong(now - this.#options.connection.heartbeatMs);
  }

  onLost(reason: LossReason): void {
    this.#isOfferAnswered = false;
    this.#capabilities = this.#options.fixed ?? NO_CAPABILITIES;
    this.#isBrokerKnown = false;
    this.#inputs.onLost();
    for (const call of this.calls.all()) {
      if (call.isWaiting) continue;
      call.earlier = "maybe-executed";
      if (survivesLoss(call)) this.calls.keepWaiting(call);
      else this.calls.fail(call, afterAll(call, brokerLost(call, reason)));
      if (call.isWaiting) this.#inputs.suspend(call.input);
    }
  }

  close(): void {
    this.calls.close();
    // An old broker does not know DISCONNECT of a client.
    if (this.#isOfferAnswered) this.#emit({ type: "send", message: { type: "disconnect" } });
  }

  settle(): void {}

  /** The broker's first message answers the offer, if it knows offers. */
  #onBrokerKnown(now: Instant): void {
    if (this.#connection.phase !== "open") return;
    this.#isBrokerKnown = true;
    this.#sendAll(this.calls.takeWaiting(false), now);
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
        this.#inputs.brokerBounds = boundsIn(message.accepted);
        return;
      case "violation":
        this.#emit({ type: "report", event: { type: "violation", violation: message } });
        if (message.requestId !== undefined) this.#onMalformed(message.requestId, message);
        return;
      case "notice":
        if (this.#capabilities.notice) return this.#onNotice(message);
        return this.#reportUnsupported(message);
      case "credit":
        if (this.#capabilities.duplex) return this.#onGrant(message, now);
        return this.#reportUnsupported(message);
      // Not used in this direction.
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

  /** P-NEG-4: each heartbeat repeats the offer, because the broker may have restarted. */
  #sendHeartbeat(): void {
    this.#emit({ type: "send", message: { type: "heartbeat", offer: this.#offer } });
  }

  #accept(input: RequestInput, now: Instant): void {
    const goesNow = this.#canSend(input.isPaced, input.message);
    const call = this.calls.accept(input, !goesNow);
    if (call === undefined) return;
    call.input = this.#inputs.open(input);
    const { deadlineMs, options } = input.message;
    if (deadlineMs !== undefined) call.deadlineAt = now + deadlineMs;
    if (goesNow) return this.#send(call, now);
    this.calls.setTimer(call, Math.min(options.timeoutMs, options.acceptTimeoutMs ?? options.timeoutMs), now);
    this.calls.keepWaiting(call);
  }

  #onCallInput(call: Call, input: CallInput, now: Instant): void {
    switch (input.type) {
      case "cancel":
        return this.#giveUp(call, canceled(call.message, call.delivery, input.reason));
      case "read":
        return this.#pacing.onRead(call, input.chunks, now);
      case "input":
      case "input-end":
      case "input-invalid":
        return this.#inputs.onSource(call, input, now);
      case "request-heartbeat":
        return this.#heartbeats.send(call);
      case "send-failed":
        // Without the credit, the rest of the reply might never arrive. Without a chunk, the input has a gap.
        if (input.message !== "request") return this.#giveUp(call, congested(call.message, call.delivery));
        call.returns += 1;
        return this.calls.fail(call, congested(call.message, call.delivery));
      case "undelivered":
        if (call.isWaiting) return;
        call.returns += 1;
        return this.calls.keepWaiting(call);
      default:
        return input satisfies never;
    }
  }

  #sendAll(calls: readonly Call[], now: Instant): void {
    for (const call of calls) {
      if (this.#canSend(call.window !== undefined, call.message)) this.#send(call, now);
      else this.calls.keepWaiting(call);
    }
  }

  /** Whether a request must wait to know what the broker supports: flow control, its codec, its tags, input. */
  #canSend(isPaced: boolean, message: RequestMessage): boolean {
    if (this.#connection.phase !== "open") return false;
    return this.#isBrokerKnown || (!isPaced && isClassic(message));
  }

  #onReply(reply: Reply, now: Instant): void {
    const call = this.calls.get(reply.requestId);
    if (call === undefined) return this.#reportLate(reply.type, reply.requestId);
    const value = this.#values.read(reply, call.message.options.accept);
    const failure = failureOf(reply, value, call.message);
    if (reply.type === "final") {
      if (failure !== undefined) return this.calls.fail(call, failure);
      this.calls.end(call);
      return this.#emit({ type: "final", call: call.call, value, options: reply.trailer[0] });
    }
    if (failure !== undefined) return this.#giveUp(call, failure);
    call.hasPartial = true;
    this.#pacing.onArrived(call, reply.body, now);
    this.#emit({ type: "partial", call: call.call, value, options: reply.trailer[0] });
  }

  #onGrant({ requestId, chunks }: Extract<ToClient, { readonly type: "credit" }>, now: Instant): void {
    const call = this.calls.get(requestId);
    if (call === undefined) this.#reportLate("credit", requestId);
    else this.#inputs.onGrant(call, chunks, now);
  }

  #onNotice({ requestId, state, worker }: Extract<ToClient, { readonly type: "notice" }>): void {
    const call = this.calls.get(requestId);
    if (call === undefined) return this.#reportLate("notice", requestId);
    const notice = worker === undefined ? { state } : { state, worker: display(worker) };
    call.notice = notice;
    this.#emit({ type: "progress", call: call.call, progress: { type: "notice", notice } });
  }

  #onRequestHeartbeat(requestId: RequestId): void {
    const call = this.calls.get(requestId);
    if (call === undefined) return this.#reportLate("request-heartbeat", requestId);
    // D-OMDP-6: the first heartbeat says that a worker has the request.
    const isNotice = this.#options.fixed !== undefined && call.message.options.notices && call.notice === undefined;
    if (isNotice) return this.#onNotice({ type: "notice", requestId, state: "dispatched", worker: undefined });
    this.#emit({ type: "progress", call: call.call, progress: HEARTBEAT });
  }

  /** The broker itself failed the request. */
  #onFailure(requestId: RequestId, failure: Failure, now: Instant): void {
    const call = this.calls.get(requestId);
    if (call === undefined) return this.#reportLate("failure", requestId);
    if (!this.#capabilities.error) return this.calls.fail(call, fromWorker(failure));
    if (!survivesFailure(call, failure)) return this.calls.fail(call, afterAll(call, failure));
    this.#inputs.suspend(call.input);
    const { backoff, random } = this.#options.connection;
    this.calls.pause(call, pauseAfter(call, failure, backoff, random()), now);
  }

  /** A reply to this request could not be read. */
  #onMalformed(requestId: RequestId, violation: Violation): void {
    const call = this.calls.get(requestId);
    if (call !== undefined) this.#giveUp(call, malformed(call.message, `${violation.clause}, ${violation.detail}`));
  }

  #onTick(now: Instant): void {
    for (let call = this.calls.takePaused(now); call !== undefined; call = this.calls.takePaused(now)) {
      this.#sendAll([call], now);
    }
    for (let call = this.calls.takeDue(now); call !== undefined; call = this.calls.takeDue(now)) {
      this.#onTimeUp(call, now);
    }
  }

  #onTimeUp(call: Call, now: Instant): void {
    const isOver = call.isDeadlineOver(now);
    if (!isOver && this.#pacing.onHalfTimeUp(call, now)) return;
    // The broker has the same deadline and knows whether a worker received the request.
    const { error, deadline } = this.#capabilities;
    if (!call.isInGrace && !call.isWaiting && error && (deadline || !isOver)) {
      call.isInGrace = true;
      return this.calls.setTimer(call, this.#options.limits.timeoutGraceMs, now);
    }
    this.#giveUp(call, isOver ? deadlineExceeded(call) : timeUp(call));
  }

  #send(call: Call, now: Instant): void {
    if (call.isDeadlineOver(now)) return this.calls.fail(call, afterAll(call, deadlineExceeded(call)));
    const message = tagged(call, this.#capabilities, now);
    const obstacle = obstacleTo(call, message, this.#capabilities, this.#inputs.brokerBounds);
    if (obstacle !== undefined) return this.calls.fail(call, obstacle);
    this.calls.onSent(call, now);
    call.notice = undefined;
    if (call.window === undefined) this.#emit({ type: "send", message });
    else this.#pacing.send(call, call.window, message, this.#capabilities.credit);
  }

  /** Ends a call that the broker may still have. */
  #giveUp(call: Call, failure: Failure): void {
    if (!call.isWaiting && this.#capabilities.cancel) {
      this.#emit({ type: "send", message: { type: "cancel", requestId: call.id } });
    }
    this.calls.fail(call, failure);
  }

  #reportLate(message: BrokerMessage["type"], requestId: RequestId): void {
    this.#emit({ type: "report", event: { type: "late", message, requestId } });
  }
}
