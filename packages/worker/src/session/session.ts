// One worker's dealings with its broker, from start to stop: what to say, what to take, when to leave. It decides; the shell in
// driver.ts opens links, sends, runs handlers and keeps time. The life of the connection is `Connection`'s, what becomes of the
// requests that run is up to `Running`.
//
// Stopping: the broker is told to send nothing more (a heartbeat with concurrency 0), what still arrives is given back, what
// runs may finish, and DISCONNECT comes last.

import {
  type Capabilities,
  Connection,
  type ConnectionOptions,
  type ConnectionStep,
  display,
  type FromWorker,
  type Instant,
  type LossReason,
  NO_CAPABILITIES,
  type RequestId,
  type ServiceName,
  type ToWorker,
  type Violation,
} from "@pigato/protocol";
import type { Call, Named } from "./calls.ts";
import type { Effect, Input, WorkerRequest } from "./effects.ts";
import { failureOf, hangUp, send, sendUrgently, trouble } from "./outgoing.ts";
import { Running, type RunningOptions } from "./running.ts";

export interface SessionOptions extends ConnectionOptions, RunningOptions {
  readonly service: ServiceName;
  /** The most requests to be sent at a time; `Infinity` is no limit. */
  readonly concurrency: number;
  /** Requests in flight above which further ones are rejected, unless `concurrency` asks for more. */
  readonly maxInFlight: number;
  /** Milliseconds that running requests may go on after `stop`; with none, it leaves at once. */
  readonly stopTimeoutMs: number;
  /**
   * Whether it answers READY and heartbeats, as PIGATO has it. A Majordomo broker does not; nor must it be heard while a request
   * runs, nor does it take anything back (D-PEER-6).
   */
  readonly brokerAnswers: boolean;
}

type State =
  | { readonly phase: "stopped" }
  | { readonly phase: "running" }
  | {
      readonly phase: "draining";
      /** When requests that still run are cut off. */
      readonly giveUpAt: Instant;
      /** Until when to wait for the broker's word that nothing more is on its way to us. */
      readonly listenUntil: Instant;
    };

type Effects = readonly Effect[];

const NOTHING: Effects = [];

/** Milliseconds that a worker with nothing to do waits for the broker's last word before it leaves. */
const LAST_WORD_MS = 500;

export class Session {
  readonly #options: SessionOptions;
  readonly #connection: Connection;
  readonly #running: Running;
  #state: State = { phase: "stopped" };
  #concurrency: number;
  #accepted: Capabilities = NO_CAPABILITIES;
  /** Heartbeats of this life that the broker has not answered yet. */
  #unanswered = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#connection = new Connection(options);
    this.#running = new Running(options);
    this.#concurrency = options.concurrency;
  }

  /** What the broker of this connection can do beyond the classic wire. */
  get accepted(): Capabilities {
    return this.#accepted;
  }

  handle(input: Input, now: Instant): Effects {
    switch (input.type) {
      case "message":
        return this.#onMessage(input.message, now);
      case "partial":
      case "final":
      case "reject":
        return this.#afterHandler(this.#running.onHandler(input), input.call, now);
      case "flush":
        return this.#afterHandler(this.#running.onFlush(input.call), input.call, now);
      case "heartbeat":
        return this.#heartbeat();
      case "request-heartbeat":
        return this.#requestHeartbeat(input.call);
      case "tick":
        return this.#onTick(now);
      case "refused":
        return this.#onRefused(input.message, input.isUrgent, now);
      case "undelivered":
        return [
          { type: "trouble", message: "a message to the broker was lost on its way: connecting anew" },
          ...this.#lose("unreachable", now),
        ];
      case "concurrency":
        this.#concurrency = input.concurrency;
        return this.#heartbeat();
      case "link-up":
        return this.#follow(this.#connection.onLinkUp(now));
      case "link-down":
        return this.#lose("link-down", now);
      case "start":
        return this.#onStart(now);
      case "stop":
        return this.#onStop(now);
      default:
        return input satisfies never;
    }
  }

  nextDeadline(): Instant | undefined {
    const connection = this.#connection.nextDeadline();
    if (this.#state.phase !== "draining") return connection;
    const drain = this.#running.size > 0 ? this.#state.giveUpAt : this.#state.listenUntil;
    return connection === undefined ? drain : Math.min(connection, drain);
  }

  #onStart(now: Instant): Effects {
    if (this.#state.phase !== "stopped") return NOTHING;
    this.#enter({ phase: "running" });
    return this.#follow(this.#connection.start(now));
  }

  #onStop(now: Instant): Effects {
    if (this.#state.phase !== "running") return NOTHING;
    const { stopTimeoutMs } = this.#options;
    if (!this.#connection.isConnected || stopTimeoutMs === 0) return this.#leave();
    this.#enter({
      phase: "draining",
      giveUpAt: now + stopTimeoutMs,
      listenUntil: now + Math.min(stopTimeoutMs, LAST_WORD_MS),
    });
    // Where no answer comes, there is nothing that it could tell.
    const last = this.#options.brokerAnswers ? this.#heartbeat() : NOTHING;
    return [...last, ...this.#leaveWhenDone(now)];
  }

  #onTick(now: Instant): Effects {
    if (this.#running.size > 0) this.#excuse(now);
    const effects = this.#follow(this.#connection.onTick(now));
    const state = this.#state;
    if (state.phase !== "draining") return effects;
    if (now >= state.giveUpAt) return [...effects, ...this.#leave()];
    return [...effects, ...this.#leaveWhenDone(now)];
  }

  #onMessage(message: ToWorker | Violation, now: Instant): Effects {
    if (this.#connection.phase !== "open") return NOTHING;
    // A goodbye is no answer: a broker that refuses us with its first message never was connected.
    if (message.type === "disconnect") return this.#lose("disconnected", now);
    const heard = this.#follow(this.#connection.onHeard(now));
    const effects = this.#onCommand(message, now);
    return heard.length === 0 ? effects : [...heard, ...effects];
  }

  #onCommand(message: Exclude<ToWorker | Violation, { type: "disconnect" }>, now: Instant): Effects {
    switch (message.type) {
      case "request":
        return this.#onRequest(message);
      case "cancel":
        return this.#onCancel(message, now);
      case "heartbeat":
        this.#unanswered = Math.max(0, this.#unanswered - 1);
        return this.#leaveWhenDone(now);
      case "ready":
        this.#accepted = message.accepted ?? NO_CAPABILITIES;
        return NOTHING;
      case "request-heartbeat":
        return this.#onRequestHeartbeat(message);
      case "credit":
        if (this.#accepted.credit) return this.#running.onCredit(message);
        return [trouble("P-STREAM-1", "the broker granted credit, which was not negotiated")];
      case "input":
      case "input-end":
        return [trouble("P-STREAM-2", `the broker sent "${message.type}", which was not negotiated`)];
      case "violation":
        return [{ type: "trouble", message: `${message.clause}: ${message.detail}`, violation: message }];
      default:
        return message satisfies never;
    }
  }

  #onRequest(request: WorkerRequest): Effects {
    const call = this.#running.add(request, this.#accepted.credit);
    if (call === undefined)
      return [trouble("P-ADDR-2", `request ${display(request.requestId)} came again while it runs`)];
    if (this.#state.phase !== "draining" && this.#running.size <= this.#mostInFlight()) {
      return [{ type: "run", call, request }];
    }
    this.#running.forget(call);
    if (!this.#options.brokerAnswers) {
      return [trouble("D-PEER-6", "the broker sent a request that cannot be taken now, and it is dropped")];
    }
    return [send({ type: "reject", address: call.address, requestId: call.requestId, reason: undefined })];
  }

  #onCancel(named: Named, now: Instant): Effects {
    const call = this.#running.find(named);
    if (call === undefined) return NOTHING;
    this.#running.forget(call);
    const failure = failureOf("CANCELED", `the caller of request ${display(call.requestId)} gave it up`);
    return [{ type: "abort", call, failure }, ...this.#leaveWhenDone(now)];
  }

  /**
   * Its client still waits, and learns that the request still runs. Requests end by a cancel, not for want of such signs:
   * the broker judges the client.
   */
  #onRequestHeartbeat(named: Named): Effects {
    const call = this.#running.find(named);
    return call !== undefined && this.#accepted.requestHeartbeat ? this.#requestHeartbeat(call) : NOTHING;
  }

  /** A handler has said something, perhaps its last word. */
  #afterHandler(effects: Effects, call: Call, now: Instant): Effects {
    if (call.isInFlight || effects.length === 0) return effects;
    this.#excuse(now);
    return this.#state.phase === "draining" ? [...effects, ...this.#leaveWhenDone(now)] : effects;
  }

  #onRefused(message: FromWorker, isUrgent: boolean, now: Instant): Effects {
    switch (message.type) {
      case "partial":
      case "partials":
        return this.#running.onRefusedPartial(message);
      case "final":
      case "reject":
        return isUrgent ? this.#onRefusedEnd(message.requestId, now) : [sendUrgently(message)];
      default:
        // Heartbeats and goodbyes say nothing that silence does not say in the end.
        return NOTHING;
    }
  }

  #onRefusedEnd(id: RequestId, now: Instant): Effects {
    const message = `the link cannot take the end of request ${display(id)}: connecting anew`;
    return [{ type: "trouble", message }, ...this.#lose("unreachable", now)];
  }

  #lose(reason: LossReason, now: Instant): Effects {
    return this.#follow(this.#connection.onLost(reason, now));
  }

  #follow(steps: readonly ConnectionStep[]): Effects {
    return steps.length === 0 ? NOTHING : steps.flatMap((step) => this.#onStep(step));
  }

  #onStep(step: ConnectionStep): Effects {
    switch (step.type) {
      case "open":
        this.#unanswered = 0;
        this.#accepted = NO_CAPABILITIES;
        return [{ type: "open", address: step.address }];
      case "greet":
        return [
          sendUrgently({ type: "ready", service: this.#options.service, offer: this.#offer() }),
          ...(this.#options.brokerAnswers ? this.#heartbeat() : NOTHING),
        ];
      case "connected":
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
    // The broker may well be there and hold this life for alive: it must not keep requests for it.
    const saysGoodbye = reason === "silence" || (reason === "unreachable" && wasConnected);
    const effects = [...this.#running.abortAll(failure), ...hangUp(reason, wasConnected, saysGoodbye)];
    if (this.#state.phase !== "draining") return effects;
    this.#connection.stop();
    this.#enter({ phase: "stopped" });
    return [...effects, { type: "stopped" }];
  }

  /** Leaves as soon as nothing runs and the broker has answered the heartbeat that told it to send nothing more. */
  #leaveWhenDone(now: Instant): Effects {
    const state = this.#state;
    if (state.phase !== "draining" || this.#running.size > 0) return NOTHING;
    return this.#unanswered === 0 || now >= state.listenUntil ? this.#leave() : NOTHING;
  }

  #leave(): Effects {
    const aborts = this.#running.abortAll(failureOf("CLOSED", "the worker stopped before the request was done"));
    const isOpen = this.#connection.phase === "open";
    const [lost] = this.#connection.stop();
    const closing = lost?.type === "lost" ? hangUp(lost.reason, lost.wasConnected, isOpen) : NOTHING;
    this.#enter({ phase: "stopped" });
    return [...aborts, ...closing, { type: "stopped" }];
  }

  #mostInFlight(): number {
    const { maxInFlight } = this.#options;
    return this.#concurrency === Number.POSITIVE_INFINITY ? maxInFlight : Math.max(maxInFlight, this.#concurrency);
  }

  #heartbeat(): Effects {
    if (this.#connection.phase !== "open") return NOTHING;
    if (this.#options.brokerAnswers) this.#unanswered += 1;
    const concurrency = this.#state.phase === "draining" ? 0 : this.#concurrency;
    return [sendUrgently({ type: "heartbeat", concurrency, update: false })];
  }

  /** D-PEER-6: brokers there are written for workers that hear nothing while they work. */
  #excuse(now: Instant): void {
    if (!this.#options.brokerAnswers) this.#connection.excuse(now);
  }

  /** P-HB-6: of an old broker nobody knows what it does with it, and the worker's own says as much there. */
  #requestHeartbeat(call: Call): Effects {
    if (!call.isInFlight) return NOTHING;
    if (!this.#accepted.requestHeartbeat) return this.#heartbeat();
    const { address, requestId } = call;
    return [send({ type: "request-heartbeat", address, requestId })];
  }

  #offer(): Capabilities | undefined {
    if (!this.#options.negotiate) return undefined;
    return {
      ...NO_CAPABILITIES,
      cancel: true,
      error: true,
      requestHeartbeat: true,
      partials: true,
      credit: true,
      heartbeatMs: this.#options.heartbeatMs,
      concurrency: this.#concurrency,
    };
  }

  #enter(state: State): void {
    this.#state = state;
  }
}
