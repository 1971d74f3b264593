// A peer's connection to its broker, as the sessions of client and worker share it: when to open a link, when to send a
// heartbeat, when the broker counts as gone, how long to wait before coming back. It decides and counts time; it sends
// nothing itself. Every life of a connection is a new link with a new routing id, so that nothing late from one life
// can reach the next (P-DISC-2).
//
//            start            link-up            heard
//   idle ───────────► connecting ──────► open ─────────┐ (answered: true)
//    ▲                    ▲   │           │ ▲──────────┘
//    │ stop               │   │ too long  │ silence, link-down, DISCONNECT; abandoned: connecting again at once
//    └── from any         │   ▼           ▼
//        phase            └── waiting ◄───┘   (backoff, next address)

import type { Instant } from "@pigato/protocol";
import { type Backoff, pauseBefore } from "./backoff.ts";

export interface ConnectionOptions {
  /** Broker addresses, tried in turn. At least one. */
  readonly addresses: readonly string[];
  /** Milliseconds between heartbeats. `Infinity`: none are sent, and silence is no loss. */
  readonly heartbeatMs: number;
  readonly liveness: number;
  readonly backoff: Backoff;
  /** Milliseconds to wait for a link to one of several addresses before trying the next. */
  readonly connectTimeoutMs: number;
  /** Whether the broker answers the greeting. If not, the connection counts as one when the link is up. */
  readonly brokerAnswers: boolean;
  /** A number from 0 up to 1. */
  readonly random: () => number;
}

type State =
  | { readonly phase: "idle" }
  | { readonly phase: "connecting"; readonly giveUpAt: Instant }
  | { readonly phase: "open"; heardAt: Instant; heartbeatAt: Instant; answered: boolean }
  | { readonly phase: "waiting"; readonly until: Instant };

/** Why a connection ended. */
export type LossReason = "silence" | "link-down" | "disconnected" | "unreachable" | "abandoned";

/** What the session is to do next. */
export type ConnectionStep =
  /** Make a new link, with a new routing id, to this address. The old one is gone. */
  | { readonly type: "open"; readonly address: string }
  /** The link is up: greet the broker, then send what waits. */
  | { readonly type: "greet" }
  /** The broker answered for the first time in this life. */
  | { readonly type: "connected" }
  /** A heartbeat is due. */
  | { readonly type: "heartbeat" }
  /** The connection ended: discard the link. `wasConnected` says whether `connected` had been reached. */
  | { readonly type: "lost"; readonly reason: LossReason; readonly wasConnected: boolean };

const NOTHING: readonly ConnectionStep[] = [];

export class Connection {
  readonly #options: ConnectionOptions;
  #state: State = { phase: "idle" };
  #addressIndex = 0;
  #attempt = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get phase(): State["phase"] {
    return this.#state.phase;
  }

  /** Whether the broker has answered in this life. */
  get isConnected(): boolean {
    return this.#state.phase === "open" && this.#state.answered;
  }

  /** Has no effect on a connection that runs already. */
  start(now: Instant): readonly ConnectionStep[] {
    if (this.#state.phase !== "idle") return NOTHING;
    this.#attempt = 0;
    return this.#connect(now);
  }

  /** Ends for good, from any phase. */
  stop(): readonly ConnectionStep[] {
    const { phase } = this.#state;
    const wasConnected = this.isConnected;
    this.#enter({ phase: "idle" });
    if (phase === "idle" || phase === "waiting") return NOTHING;
    return [{ type: "lost", reason: "disconnected", wasConnected }];
  }

  onLinkUp(now: Instant): readonly ConnectionStep[] {
    if (this.#state.phase !== "connecting") return NOTHING;
    const { heartbeatMs, brokerAnswers } = this.#options;
    this.#enter({ phase: "open", heardAt: now, heartbeatAt: now + heartbeatMs, answered: !brokerAnswers });
    return brokerAnswers ? [{ type: "greet" }] : [{ type: "greet" }, { type: "connected" }];
  }

  /** Any message of the broker. */
  onHeard(now: Instant): readonly ConnectionStep[] {
    if (this.#state.phase !== "open") return NOTHING;
    this.#state.heardAt = now;
    // Not before it is heard: a broker that only takes connections, to drop them, is come back to ever more slowly.
    this.#attempt = 0;
    if (this.#state.answered) return NOTHING;
    this.#state.answered = true;
    return [{ type: "connected" }];
  }

  /** The broker had reason to be silent until now. */
  excuse(now: Instant): void {
    if (this.#state.phase === "open") this.#state.heardAt = now;
  }

  /**
   * What was asked on this link is given up, and what may still come is not to be heard: start over on a new one, at once.
   * It is one to the next address, because a broker that does not answer may be why.
   */
  abandon(now: Instant): readonly ConnectionStep[] {
    if (this.#state.phase !== "open") return NOTHING;
    const wasConnected = this.isConnected;
    this.#addressIndex = (this.#addressIndex + 1) % this.#options.addresses.length;
    return [{ type: "lost", reason: "abandoned", wasConnected }, ...this.#connect(now)];
  }

  /** The link went down, the broker said goodbye, or a send found nobody: come back after a pause. */
  onLost(reason: LossReason, now: Instant): readonly ConnectionStep[] {
    const { phase } = this.#state;
    if (phase === "idle" || phase === "waiting") return NOTHING;
    const { addresses, backoff, random } = this.#options;
    const wasConnected = this.isConnected;
    this.#attempt += 1;
    this.#addressIndex = (this.#addressIndex + 1) % addresses.length;
    this.#enter({ phase: "waiting", until: now + pauseBefore(this.#attempt, backoff, random()) });
    return [{ type: "lost", reason, wasConnected }];
  }

  onTick(now: Instant): readonly ConnectionStep[] {
    const state = this.#state;
    switch (state.phase) {
      case "idle":
        return NOTHING;
      case "waiting":
        return now >= state.until ? this.#connect(now) : NOTHING;
      case "connecting":
        return now >= state.giveUpAt ? this.onLost("unreachable", now) : NOTHING;
      case "open":
        if (now >= this.#expiresAt(state)) {
          if (now < state.heartbeatAt + this.#options.heartbeatMs) return this.onLost("silence", now);
          this.#listenOnceMore(state, now);
        }
        if (now < state.heartbeatAt) return NOTHING;
        state.heartbeatAt = now + this.#options.heartbeatMs;
        return [{ type: "heartbeat" }];
      default:
        return state satisfies never;
    }
  }

  nextDeadline(): Instant | undefined {
    const state = this.#state;
    switch (state.phase) {
      case "idle":
        return undefined;
      case "waiting":
        return state.until;
      case "connecting":
        return state.giveUpAt === Number.POSITIVE_INFINITY ? undefined : state.giveUpAt;
      case "open":
        return Math.min(state.heartbeatAt, this.#expiresAt(state));
      default:
        return state satisfies never;
    }
  }

  #connect(now: Instant): readonly ConnectionStep[] {
    const { addresses, connectTimeoutMs } = this.#options;
    // A link to the only address keeps trying by itself; giving it up would gain nothing.
    const giveUpAt = addresses.length > 1 ? now + connectTimeoutMs : Number.POSITIVE_INFINITY;
    this.#enter({ phase: "connecting", giveUpAt });
    return [{ type: "open", address: addresses[this.#addressIndex] ?? "" }];
  }

  // P-LIVE-4: a heartbeat that is overdue by a whole interval shows that this process stood still and did not listen
  // either. What the broker sent meanwhile still waits to be read, so it gets one more interval to be heard.
  #listenOnceMore(state: { heardAt: Instant }, now: Instant): void {
    state.heardAt = now - this.#options.heartbeatMs * (this.#options.liveness - 1);
  }

  #expiresAt(state: { readonly heardAt: Instant }): Instant {
    return state.heardAt + this.#options.heartbeatMs * this.#options.liveness;
  }

  #enter(state: State): void {
    this.#state = state;
  }
}
