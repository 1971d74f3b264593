// A worker's session with its own clock and a shell that records effects as lines of text.

import type { CallId } from "@pigato/peer/session";
import {
  type Capabilities,
  DEFAULT_REQUEST_OPTIONS,
  type DisconnectReason,
  type FromWorker,
  NO_CAPABILITIES,
  readText,
  requestId,
  serviceNameFromText,
  type ToWorker,
  type Violation,
  writeText,
} from "@pigato/protocol";
import { CoreAlarm, StepLimit } from "@pigato/testkit";
import type { Effect, Input } from "../session/effects.ts";
import type { SessionOptions } from "../session/options.ts";
import type { RequestRef } from "../session/request-table.ts";
import { Session } from "../session/session.ts";
import "./watch-sessions.ts";

export const BODY: Uint8Array = writeText('"data"');
export const OPTIONS: Uint8Array = writeText("{}");

export class SessionScenario {
  readonly session: Session;
  /** Whether `do` returns `pause`, `drain` and `finished` as well. */
  showsFlow = false;
  /** The send outcome of the next messages. */
  outcome: "queued" | "slow" | "congested" = "queued";
  readonly #calls: CallId[] = [];
  readonly #refs = new Map<CallId, RequestRef>();
  readonly #alarm: CoreAlarm;
  #now = 0;

  constructor(options: Partial<SessionOptions> = {}) {
    this.session = new Session({
      service: serviceNameFromText("echo"),
      addresses: ["tcp://one:1"],
      heartbeatMs: 1000,
      liveness: 3,
      backoff: { firstMs: 500, maxMs: 4000 },
      connectTimeoutMs: 2000,
      random: () => 0,
      concurrency: 100,
      maxInFlight: 100,
      stopTimeoutMs: 5000,
      maxHeldBytes: 1_000_000,
      negotiate: true,
      brokerAnswers: true,
      ...options,
    });
    this.#alarm = new CoreAlarm(this.session);
  }

  /** Handles an input, and the inputs that its effects cause. */
  do(input: Input): string[] {
    const lines: string[] = [];
    const inputs = [input];
    const deferred: Input[] = [];
    const limit = new StepLimit("effects cause inputs");
    for (let next = inputs.shift(); next !== undefined; next = inputs.shift() ?? deferred.shift()) {
      limit.onStep(this.#now);
      for (const effect of this.session.handle(next, this.#now)) {
        if (effect.type === "defer") (effect.until === "sent" ? inputs : deferred).push(effect.input);
        else if (effect.type === "send" && this.outcome !== "queued") inputs.push(this.#linkInput(effect));
        if (effect.type !== "send" || this.outcome !== "congested" || effect.isUrgent) this.#perform(effect, lines);
      }
      this.#alarm.onHandled(next);
    }
    return lines;
  }

  receive(message: ToWorker | Violation): string[] {
    return this.do({ type: "message", message });
  }

  /** @param credit the first credit, of a reply with flow control */
  request(id: string, address = "c1", credit?: number, timeoutMs = 60_000, hasInput = false): string[] {
    return this.receive({
      type: "request",
      address,
      requestId: requestId(id),
      service: serviceNameFromText("echo"),
      body: [BODY],
      trailer: [],
      options: { ...DEFAULT_REQUEST_OPTIONS, timeoutMs, hasInput },
      credit,
    });
  }

  input(id: string, ...chunks: readonly string[]): string[] {
    return this.receive({ type: "input", address: "c1", requestId: requestId(id), chunks: chunks.map(writeText) });
  }

  inputEnd(id: string): string[] {
    return this.receive({ type: "input-end", address: "c1", requestId: requestId(id) });
  }

  /** The handler of a call read this many chunks of its input since the last report. */
  read(index: number, chunks: number): string[] {
    return this.do({ type: "input-read", call: this.call(index), chunks });
  }

  cancel(id: string, reason?: DisconnectReason): string[] {
    return this.receive({ type: "cancel", address: "c1", requestId: requestId(id), ...(reason && { reason }) });
  }

  grant(id: string, chunks: number): string[] {
    return this.receive({ type: "credit", address: "c1", requestId: requestId(id), chunks });
  }

  /** The call that ran as number `index`, from 0; negative counts from the last one. */
  call(index: number): CallId {
    const call = this.#calls.at(index);
    if (call === undefined) throw new Error(`no call ${index}`);
    return call;
  }

  partial(index: number, body: Uint8Array = BODY): string[] {
    return this.do({ type: "partial", call: this.call(index), body: [body], options: OPTIONS });
  }

  final(index: number, body: Uint8Array = BODY, status = 0): string[] {
    return this.do({ type: "final", call: this.call(index), status, body: [body], options: OPTIONS });
  }

  reject(index: number): string[] {
    return this.do({ type: "reject", call: this.call(index), reason: BODY });
  }

  /** Advances the clock by `ms`, with a tick at every deadline. */
  advance(ms: number): string[] {
    const lines: string[] = [];
    this.#now = this.#alarm.advance(this.#now, ms, (at) => {
      this.#now = at;
      lines.push(...this.do({ type: "tick" }).map((line) => `${at}: ${line}`));
    });
    return lines;
  }

  connect(accepted: Capabilities = NO_CAPABILITIES): this {
    this.do({ type: "start" });
    this.do({ type: "link-up" });
    this.receive({ type: "ready", accepted });
    this.receive({ type: "heartbeat" });
    return this;
  }

  #linkInput({ message, isUrgent }: Extract<Effect, { readonly type: "send" }>): Input {
    if (this.outcome === "slow" || isUrgent) return { type: "link-slow" };
    return { type: "send-failed", message, isUrgent };
  }

  #perform(effect: Effect, lines: string[]): void {
    switch (effect.type) {
      case "pause":
      case "drain":
      case "finished":
        if (this.showsFlow) lines.push(`${effect.type} ${this.#refs.get(effect.call)?.requestId}`);
        return;
      case "defer":
      case "flush-soon":
        return;
      case "report-reads":
        if (this.showsFlow)
          lines.push(`report reads of ${this.#refs.get(effect.call)?.requestId} after ${effect.after}`);
        return;
      case "run":
        this.#calls.push(effect.call);
        this.#refs.set(effect.call, effect.request);
        break;
    }
    lines.push(this.#described(effect));
  }

  #described(effect: Effect): string {
    switch (effect.type) {
      case "send":
        return `${effect.isUrgent ? "send!" : "send"} ${describeMessage(effect.message)}`;
      case "open":
        return `open ${effect.address}`;
      case "run":
        return `run ${effect.request.requestId} of ${effect.request.address}`;
      case "input":
        return `input ${this.#refs.get(effect.call)?.requestId}: ${effect.chunks.map(readText)}`;
      case "input-end":
        return `input-end ${this.#refs.get(effect.call)?.requestId}`;
      case "abort":
        return `abort ${this.#refs.get(effect.call)?.requestId}: ${effect.failure.code}`;
      case "close":
        return effect.flush ? "close after writing" : "close";
      case "disconnected":
        return `disconnected: ${effect.reason}`;
      case "registration-refused":
        if (effect.reason === undefined) return "registration refused without a reason";
        return `registration refused: ${effect.reason.code}, ${effect.reason.message}`;
      case "services":
        return effect.isShared ? "services on this connection" : "services need other connections";
      case "service-accepted":
        return `accepted ${effect.service}`;
      case "service-refused":
        return `refused ${effect.service}: ${effect.reason.code}, ${effect.reason.message}`;
      case "report":
        return `report ${effect.message}`;
      default:
        return effect.type;
    }
  }
}

function describeMessage(message: FromWorker): string {
  switch (message.type) {
    case "ready":
      return `ready ${message.service}`;
    case "heartbeat":
      return `heartbeat ${message.concurrency}`;
    case "partials":
      return `partials ${message.requestId} to ${message.address}: ${message.chunks.map(readText)}`;
    case "partial":
    case "final":
      return `${message.type} ${message.requestId} to ${message.address}: ${message.status} ${message.body.map(readText)}`;
    case "credit":
      return `credit ${message.requestId} to ${message.address}: ${message.chunks}`;
    case "request-heartbeat":
    case "reject":
      return `${message.type} ${message.requestId} to ${message.address}`;
    default:
      return message.type;
  }
}
