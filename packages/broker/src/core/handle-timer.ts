// Time has passed: expires requests, and handles every other timer that is due. Called before every input, because a request
// whose timeout has passed must not be dispatched by that input.

import type { Instant } from "@pigato/protocol/internal";
import { onAwayLease, onClientLease } from "./clients.ts";
import { announceDirectory } from "./directory.ts";
import { closeRemaining } from "./drain.ts";
import { expireRequests } from "./fail-request.ts";
import { releaseReplies } from "./held-replies.ts";
import { QueuedRequest } from "./queued-request.ts";
import type { CoreState } from "./state.ts";
import type { Timer } from "./timer.ts";
import { onWorkerLease, settleWorker } from "./workers.ts";

export function handleTimers(state: CoreState, now: Instant): void {
  const first = state.timers.takeDue(now);
  if (first !== undefined) handleDue(state, first, now);
}

/** Takes all due timers before it handles the first, because handling restarts some of them. */
function handleDue(state: CoreState, first: Timer, now: Instant): void {
  const requests: QueuedRequest[] = [];
  const others: Timer[] = [];
  for (let timer: Timer | undefined = first; timer !== undefined; timer = state.timers.takeDue(now)) {
    if (timer instanceof QueuedRequest) requests.push(timer);
    else others.push(timer);
  }
  // Requests first: a lost worker or a freed slot must not dispatch a request that has expired as well.
  expireRequests(state, requests);
  for (const timer of others) handleTimer(state, timer, now);
}

function handleTimer(state: CoreState, timer: Timer, now: Instant): void {
  switch (timer.kind) {
    case "worker-lease": {
      const worker = state.workers.get(timer.worker);
      return worker && onWorkerLease(state, worker, now);
    }
    case "worker-settling": {
      const worker = state.workers.get(timer.worker);
      return worker && settleWorker(state, worker);
    }
    case "client-lease": {
      const client = state.clients.get(timer.client);
      return client && onClientLease(state, client, now);
    }
    case "away-lease": {
      const client = state.awayClients.get(timer.client);
      return client && onAwayLease(state, client, now);
    }
    case "held-replies": {
      const client = state.clients.get(timer.client);
      return client && releaseReplies(state, client);
    }
    case "cached-reply":
      return state.replyCache.expire(timer.key);
    case "directory":
      return announceDirectory(state, now);
    case "drain-limit":
      return closeRemaining(state);
    case "request":
      // `handleDue` has taken these out.
      return;
    default:
      timer satisfies never;
  }
}
