// A client on one connection to one broker, from start to stop. `Connection` decides when to connect. An `Exchange`, one for
// each kind of dialect, decides what to send.
//
//   new ── start ──► running ── stop ──► draining ── all ended, or time is up ──► stopped
//    │                  ▲                                                          ▲ │
//    └── stop ──────────┼──────────────────────────────────────────────────────────┘ │
//                       └────────────────────────── start ───────────────────────────┘

import {
  Connection,
  type ConnectionOptions,
  type ConnectionStep,
  type LossReason,
  type Negotiation,
  type RuntimeInput,
} from "@pigato/peer/session";
import type { Capabilities, Violation } from "@pigato/protocol";
import type { BodyCodecs, Instant, SizeBounds } from "@pigato/protocol/internal";
import type { Calls, RequestLimits } from "./calls.ts";
import { type BrokerMessage, type Effect, failed, type Input } from "./effects.ts";
import { closedBefore } from "./failures.ts";

export interface SessionOptions {
  readonly connection: ConnectionOptions;
  readonly limits: RequestLimits;
  /** Milliseconds that open requests may continue after `stop`. */
  readonly stopTimeoutMs: number;
  /** What this client accepts. */
  readonly sizeBounds?: SizeBounds;
  /** Whether to offer capabilities beyond the classic wire. */
  readonly negotiate: Negotiation;
  /** What every broker of the dialect can do, in a dialect that negotiates nothing. */
  readonly fixed?: Capabilities;
  /** Codecs besides JSON, if it has any. */
  readonly codecs?: BodyCodecs;
}

export type ExchangeInput = Exclude<Input, { readonly type: RuntimeInput["type"] }>;

/** The requests of a client in one dialect: when they are sent, and what the broker's messages mean for them. */
export interface Exchange {
  readonly calls: Calls;
  /** The number of open requests. */
  readonly openCount: number;
  /** What the broker accepts. `undefined` while that is unknown, and in a dialect that does not say. */
  readonly knownBounds: SizeBounds | undefined;
  nextDeadline(): Instant | undefined;
  /** Whether `nextDeadline` may return an earlier instant than it did last. */
  readonly mayWakeEarlier: boolean;
  /** @returns the reason if the link can no longer be used */
  handle(input: ExchangeInput, now: Instant): LossReason | undefined;
  /** Whether a message proves that the other end is a broker. */
  isFromBroker(message: BrokerMessage | Violation): boolean;
  /** The link is up. @param announcement of the broker, in its handshake */
  onLinkUp(announcement: string | undefined): void;
  /** The link is up, and the first message is due. */
  greet(now: Instant): void;
  /** A heartbeat is due. */
  heartbeat(now: Instant): void;
  /** Everything in transit is lost. */
  onLost(reason: LossReason): void;
  /** The input has been handled. */
  settle(now: Instant): void;
  /** Fails the open requests, and cancels them at the broker. */
  close(): void;
}

type NewExchange = new (
  options: SessionOptions,
  connection: Pick<Connection, "phase">,
  emit: (effect: Effect) => void,
) => Exchange;

type State =
  | { readonly phase: "new" }
  | { readonly phase: "running" }
  | { readonly phase: "draining"; readonly until: Instant }
  | { readonly phase: "stopped" };

export class Session {
  readonly options: SessionOptions;
  readonly exchange: Exchange;
  readonly #connection: Connection;
  #state: State = { phase: "new" };
  #effects: Effect[] = [];
  #hasMoved = false;

  constructor(options: SessionOptions, NewExchange: NewExchange) {
    this.options = options;
    this.#connection = new Connection(options.connection);
    this.exchange = new NewExchange(options, this.#connection, (effect) => this.#emit(effect));
  }

  get knownBounds(): SizeBounds | undefined {
    return this.exchange.knownBounds;
  }

  handle(input: Input, now: Instant): readonly Effect[] {
    switch (input.type) {
      case "start":
        this.#onStart(now);
        break;
      case "stop":
        this.#onStop(now);
        break;
      case "link-up":
        this.exchange.onLinkUp(input.announcement);
        this.#follow(this.#connection.onLinkUp(now), now);
        break;
      case "receiving":
        this.#connection.onReceiving(now);
        break;
      case "attempt-failed":
        this.#follow(this.#connection.onAttemptFailed(now), now);
        break;
      case "link-lost":
        this.#follow(this.#connection.onLost(input.reason, now), now);
        break;
      case "request":
        if (this.#state.phase === "new" || this.#state.phase === "running") this.exchange.handle(input, now);
        else this.#emit(failed(input, closedBefore(input.message)));
        break;
      case "message":
        if (this.exchange.isFromBroker(input.message)) this.#follow(this.#connection.onReceived(now), now);
        this.exchange.handle(input, now);
        break;
      case "tick":
        this.#onLinkUnusable(this.exchange.handle(input, now), now);
        this.#follow(this.#connection.onTick(now), now);
        break;
      default:
        this.#onLinkUnusable(this.exchange.handle(input, now), now);
    }
    this.exchange.settle(now);
    if (this.#isDone(now)) this.#finish(now);
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** When the next `tick` is due; `undefined` for never. */
  nextDeadline(): Instant | undefined {
    const next = Math.min(
      this.#connection.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.exchange.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.#state.phase === "draining" ? this.#state.until : Number.POSITIVE_INFINITY,
    );
    this.#hasMoved = false;
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** Nearly no message of a connection has an earlier deadline than the next heartbeat. */
  get mayWakeEarlier(): boolean {
    return this.#hasMoved || this.exchange.mayWakeEarlier;
  }

  #onStart(now: Instant): void {
    if (this.#state.phase !== "new" && this.#state.phase !== "stopped") return;
    this.#enter({ phase: "running" });
    this.#follow(this.#connection.start(now), now);
  }

  #onStop(now: Instant): void {
    // Before the first start, waiting requests cannot be sent.
    if (this.#state.phase === "new") return this.#finish(now);
    if (this.#state.phase !== "running") return;
    this.#enter({ phase: "draining", until: now + this.options.stopTimeoutMs });
  }

  #onLinkUnusable(reason: LossReason | undefined, now: Instant): void {
    if (reason === undefined) return;
    if (reason !== "abandoned") return this.#follow(this.#connection.onLost(reason, now), now);
    // A client without open requests needs no new link.
    if (this.#state.phase === "draining" && this.exchange.openCount === 0) return;
    this.#follow(this.#connection.abandon(now), now);
  }

  #follow(steps: readonly ConnectionStep[], now: Instant): void {
    if (steps.length > 0) this.#hasMoved = true;
    for (const step of steps) {
      switch (step.type) {
        case "open":
        case "connected":
          this.#emit(step);
          break;
        case "greet":
          this.exchange.greet(now);
          break;
        case "heartbeat":
          this.exchange.heartbeat(now);
          break;
        case "lost":
          this.#emit({ type: "close", flush: this.#state.phase === "stopped" });
          if (step.wasConnected) this.#emit({ type: "disconnected", reason: step.reason });
          this.exchange.onLost(step.reason);
          break;
        default:
          step satisfies never;
      }
    }
  }

  #isDone(now: Instant): boolean {
    return this.#state.phase === "draining" && (this.exchange.openCount === 0 || now >= this.#state.until);
  }

  #finish(now: Instant): void {
    this.exchange.close();
    this.#enter({ phase: "stopped" });
    this.#follow(this.#connection.stop(), now);
    this.#emit({ type: "stopped" });
  }

  #emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  #enter(state: State): void {
    this.#hasMoved = true;
    this.#state = state;
  }
}
