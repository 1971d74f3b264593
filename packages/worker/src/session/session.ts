// The protocol of a worker on one connection to one broker, from start to stop: what it sends, which requests it accepts, when
// it leaves. The session decides; the shell in driver.ts opens links, sends messages, calls handlers and keeps time.
// `Connection` decides when to connect, `InFlightRequests` what to send of the replies.
//
// Stopping: the worker sends a heartbeat with concurrency 0, so that the broker sends no more requests. It rejects requests
// that still arrive, lets running requests finish, and sends DISCONNECT last.

import { Connection, type ConnectionStep, type LossReason, mayOffer } from "@pigato/peer/session";
import {
  type Capabilities,
  type DisconnectReason,
  display,
  type FromWorker,
  NO_CAPABILITIES,
  type RequestId,
  type ServiceName,
  type ToWorker,
  type Violation,
} from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";
import { type Effects, type Input, NO_EFFECTS, type WorkerRequest } from "./effects.ts";
import { FurtherServices } from "./further-services.ts";
import { InFlightRequests } from "./in-flight.ts";
import { closeLink, disconnectReport, failureOf, report, send, sendUrgently, tooLargeReply } from "./messages.ts";
import { offerIn, type SessionOptions, trusted } from "./options.ts";
import type { InFlightRequest, RequestRef } from "./request-table.ts";

type State =
  | { readonly phase: "stopped" }
  | { readonly phase: "running" }
  | {
      readonly phase: "draining";
      /** When the worker aborts requests that still run. */
      readonly giveUpAt: Instant;
      /** When the worker stops waiting for the broker's answer, after which no request is in transit. */
      readonly listenUntil: Instant;
    };

/** Milliseconds that an idle worker waits for the broker's answer before it leaves. */
const DRAIN_ANSWER_MS = 500;

export class Session {
  readonly options: SessionOptions;
  readonly #connection: Connection;
  readonly requests: InFlightRequests;
  readonly #further = new FurtherServices();
  #state: State = { phase: "stopped" };
  #concurrency: number;
  /** Heartbeats of this connection that the broker has not answered yet. */
  #unanswered = 0;
  #hasMoved = false;
  /** Since the last start or connection. */
  #lastRefusal: string | undefined;

  constructor(options: SessionOptions) {
    this.options = options;
    this.#connection = new Connection(options);
    this.requests = new InFlightRequests(options);
    this.#concurrency = options.concurrency;
  }

  handle(input: Input, now: Instant): Effects {
    switch (input.type) {
      case "message":
        return this.#onMessage(input.message, now);
      case "oversized":
        return this.#onOversized(input.message, input.detail, now);
      case "partial":
        return this.#afterReply(this.requests.onPartial(input, now), now);
      case "final":
        return this.#afterReply(this.requests.onFinal(input), now);
      case "reject":
        return this.#afterReply(this.requests.onReject(input), now);
      case "input-read":
        return this.requests.inputs.onRead(input, now);
      case "flush":
        return this.requests.onFlush();
      case "continue":
        return this.#afterReply(this.requests.onContinue(), now);
      case "link-slow":
        return this.requests.onLinkSlow();
      case "link-drained":
        return this.#afterReply(this.requests.onLinkDrained(), now);
      case "heartbeat":
        return this.#heartbeat();
      case "request-heartbeat":
        return this.#requestHeartbeat(this.requests.get(input.call));
      case "tick":
        return this.#onTick(now);
      case "send-failed":
        return this.#onSendFailed(input.message, input.isUrgent, now);
      case "undelivered":
        return [
          { type: "report", message: "the link lost a message to the broker: reconnecting" },
          ...this.#lose("unreachable", now),
        ];
      case "offer":
        return this.#onOffer(input.service);
      case "concurrency":
        this.#concurrency = input.concurrency;
        return this.#heartbeat();
      case "link-up":
        this.requests.negotiates = mayOffer(this.options.negotiate, input.announcement);
        return [...this.#follow(this.#connection.onLinkUp(now)), ...this.#onLinkUp()];
      case "receiving":
        this.#connection.onReceiving(now);
        return NO_EFFECTS;
      case "attempt-failed":
        return this.#follow(this.#connection.onAttemptFailed(now));
      case "link-lost":
        return this.#lose(input.reason, now);
      case "start":
        return this.#onStart(now);
      case "stop":
        return this.#onStop(now);
      default:
        return input satisfies never;
    }
  }

  nextDeadline(): Instant | undefined {
    this.#hasMoved = false;
    const ofRequests = earlier(this.requests.nextDeadline(), this.requests.inputs.nextDeadline());
    const next = earlier(this.#connection.nextDeadline(), ofRequests);
    if (this.#state.phase !== "draining") return next;
    return earlier(next, this.requests.size > 0 ? this.#state.giveUpAt : this.#state.listenUntil);
  }

  get mayWakeEarlier(): boolean {
    return this.#hasMoved || this.#state.phase === "draining" || this.requests.mayWakeEarlier;
  }

  #onStart(now: Instant): Effects {
    if (this.#state.phase !== "stopped") return NO_EFFECTS;
    this.#enter({ phase: "running" });
    this.#lastRefusal = undefined;
    return this.#follow(this.#connection.start(now));
  }

  #onStop(now: Instant): Effects {
    if (this.#state.phase !== "running") return NO_EFFECTS;
    const { stopTimeoutMs } = this.options;
    if (!this.#connection.isConnected || stopTimeoutMs === 0) return this.#leave();
    this.#enter({
      phase: "draining",
      giveUpAt: now + stopTimeoutMs,
      listenUntil: now + Math.min(stopTimeoutMs, DRAIN_ANSWER_MS),
    });
    const last = this.options.brokerAnswers ? this.#heartbeat() : NO_EFFECTS;
    return [...last, ...this.#leaveWhenDone(now)];
  }

  #onTick(now: Instant): Effects {
    if (this.requests.size > 0) this.#excuse(now);
    const expired = this.requests.onTick(now);
    const effects = [...expired, ...this.#follow(this.#connection.onTick(now))];
    const state = this.#state;
    if (state.phase !== "draining") return effects;
    if (now >= state.giveUpAt) return [...effects, ...this.#leave()];
    return [...effects, ...this.#leaveWhenDone(now)];
  }

  #onMessage(message: ToWorker | Violation, now: Instant): Effects {
    if (this.#connection.phase !== "open") return NO_EFFECTS;
    // DISCONNECT is no answer: a broker that rejects the worker with its first message was never connected.
    if (message.type === "disconnect") {
      return [...this.#onDisconnect(message.reason), ...this.#lose("disconnected", now)];
    }
    const steps = this.#follow(this.#connection.onReceived(now));
    const effects = this.#onCommand(message, now);
    if (steps.length === 0) return effects;
    return [...steps, ...effects, ...(message.type === "ready" ? NO_EFFECTS : this.#onAnswered(false))];
  }

  #onCommand(message: Exclude<ToWorker | Violation, { type: "disconnect" }>, now: Instant): Effects {
    switch (message.type) {
      case "request":
        return this.#onRequest(message, now);
      case "cancel":
        return [...this.requests.onCancel(message), ...this.#leaveWhenDone(now)];
      case "heartbeat":
        // P-HB-9: while it drains, an unmarked one may be one that the broker sent unasked.
        if (message.isDrained) this.#unanswered = 0;
        else if (this.#state.phase !== "draining" || !this.requests.capabilities.drain)
          this.#unanswered = Math.max(0, this.#unanswered - 1);
        return this.#leaveWhenDone(now);
      case "ready":
        this.requests.capabilities = message.accepted ?? NO_CAPABILITIES;
        return this.#onAnswered(this.requests.capabilities.services);
      case "service-answer":
        return this.#further.onAnswer(message);
      case "request-heartbeat":
        return this.#onRequestHeartbeat(message);
      case "credit":
        if (this.requests.capabilities.credit) return this.requests.onCredit(message);
        return [report("P-STREAM-1", "the broker granted credit, which was not negotiated")];
      case "input":
      case "input-end":
        return this.#afterReply(this.requests.onInput(message), now);
      case "violation":
        return [{ type: "report", message: `${message.clause}: ${message.detail}`, violation: message }];
      default:
        return message satisfies never;
    }
  }

  #onOffer(service: ServiceName): Effects {
    const effects = this.#further.add(service, this.#offer());
    return this.#state.phase === "running" && this.#connection.phase === "open" ? effects : NO_EFFECTS;
  }

  /** A broker that does not answer takes no further services either. */
  #onLinkUp(): Effects {
    return this.options.brokerAnswers ? NO_EFFECTS : this.#onAnswered(false);
  }

  #onAnswered(isShared: boolean): Effects {
    return this.#state.phase === "running" ? this.#further.onAnswered(isShared, this.#offer()) : NO_EFFECTS;
  }

  /** P-DISC-6. */
  #onDisconnect(reason: DisconnectReason | undefined): Effects {
    if (this.#connection.isConnected) return reason === undefined ? NO_EFFECTS : disconnectReport(reason);
    const message = reason?.message ?? "";
    if (message === this.#lastRefusal) return NO_EFFECTS;
    this.#lastRefusal = message;
    return [{ type: "registration-refused", reason }];
  }

  #onRequest(received: WorkerRequest, now: Instant): Effects {
    const request = trusted(received, this.requests.capabilities);
    const { address, requestId } = request;
    const added = this.requests.add(request);
    if (added === undefined) return [report("P-ADDR-2", `request ${display(requestId)} came again while it runs`)];
    if (this.#state.phase !== "draining" && this.requests.size <= this.#maxInFlight()) {
      const { brokerAnswers } = this.options;
      if (brokerAnswers && !this.requests.capabilities.cancel) {
        this.requests.expire(added, request.options.timeoutMs, now);
      }
      const hasInput = added.input !== undefined;
      return [{ type: "run", call: added.id, request, codec: this.requests.codecFor(request), hasInput }];
    }
    this.requests.remove(added);
    if (!this.options.brokerAnswers) {
      return [report("D-PEER-6", "dropped a request of the broker: the worker is busy or stops")];
    }
    return [send({ type: "reject", address, requestId, reason: undefined })];
  }

  /** P-SIZE-2: an error for this request, and the connection stays. */
  #onOversized(message: ToWorker | Violation, detail: string, now: Instant): Effects {
    if (this.#connection.phase !== "open") return NO_EFFECTS;
    const steps = this.#follow(this.#connection.onReceived(now));
    if (message.type === "request") return [...steps, send(tooLargeReply(message, detail))];
    if (message.type === "input") return [...steps, ...this.requests.inputs.onOversized(message, detail)];
    return [...steps, report("P-SIZE-2", detail)];
  }

  /** Reports to the client that the request still runs. The broker, not the worker, notices a silent client. */
  #onRequestHeartbeat(ref: RequestRef): Effects {
    return this.requests.capabilities.requestHeartbeat ? this.#requestHeartbeat(this.requests.find(ref)) : NO_EFFECTS;
  }

  /** A request may have ended with its reply. */
  #afterReply(effects: Effects, now: Instant): Effects {
    if (effects.length === 0) return effects;
    this.#excuse(now);
    return this.#state.phase === "draining" ? [...effects, ...this.#leaveWhenDone(now)] : effects;
  }

  #onSendFailed(message: FromWorker, isUrgent: boolean, now: Instant): Effects {
    switch (message.type) {
      case "partial":
      case "partials":
      case "credit":
        return this.requests.onNotSent(message);
      case "final":
      case "reject":
        return isUrgent ? this.#onEndNotSent(message.requestId, now) : [sendUrgently(message)];
      case "ready":
        return message.service === this.options.service ? NO_EFFECTS : this.#lose("unreachable", now);
      default:
        // The broker treats a lost heartbeat or DISCONNECT as silence.
        return NO_EFFECTS;
    }
  }

  #onEndNotSent(id: RequestId, now: Instant): Effects {
    const message = `cannot send the final reply to request ${display(id)}: the link to the broker is full; reconnecting`;
    return [{ type: "report", message }, ...this.#lose("unreachable", now)];
  }

  #lose(reason: LossReason, now: Instant): Effects {
    return this.#follow(this.#connection.onLost(reason, now));
  }

  #follow(steps: readonly ConnectionStep[]): Effects {
    if (steps.length === 0) return NO_EFFECTS;
    this.#hasMoved = true;
    return steps.flatMap((step) => this.#onStep(step));
  }

  #onStep(step: ConnectionStep): Effects {
    switch (step.type) {
      case "open":
        this.#unanswered = 0;
        this.#further.reset();
        this.requests.capabilities = this.options.fixed ?? NO_CAPABILITIES;
        return [{ type: "open", address: step.address }];
      case "greet":
        return [
          sendUrgently({ type: "ready", service: this.options.service, offer: this.#offer() }),
          ...(this.options.brokerAnswers ? this.#heartbeat() : NO_EFFECTS),
        ];
      case "connected":
        this.#lastRefusal = undefined;
        return [{ type: "connected" }];
      case "heartbeat":
        return this.#heartbeat();
      case "lost":
        return this.#onLost(step.reason, step.wasConnected);
      default:
        return step satisfies never;
    }
  }

  #onLost(reason: LossReason, wasConnected: boolean): Effects {
    const failure = failureOf("BROKER_LOST", `the connection to the broker was lost: ${reason}`);
    // The broker may be alive and still expect this worker. DISCONNECT makes it requeue the requests.
    const sendsDisconnect = reason === "silence" || (reason === "unreachable" && wasConnected);
    const effects = [...this.requests.abortAll(failure), ...closeLink(reason, wasConnected, sendsDisconnect)];
    if (this.#state.phase !== "draining") return effects;
    this.#connection.stop();
    this.#enter({ phase: "stopped" });
    return [...effects, { type: "stopped" }];
  }

  /** Leaves when no request runs and the broker has answered the heartbeat with concurrency 0. */
  #leaveWhenDone(now: Instant): Effects {
    const state = this.#state;
    if (state.phase !== "draining" || this.requests.size > 0) return NO_EFFECTS;
    return this.#unanswered === 0 || now >= state.listenUntil ? this.#leave() : NO_EFFECTS;
  }

  #leave(): Effects {
    const written = this.requests.onFlush();
    const aborts = this.requests.abortAll(failureOf("CLOSED", "the worker stopped before the request was done"));
    const isOpen = this.#connection.phase === "open";
    const [lost] = this.#connection.stop();
    const closing = lost?.type === "lost" ? closeLink(lost.reason, lost.wasConnected, isOpen) : NO_EFFECTS;
    this.#enter({ phase: "stopped" });
    return [...written, ...aborts, ...closing, { type: "stopped" }];
  }

  #maxInFlight(): number {
    const { maxInFlight } = this.options;
    return this.#concurrency === Number.POSITIVE_INFINITY ? maxInFlight : Math.max(maxInFlight, this.#concurrency);
  }

  #heartbeat(): Effects {
    if (this.#connection.phase !== "open") return NO_EFFECTS;
    if (this.options.brokerAnswers) this.#unanswered += 1;
    const concurrency = this.#state.phase === "draining" ? 0 : this.#concurrency;
    return [sendUrgently({ type: "heartbeat", concurrency, update: false })];
  }

  /** D-PEER-6: a Majordomo broker may be silent while a request runs. */
  #excuse(now: Instant): void {
    if (!this.options.brokerAnswers) this.#connection.excuse(now);
  }

  /** P-HB-6: an old broker may not know request heartbeats, so it gets the worker's own heartbeat. */
  #requestHeartbeat(request: InFlightRequest | undefined): Effects {
    if (request === undefined) return NO_EFFECTS;
    if (!this.requests.capabilities.requestHeartbeat) return this.#heartbeat();
    const { address, requestId } = request;
    return [send({ type: "request-heartbeat", address, requestId })];
  }

  #offer(): Capabilities | undefined {
    return this.requests.negotiates ? offerIn(this.options, this.#concurrency) : undefined;
  }

  #enter(state: State): void {
    this.#hasMoved = true;
    this.#state = state;
  }
}

function earlier(one: Instant | undefined, other: Instant | undefined): Instant | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
