// The protocol of a client on one connection to one broker: `Connection` decides when to connect, `Requests` what to send. This
// connects them, and starts and stops the client.
//
//   new ── start ──► running ── stop ──► draining ── all ended, or time is up ──► stopped
//    │                  ▲                                                          ▲ │
//    └── stop ──────────┼──────────────────────────────────────────────────────────┘ │
//                       └────────────────────────── start ───────────────────────────┘

import { Connection, type ConnectionOptions, type ConnectionStep } from "@pigato/peer/session";
import type { Capabilities, RequestId, Violation } from "@pigato/protocol";
import { type Instant, offerOf, sharedCapabilities } from "@pigato/protocol/internal";
import type { BrokerMessage, Effect, Input, RequestInput } from "./effects.ts";
import { closedBefore } from "./failures.ts";
import { type RequestLimits, Requests } from "./requests.ts";

export interface SessionOptions {
  readonly connection: ConnectionOptions;
  readonly limits: RequestLimits;
  /** Milliseconds that open requests get to end after `stop`. */
  readonly stopTimeoutMs: number;
  /** Whether to offer the broker what goes beyond the classic wire. */
  readonly negotiate: boolean;
}

type State =
  | { readonly phase: "new" }
  | { readonly phase: "running" }
  | { readonly phase: "draining"; readonly until: Instant }
  | { readonly phase: "stopped" };

export class Session {
  readonly #options: SessionOptions;
  readonly #offer: Capabilities | undefined;
  readonly #connection: Connection;
  readonly #requests: Requests;
  #state: State = { phase: "new" };
  /** Whether the broker of this connection knows more than the classic wire. */
  #isOfferAnswered = false;
  #effects: Effect[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
    const { heartbeatMs } = options.connection;
    this.#offer = options.negotiate ? offerOf("client", { heartbeatMs }) : undefined;
    this.#connection = new Connection(options.connection);
    this.#requests = new Requests(options.limits, (effect) => this.#effects.push(effect));
  }

  get phase(): State["phase"] {
    return this.#state.phase;
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
      case "cancel":
        this.#requests.cancel(input.requestId, input.reason);
        break;
      case "read":
        this.#requests.onRead(input.requestId, input.chunks, now);
        break;
      case "grant-refused":
        this.#requests.onGrantRefused(input.requestId);
        break;
      case "request-heartbeat":
        this.#requests.heartbeat(input.requestId);
        break;
      case "heartbeat":
        this.#onHeartbeat(input.requestId);
        break;
      case "link-up":
        this.#follow(this.#connection.onLinkUp(now), now);
        break;
      case "link-lost":
        this.#follow(this.#connection.onLost(input.reason, now), now);
        break;
      case "message":
        if (isOfTheBroker(input.message)) this.#follow(this.#connection.onReceived(now), now);
        this.#onMessage(input.message, now);
        if (!this.#requests.isBrokerKnown && isOfTheBroker(input.message)) this.#onBrokerKnown(now);
        break;
      case "refused":
        this.#requests.onRefused(input.requestId);
        break;
      case "undelivered":
        this.#requests.onUndelivered(input.requestId);
        break;
      case "tick":
        this.#onTick(now);
        break;
      default:
        input satisfies never;
    }
    if (this.#state.phase === "draining" && this.#requests.openCount === 0) this.#finish(now);
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** When the next `tick` is due; `undefined`: nothing is. */
  nextDeadline(): Instant | undefined {
    const next = Math.min(
      this.#connection.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.#requests.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.#state.phase === "draining" ? this.#state.until : Number.POSITIVE_INFINITY,
    );
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  #onStart(now: Instant): void {
    if (this.#state.phase !== "new" && this.#state.phase !== "stopped") return;
    this.#enter({ phase: "running" });
    this.#follow(this.#connection.start(now), now);
  }

  #onStop(now: Instant): void {
    // Before the first start nothing that waits can be sent.
    if (this.#state.phase === "new") return this.#finish(now);
    if (this.#state.phase !== "running") return;
    this.#enter({ phase: "draining", until: now + this.#options.stopTimeoutMs });
  }

  #onRequest(input: RequestInput, now: Instant): void {
    const { phase } = this.#state;
    if (phase === "draining" || phase === "stopped") {
      return this.#requests.refuse(input, closedBefore(input.message));
    }
    this.#requests.accept(input, this.#connection.phase === "open", now);
  }

  /** The broker's first message answers the offer, if it knows offers. */
  #onBrokerKnown(now: Instant): void {
    if (this.#connection.phase !== "open") return;
    this.#requests.isBrokerKnown = true;
    this.#requests.sendWaiting(now);
  }

  #onHeartbeat(requestId: RequestId | undefined): void {
    if (this.#connection.phase !== "open") return;
    if (requestId === undefined) this.#sendHeartbeat();
    else this.#effects.push({ type: "send", message: { type: "request-heartbeat", requestId } });
  }

  #onMessage(message: BrokerMessage | Violation, now: Instant): void {
    switch (message.type) {
      case "partial":
      case "final":
        return this.#requests.onReply(message, now);
      case "failure":
        return this.#requests.onFailure(message.requestId, message.failure, now);
      case "request-heartbeat":
        if (this.#requests.capabilities.requestHeartbeat) return this.#requests.onHeartbeat(message.requestId);
        return this.#reportUnsupported(message);
      case "heartbeat":
        if (message.accepted === undefined || this.#offer === undefined) return;
        this.#isOfferAnswered = true;
        this.#requests.capabilities = sharedCapabilities(this.#offer, message.accepted);
        return;
      case "violation":
        this.#effects.push({ type: "report", event: { type: "violation", violation: message } });
        if (message.requestId !== undefined) this.#requests.onMalformed(message.requestId, message);
        return;
      case "notice":
        if (this.#requests.capabilities.notice) return this.#requests.onNotice(message);
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
    this.#effects.push({ type: "report", event: { type: "unsupported", message: type } });
  }

  #onTick(now: Instant): void {
    this.#requests.onTick(now);
    this.#follow(this.#connection.onTick(now), now);
    if (this.#state.phase === "draining" && now >= this.#state.until) this.#finish(now);
  }

  #follow(steps: readonly ConnectionStep[], now: Instant): void {
    for (const step of steps) {
      switch (step.type) {
        case "open":
          this.#effects.push({ type: "open", address: step.address });
          break;
        case "greet":
          this.#sendHeartbeat();
          // Without an offer there is no answer to wait for.
          this.#requests.isBrokerKnown = this.#offer === undefined;
          this.#requests.sendWaiting(now);
          break;
        case "heartbeat":
          this.#sendHeartbeat();
          // What the link returned is sent again at the interval of heartbeats, not in a busy loop with a failing link.
          this.#requests.sendWaiting(now);
          this.#requests.heartbeatLong(now - this.#options.connection.heartbeatMs);
          break;
        case "connected":
          this.#effects.push({ type: "connected" });
          break;
        case "lost":
          this.#isOfferAnswered = false;
          this.#effects.push({ type: "close", flush: this.#state.phase === "stopped" });
          if (step.wasConnected) this.#effects.push({ type: "disconnected", reason: step.reason });
          this.#requests.onLost(step.reason);
          break;
        default:
          step satisfies never;
      }
    }
  }

  /** P-NEG-4: each one repeats the offer, for a broker that was restarted meanwhile. */
  #sendHeartbeat(): void {
    this.#effects.push({ type: "send", message: { type: "heartbeat", offer: this.#offer } });
  }

  #finish(now: Instant): void {
    this.#requests.closeAll();
    // An old broker does not know DISCONNECT of a client.
    if (this.#isOfferAnswered) this.#effects.push({ type: "send", message: { type: "disconnect" } });
    this.#enter({ phase: "stopped" });
    this.#follow(this.#connection.stop(), now);
    this.#effects.push({ type: "stopped" });
  }

  #enter(state: State): void {
    this.#state = state;
  }
}

/** Only a message to a client proves that the other end is a broker. */
function isOfTheBroker(message: BrokerMessage | Violation): boolean {
  return message.type !== "violation" || message.clause !== "P-MSG-1";
}
