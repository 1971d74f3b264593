// The broker's core: one input and the time in, effects out. Passes each input to the handler of its kind. It has no
// sockets, timers or logs; the same inputs at the same times give the same effects. No message of a peer makes it throw.

import type { PeerId } from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";
import type { CoreOptions } from "./core-options.ts";
import type { CoreStats } from "./core-stats.ts";
import { noteDirectoryChange, scheduleDirectory } from "./directory.ts";
import { finishDraining, startDraining } from "./drain.ts";
import type { DialectId, Effect, Input } from "./effects.ts";
import { handleClient } from "./handle-client.ts";
import { handleDelivery } from "./handle-delivery.ts";
import { failUnsendable, handleOversized } from "./handle-oversized.ts";
import { handleReceiving } from "./handle-receiving.ts";
import { handleStore } from "./handle-store.ts";
import { handleTimers } from "./handle-timer.ts";
import { handleViolation, handleWrongListener } from "./handle-violation.ts";
import { handleWorker } from "./handle-worker.ts";
import { sumOf } from "./request-counts.ts";
import { type CoreState, createState } from "./state.ts";

export class BrokerCore {
  /** For tests, which check the tables against each other. */
  readonly state: CoreState;

  constructor(options: CoreOptions) {
    this.state = createState(options);
  }

  handle(input: Input, now: Instant): Effect[] {
    const { state } = this;
    state.now = now;
    handleTimers(state, now);
    settle(state);
    handleInput(state, input, now);
    settle(state);
    if (state.directory.isStale) scheduleDirectory(state, now);
    return state.effects.take();
  }

  /** The dialect that a peer is held to; `undefined` for an unknown peer. */
  dialectOf(peer: PeerId): DialectId | undefined {
    return (this.state.clients.get(peer) ?? this.state.workers.get(peer))?.dialect;
  }

  /** When the next `tick` is wanted: never later than needed, sometimes earlier. */
  nextDeadline(): Instant | undefined {
    return this.state.timers.next();
  }

  stats(): CoreStats {
    const { counts, open, inFlight, workers, clients, services, replyCache, heldReplies } = this.state;
    const { accepted, answered, cached, canceled, expired, failures, refusals } = counts;
    return {
      accepted,
      answered,
      finished: answered,
      cached,
      failed: sumOf(failures),
      failures: { ...failures },
      canceled,
      expired,
      refused: sumOf(refusals),
      refusals: { ...refusals },
      open: open.size,
      inFlight,
      workers: workers.size,
      clients: clients.size,
      services: services.size,
      cachedReplies: replyCache.size,
      heldReplies: heldReplies.size,
    };
  }
}

/** What follows when all tables are consistent again. */
function settle(state: CoreState): void {
  if (state.unsendable.length > 0) failUnsendable(state);
  if (state.phase.name === "draining") finishDraining(state);
}

function handleInput(state: CoreState, input: Input, now: Instant): void {
  switch (input.type) {
    case "from-client":
      return handleClient(state, input, now);
    case "from-worker":
      return handleWorker(state, input, now);
    case "client-at-backend":
    case "worker-at-frontend":
      return handleWrongListener(state, input, now);
    case "violation":
      return handleViolation(state, input);
    case "oversized-request":
    case "oversized-reply":
      return handleOversized(state, input, now);
    case "receiving":
      return handleReceiving(state, input.from, now);
    case "undelivered-to-client":
    case "request-undelivered":
    case "stream-undelivered":
    case "handed-over":
    case "peer-down":
      return handleDelivery(state, input, now);
    case "restore":
    case "stored":
    case "store-failed":
    case "deleted":
    case "delete-failed":
      return handleStore(state, input, now);
    case "identified":
      return void state.identities.set(input.peer, input.identity);
    case "start":
      return noteDirectoryChange(state);
    case "tick":
      return;
    case "drain":
      return startDraining(state, input.limitMs, now);
    default:
      input satisfies never;
  }
}
