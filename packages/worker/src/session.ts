// One worker's dealings with its broker: what to send, which requests run, what to tell their handlers. It decides; the
// shell in worker.ts opens links, sends, runs handlers and keeps time. The life of the connection is `Connection`'s.
//
// What always holds:
// - A request runs from its `run` effect until its final, its rejection, its `abort` or the end of the connection.
//   Whatever a handler says about it afterwards is dropped: one final each, and nothing of one connection ever
//   reaches the broker through another (P-DISC-2).
// - A reply that the link refuses never vanishes in silence: the request is failed, or the connection is given up.
// - Stopping: the broker is told to send nothing more (a heartbeat with concurrency 0), what still arrives is given
//   back, what runs may finish, and DISCONNECT comes last.

import {
  type Capabilities,
  Connection,
  type ConnectionOptions,
  type ConnectionStep,
  encodePayload,
  type Failure,
  type Frame,
  type FromWorker,
  type Instant,
  type LossReason,
  NO_CAPABILITIES,
  NULL_FRAME,
  type RequestId,
  type ServiceName,
  type ToWorker,
  type Violation,
} from "@pigato/protocol";
import type { Call, SessionEffect, SessionInput, WorkerRequest } from "./effects.ts";

export interface SessionOptions extends ConnectionOptions {
  readonly service: ServiceName;
  /** The most requests to be sent at a time; `Infinity` is no limit. */
  readonly concurrency: number;
  /** Requests in flight above which further ones are rejected. */
  readonly maxInFlight: number;
  /** Milliseconds that running requests may go on after `stop`. */
  readonly stopTimeoutMs: number;
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

type Effects = readonly SessionEffect[];

const NOTHING: Effects = [];

/** Milliseconds that a worker with nothing to do waits for the broker's last word before it leaves. */
const LAST_WORD_MS = 500;

export class Session {
  readonly #options: SessionOptions;
  readonly #connection: Connection;
  readonly #calls = new Map<string, Call>();
  #state: State = { phase: "stopped" };
  #concurrency: number;
  #accepted: Capabilities = NO_CAPABILITIES;
  /** Heartbeats of this life that the broker has not answered yet. */
  #unanswered = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#connection = new Connection(options);
    this.#concurrency = options.concurrency;
  }

  /** What the broker of this connection can do beyond the classic wire. */
  get accepted(): Capabilities {
    return this.#accepted;
  }

  handle(input: SessionInput, now: Instant): Effects {
    switch (input.type) {
      case "message":
        return this.#onMessage(input.message, now);
      case "final":
        return this.#onFinal(input, now);
      case "partial":
        return this.#onPartial(input);
      case "reject":
        return this.#onReject(input.call, input.reason, now);
      case "heartbeat":
        return this.#heartbeat();
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
    const drain = this.#calls.size > 0 ? this.#state.giveUpAt : this.#state.listenUntil;
    return connection === undefined ? drain : Math.min(connection, drain);
  }

  #onStart(now: Instant): Effects {
    if (this.#state.phase !== "stopped") return NOTHING;
    this.#enter({ phase: "running" });
    return this.#follow(this.#connection.start(now));
  }

  #onStop(now: Instant): Effects {
    if (this.#state.phase !== "running") return NOTHING;
    if (!this.#connection.isConnected) return this.#leave();
    const { stopTimeoutMs } = this.#options;
    this.#enter({
      phase: "draining",
      giveUpAt: now + stopTimeoutMs,
      listenUntil: now + Math.min(stopTimeoutMs, LAST_WORD_MS),
    });
    return [...this.#heartbeat(), ...this.#leaveWhenDone(now)];
  }

  #onTick(now: Instant): Effects {
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
        // A sign that its client still waits. Requests end by a cancel, not for want of such signs.
        return NOTHING;
      case "credit":
      case "input":
      case "input-end":
        return [trouble("P-TYPE-1", `the broker sent "${message.type}", which was not negotiated`)];
      case "violation":
        return [trouble(message.clause, message.detail)];
      default:
        return message satisfies never;
    }
  }

  #onRequest(request: WorkerRequest): Effects {
    const { address, requestId } = request;
    const call: Call = { address, requestId, key: keyOf(request) };
    if (this.#calls.has(call.key)) {
      return [trouble("P-DSP-2", `the broker sent request ${requestId} a second time while it runs`)];
    }
    if (this.#state.phase === "draining" || this.#calls.size >= this.#options.maxInFlight) {
      return [{ type: "send", message: { type: "reject", address, requestId, reason: undefined }, isUrgent: false }];
    }
    this.#calls.set(call.key, call);
    return [{ type: "run", call, request }];
  }

  #onCancel(message: { readonly address: string; readonly requestId: RequestId }, now: Instant): Effects {
    const call = this.#calls.get(keyOf(message));
    if (call === undefined) return NOTHING;
    const failure = failureOf("CANCELED", `the caller of request ${call.requestId} gave it up`);
    return [this.#abort(call, failure), ...this.#leaveWhenDone(now)];
  }

  #onPartial(input: { readonly call: Call; readonly body: Frame; readonly options: Frame }): Effects {
    const { call, body, options } = input;
    if (!this.#isRunning(call)) return NOTHING;
    const { address, requestId } = call;
    const trailer = [options];
    return [
      {
        type: "send",
        message: { type: "partial", address, requestId, status: 0, body: [body], trailer },
        isUrgent: false,
      },
    ];
  }

  #onFinal(
    input: { readonly call: Call; readonly status: number; readonly body: Frame; readonly options: Frame },
    now: Instant,
  ): Effects {
    const { call, status, body, options } = input;
    if (!this.#isRunning(call)) return NOTHING;
    this.#calls.delete(call.key);
    const { address, requestId } = call;
    const message: FromWorker = { type: "final", address, requestId, status, body: [body], trailer: [options] };
    const send: SessionEffect = { type: "send", message, isUrgent: false };
    return this.#state.phase === "draining" ? [send, ...this.#leaveWhenDone(now)] : [send];
  }

  #onReject(call: Call, reason: Frame | undefined, now: Instant): Effects {
    if (!this.#isRunning(call)) return NOTHING;
    this.#calls.delete(call.key);
    const { address, requestId } = call;
    return [
      { type: "send", message: { type: "reject", address, requestId, reason }, isUrgent: false },
      ...this.#leaveWhenDone(now),
    ];
  }

  #onRefused(message: FromWorker, isUrgent: boolean, now: Instant): Effects {
    switch (message.type) {
      case "partial":
        return this.#onRefusedPartial(message);
      case "final":
      case "reject":
        if (!isUrgent) return [{ type: "send", message, isUrgent: true }];
        return [
          { type: "trouble", message: `the link cannot take the end of request ${message.requestId}: connecting anew` },
          ...this.#lose("unreachable", now),
        ];
      default:
        // Heartbeats and goodbyes say nothing that silence does not say in the end.
        return NOTHING;
    }
  }

  /** A reply with a hole in it is worse than none: the request is failed. */
  #onRefusedPartial(message: { readonly address: string; readonly requestId: RequestId }): Effects {
    const call = this.#calls.get(keyOf(message));
    if (call === undefined) return NOTHING;
    const { address, requestId } = call;
    const failure = failureOf("BUSY", `the link to the broker is full: request ${requestId} cannot go on replying`);
    const body = [encodePayload({ name: "RequestError", message: failure.message, code: failure.code }, NULL_FRAME)];
    return [
      {
        type: "send",
        message: { type: "final", address, requestId, status: -1, body, trailer: [] },
        isUrgent: true,
      },
      this.#abort(call, failure),
    ];
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
          {
            type: "send",
            message: { type: "ready", service: this.#options.service, offer: this.#offer() },
            isUrgent: true,
          },
          ...this.#heartbeat(),
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
    const effects = this.#abortAll(failureOf("BROKER_LOST", `the connection to the broker was lost: ${reason}`));
    // The broker may well be there and hold this life for alive: it must not keep requests for it.
    if (reason === "silence" || (reason === "unreachable" && wasConnected)) effects.push(GOODBYE);
    effects.push({ type: "close" });
    if (wasConnected) effects.push({ type: "disconnected", reason });
    if (this.#state.phase === "draining") {
      this.#connection.stop();
      this.#enter({ phase: "stopped" });
      effects.push({ type: "stopped" });
    }
    return effects;
  }

  /** Leaves as soon as nothing runs and the broker has answered the heartbeat that told it to send nothing more. */
  #leaveWhenDone(now: Instant): Effects {
    const state = this.#state;
    if (state.phase !== "draining" || this.#calls.size > 0) return NOTHING;
    return this.#unanswered === 0 || now >= state.listenUntil ? this.#leave() : NOTHING;
  }

  #leave(): Effects {
    const effects = this.#abortAll(failureOf("CLOSED", "the worker stopped before the request was done"));
    if (this.#connection.phase === "open") effects.push(GOODBYE);
    this.#enter({ phase: "stopped" });
    return [...effects, ...this.#follow(this.#connection.stop()), { type: "stopped" }];
  }

  #abort(call: Call, failure: Failure): SessionEffect {
    this.#calls.delete(call.key);
    return { type: "abort", call, failure };
  }

  #abortAll(failure: Failure): SessionEffect[] {
    return [...this.#calls.values()].map((call) => this.#abort(call, failure));
  }

  #isRunning(call: Call): boolean {
    return this.#calls.get(call.key) === call;
  }

  #heartbeat(): Effects {
    if (this.#connection.phase !== "open") return NOTHING;
    this.#unanswered += 1;
    const concurrency = this.#state.phase === "draining" ? 0 : this.#concurrency;
    return [{ type: "send", message: { type: "heartbeat", concurrency, update: false }, isUrgent: true }];
  }

  #offer(): Capabilities {
    return {
      ...NO_CAPABILITIES,
      cancel: true,
      error: true,
      heartbeatMs: this.#options.heartbeatMs,
      concurrency: this.#concurrency,
    };
  }

  #enter(state: State): void {
    this.#state = state;
  }
}

const GOODBYE: SessionEffect = { type: "send", message: { type: "disconnect" }, isUrgent: true };

/** The length keeps two pairs apart whose concatenations are equal. */
function keyOf(named: { readonly address: string; readonly requestId: RequestId }): string {
  return `${named.address.length} ${named.address}${named.requestId}`;
}

function failureOf(code: Failure["code"], message: string): Failure {
  return { code, message, delivery: "maybe-executed" };
}

function trouble(clause: string, detail: string): SessionEffect {
  return { type: "trouble", message: `${clause}: ${detail}` };
}
