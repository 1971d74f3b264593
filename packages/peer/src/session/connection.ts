// The connection of a client or worker to its broker: when to open a link, when to send a heartbeat, when the broker counts as
// lost, how long to wait before a reconnect. It decides; the session sends. Every session uses a new link with a new routing
// id, so that no late message of one session reaches the next (P-DISC-2).
//
//            start            link-up          received
//   idle ───────────► connecting ──────► open ─────────┐ (answered: true)
//    ▲                    ▲   │           │ ▲──────────┘
//    │ stop               │   │ failed    │ silence, link-down, DISCONNECT; abandoned: connecting again at once
//    └── from any         │   ▼           ▼
//        phase            └── waiting ◄───┘   (backoff, next address)
//
// An address that fails before the broker's first message is followed by the next address at once. The pause comes after a
// whole round of failures, and after the loss of a broker that had sent a message.

import type { Instant } from "@pigato/protocol/internal";
import { type Backoff, pauseBefore } from "./backoff.ts";

export interface ConnectionOptions {
  /** Broker addresses, tried in turn. At least one. */
  readonly addresses: readonly string[];
  /** Milliseconds between heartbeats. `Infinity`: none are sent, and silence is no loss. */
  readonly heartbeatMs: number;
  readonly liveness: number;
  readonly backoff: Backoff;
  /** Milliseconds to wait for a link to one of several addresses before trying the next. Its failure ends the wait earlier. */
  readonly connectTimeoutMs: number;
  /** Whether the broker replies to the greeting. If not, the peer counts as connected when the link is up. */
  readonly brokerAnswers: boolean;
  /** A number from 0 up to 1. */
  readonly random: () => number;
}

type State =
  | { readonly phase: "idle" }
  | { readonly phase: "connecting"; readonly giveUpAt: Instant }
  | { readonly phase: "open"; receivedAt: Instant; heartbeatAt: Instant; answered: boolean }
  | { readonly phase: "waiting"; readonly until: Instant };

/** Why a connection ended. */
export type LossReason = "silence" | "link-down" | "disconnected" | "unreachable" | "abandoned";

/** What the session must do next. */
export type ConnectionStep =
  /** Open a new link, with a new routing id, to this address. The old one is gone. */
  | { readonly type: "open"; readonly address: string }
  /** The link is up: greet the broker, then send queued messages. */
  | { readonly type: "greet" }
  /** The broker sent its first message of this session. */
  | { readonly type: "connected" }
  /** A heartbeat is due. */
  | { readonly type: "heartbeat" }
  /** The connection ended: discard the link. `wasConnected`: the step `connected` came before. */
  | { readonly type: "lost"; readonly reason: LossReason; readonly wasConnected: boolean };

const NOTHING: readonly ConnectionStep[] = [];

export class Connection {
  readonly #options: ConnectionOptions;
  #state: State = { phase: "idle" };
  #addressIndex = 0;
  /** Addresses that failed in a row since the last pause. */
  #failures = 0;
  /** Pauses in a row without a message from a broker. */
  #pauses = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get phase(): State["phase"] {
    return this.#state.phase;
  }

  /** Whether the broker has sent a message in this session. */
  get isConnected(): boolean {
    return this.#state.phase === "open" && this.#state.answered;
  }

  /** Has no effect on a started connection. */
  start(now: Instant): readonly ConnectionStep[] {
    if (this.#state.phase !== "idle") return NOTHING;
    this.#pauses = 0;
    this.#failures = 0;
    return this.#connect(now);
  }

  /** Ends the connection, from any phase. */
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
    this.#enter({ phase: "open", receivedAt: now, heartbeatAt: now + heartbeatMs, answered: !brokerAnswers });
    return brokerAnswers ? [{ type: "greet" }] : [{ type: "greet" }, { type: "connected" }];
  }

  /** The broker sent a message. */
  onReceived(now: Instant): readonly ConnectionStep[] {
    if (this.#state.phase !== "open") return NOTHING;
    this.#state.receivedAt = now;
    // Only now: if a broker accepts connections only to drop them, the pauses must grow.
    this.#pauses = 0;
    if (this.#state.answered) return NOTHING;
    this.#state.answered = true;
    this.#failures = 0;
    return [{ type: "connected" }];
  }

  /** Bytes of a message of the broker came that is not whole yet: a sign of life (P-LIVE-1), but no answer. */
  onReceiving(now: Instant): void {
    if (this.#state.phase === "open") this.#state.receivedAt = now;
  }

  /** Resets the broker's silence, which was allowed until now. */
  excuse(now: Instant): void {
    if (this.#state.phase === "open") this.#state.receivedAt = now;
  }

  /**
   * Drops the link and opens a new one at once, so that no late reply to an abandoned request arrives. Uses the next address,
   * because the broker may be the reason that the request was abandoned.
   */
  abandon(now: Instant): readonly ConnectionStep[] {
    if (this.#state.phase !== "open") return NOTHING;
    const wasConnected = this.isConnected;
    this.#addressIndex = (this.#addressIndex + 1) % this.#options.addresses.length;
    return [{ type: "lost", reason: "abandoned", wasConnected }, ...this.#connect(now)];
  }

  /** The link reports that it could not connect, and tries again. Of several addresses, the next one may be reachable. */
  onAttemptFailed(now: Instant): readonly ConnectionStep[] {
    if (this.#state.phase !== "connecting" || this.#options.addresses.length === 1) return NOTHING;
    return this.onLost("unreachable", now);
  }

  /** The link went down, the broker disconnected, or a message could not be sent: reconnects to the next address. */
  onLost(reason: LossReason, now: Instant): readonly ConnectionStep[] {
    const { phase } = this.#state;
    if (phase === "idle" || phase === "waiting") return NOTHING;
    const { addresses, backoff, random } = this.#options;
    const wasConnected = this.isConnected;
    const lost: ConnectionStep = { type: "lost", reason, wasConnected };
    this.#addressIndex = (this.#addressIndex + 1) % addresses.length;
    this.#failures += 1;
    if (!wasConnected && this.#failures < addresses.length) return [lost, ...this.#connect(now)];
    this.#failures = 0;
    this.#pauses += 1;
    this.#enter({ phase: "waiting", until: now + pauseBefore(this.#pauses, backoff, random()) });
    return [lost];
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
          this.#extendByOneInterval(state, now);
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
    // A link to the only address retries by itself, so it is never given up.
    const giveUpAt = addresses.length > 1 ? now + connectTimeoutMs : Number.POSITIVE_INFINITY;
    this.#enter({ phase: "connecting", giveUpAt });
    return [{ type: "open", address: addresses[this.#addressIndex] ?? "" }];
  }

  // P-LIVE-4: if the own heartbeat is overdue by a whole interval, this process was suspended and read nothing. Messages of the
  // broker may still be unread, so the broker gets one more interval.
  #extendByOneInterval(state: { receivedAt: Instant }, now: Instant): void {
    state.receivedAt = now - this.#options.heartbeatMs * (this.#options.liveness - 1);
  }

  #expiresAt(state: { readonly receivedAt: Instant }): Instant {
    return state.receivedAt + this.#options.heartbeatMs * this.#options.liveness;
  }

  #enter(state: State): void {
    this.#state = state;
  }
}
