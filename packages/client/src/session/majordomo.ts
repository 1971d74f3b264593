// The protocol of a client that speaks Majordomo. A reply carries no id, so one request is with the broker at a time and the
// others wait (D-PEER-1). A broker sends nothing but replies, so only the link or a request's timeout shows that it is lost
// (D-PEER-2). After the end of a request, a late reply could be taken for that of the next one: the client continues on a new
// link with a new id, where no late reply can reach it.
//
// The states are those of session.ts.

import { type CallId, Connection, type ConnectionStep, type LossReason } from "@pigato/peer/session";
import type { Failure, ToClient, Violation } from "@pigato/protocol";
import { type Instant, readRawBody, violation } from "@pigato/protocol/internal";
import { type Call, Calls } from "./calls.ts";
import type { BrokerMessage, Effect, Input, RequestInput, RequestMessage } from "./effects.ts";
import {
  brokerLost,
  canceled,
  closed,
  closedBefore,
  congested,
  timedOut,
  tooManyInLine,
  tooManyOpen,
} from "./failures.ts";
import type { SessionOptions } from "./session.ts";

type Reply = Extract<ToClient, { readonly type: "partial" | "final" }>;

type State =
  | { readonly phase: "new" }
  | { readonly phase: "running" }
  | { readonly phase: "draining"; readonly until: Instant }
  | { readonly phase: "stopped" };

export class MajordomoSession {
  readonly #options: SessionOptions;
  readonly #connection: Connection;
  readonly #calls = new Calls();
  /** The request that is with the broker. */
  #current: Call | undefined;
  #state: State = { phase: "new" };
  #effects: Effect[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
    // No heartbeats exist between a client and a Majordomo broker, in either direction.
    this.#connection = new Connection({
      ...options.connection,
      heartbeatMs: Number.POSITIVE_INFINITY,
      brokerAnswers: false,
    });
  }

  handle(input: Input, now: Instant): readonly Effect[] {
    switch (input.type) {
      case "start":
        this.#onStart(now);
        break;
      case "stop":
        this.#onStop(now);
        break;
      case "request":
        this.#onRequest(input, now);
        break;
      case "cancel": {
        const call = this.#calls.get(input.requestId);
        if (call !== undefined) this.#giveUp(call, canceled(call.message, call.delivery, input.reason), now);
        break;
      }
      case "link-up":
        this.#follow(this.#connection.onLinkUp(now));
        break;
      case "link-lost":
        this.#follow(this.#connection.onLost(input.reason, now));
        break;
      case "message":
        this.#onMessage(input.message, now);
        break;
      case "refused":
        this.#onRefused();
        break;
      case "undelivered":
        this.#onUndelivered(now);
        break;
      case "tick":
        this.#onTick(now);
        break;
      case "heartbeat":
      case "request-heartbeat":
      case "read":
      case "grant-refused":
        // The wire has none of these, and the client rejects them before.
        break;
      default:
        input satisfies never;
    }
    this.#sendNext(now);
    if (this.#state.phase === "draining" && this.#calls.size === 0) this.#finish();
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** When the next `tick` is due; `undefined`: nothing is. */
  nextDeadline(): Instant | undefined {
    const next = Math.min(
      this.#connection.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.#calls.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.#state.phase === "draining" ? this.#state.until : Number.POSITIVE_INFINITY,
    );
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  #onStart(now: Instant): void {
    if (this.#state.phase !== "new" && this.#state.phase !== "stopped") return;
    this.#enter({ phase: "running" });
    this.#follow(this.#connection.start(now));
  }

  #onStop(now: Instant): void {
    if (this.#state.phase === "new") return this.#finish();
    if (this.#state.phase !== "running") return;
    this.#enter({ phase: "draining", until: now + this.#options.stopTimeoutMs });
  }

  #onRequest(input: RequestInput, now: Instant): void {
    const refusal = this.#refusalOf(input.message);
    if (refusal !== undefined) return this.#emitFailure(input.call, input.message, refusal);
    const call = this.#calls.add(input);
    this.#calls.setTimer(call, input.message.options.timeoutMs, now);
    this.#calls.keepWaiting(call);
  }

  #refusalOf(message: RequestMessage): Failure | undefined {
    const { phase } = this.#state;
    if (phase === "draining" || phase === "stopped") return closedBefore(message);
    const { maxOpenRequests, maxQueuedRequests } = this.#options.limits;
    if (this.#calls.size >= maxOpenRequests) return tooManyOpen(message, maxOpenRequests);
    const goesNow = this.#current === undefined && this.#connection.phase === "open";
    if (!goesNow && this.#calls.waitingCount >= maxQueuedRequests) return tooManyInLine(message, maxQueuedRequests);
    return undefined;
  }

  /** Sends the request that waits longest, unless one is with the broker. */
  #sendNext(now: Instant): void {
    if (this.#current !== undefined || this.#connection.phase !== "open") return;
    const call = this.#calls.takeNextWaiting();
    if (call === undefined) return;
    this.#current = call;
    // As on the PIGATO wire, the timeout counts from the first sending.
    if (call.sends === 0) this.#calls.setTimer(call, call.message.options.timeoutMs, now);
    call.sends += 1;
    call.sentAt = now;
    this.#emit({ type: "send", message: call.message });
  }

  #onMessage(message: BrokerMessage | Violation, now: Instant): void {
    switch (message.type) {
      case "partial":
      case "final":
        this.#follow(this.#connection.onReceived(now));
        return this.#onReply(message, now);
      case "violation":
        return this.#report(message);
      default:
        // The dialect decodes nothing else.
        return this.#emit({ type: "report", event: { type: "unsupported", message: message.type } });
    }
  }

  #onReply({ type, service, body }: Reply, now: Instant): void {
    const call = this.#current;
    if (call === undefined || service !== call.message.service) {
      const expected = call === undefined ? "no request is open" : "it is from another service";
      return this.#report(violation("D-PEER-5", `a reply without an open request: ${expected}`));
    }
    const value = readRawBody(body);
    if (type === "final") {
      this.#end(call);
      return this.#emit({ type: "final", call: call.callId, value });
    }
    call.hasPartial = true;
    this.#calls.setTimer(call, call.message.options.timeoutMs, now);
    this.#emit({ type: "partial", call: call.callId, value });
  }

  /** The link did not take the request. */
  #onRefused(): void {
    const call = this.#current;
    if (call === undefined) return;
    call.returns += 1;
    this.#fail(call, congested(call.message, call.delivery));
  }

  /** The link returned the request: it is sent again on a new link. */
  #onUndelivered(now: Instant): void {
    const call = this.#current;
    if (call === undefined) return;
    call.returns += 1;
    this.#current = undefined;
    this.#calls.keepWaiting(call);
    this.#follow(this.#connection.onLost("unreachable", now));
  }

  #onTick(now: Instant): void {
    for (let call = this.#calls.takeDue(now); call !== undefined; call = this.#calls.takeDue(now)) {
      this.#giveUp(call, timedOut(call), now);
    }
    this.#follow(this.#connection.onTick(now));
    if (this.#state.phase === "draining" && now >= this.#state.until) this.#finish();
  }

  /** Ends a request that the broker may still have. */
  #giveUp(call: Call, failure: Failure, now: Instant): void {
    const wasSent = call === this.#current;
    this.#fail(call, failure);
    // A client that has nothing more to do needs no new link.
    if (wasSent && (this.#state.phase === "running" || this.#calls.size > 0)) {
      this.#follow(this.#connection.abandon(now));
    }
  }

  #follow(steps: readonly ConnectionStep[]): void {
    for (const step of steps) {
      switch (step.type) {
        case "open":
          this.#emit({ type: "open", address: step.address });
          break;
        case "connected":
          this.#emit({ type: "connected" });
          break;
        case "lost":
          this.#onLost(step.reason, step.wasConnected);
          break;
        case "greet":
        case "heartbeat":
          // Majordomo clients send nothing but requests.
          break;
        default:
          step satisfies never;
      }
    }
  }

  #onLost(reason: LossReason, wasConnected: boolean): void {
    this.#emit({ type: "close", flush: this.#state.phase === "stopped" });
    if (wasConnected) this.#emit({ type: "disconnected", reason });
    if (this.#current !== undefined) this.#fail(this.#current, brokerLost(this.#current, reason));
  }

  #finish(): void {
    for (const call of this.#calls.all()) this.#fail(call, closed(call));
    this.#enter({ phase: "stopped" });
    this.#follow(this.#connection.stop());
    this.#emit({ type: "stopped" });
  }

  #fail(call: Call, failure: Failure): void {
    this.#end(call);
    this.#emitFailure(call.callId, call.message, failure);
  }

  #end(call: Call): void {
    this.#calls.end(call);
    if (call === this.#current) this.#current = undefined;
  }

  #emitFailure(call: CallId, request: RequestMessage, failure: Failure): void {
    this.#emit({ type: "failed", call, request, failure });
  }

  #report(broken: Violation): void {
    this.#emit({ type: "report", event: { type: "violation", violation: broken } });
  }

  #emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  #enter(state: State): void {
    this.#state = state;
  }
}
