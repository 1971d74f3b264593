// Time has passed: expires requests, and handles every other timer that is due. Called before every input, because a request
// whose timeout has passed must not be dispatched by that input.

import type { Instant } from "@pigato/protocol";
import { onAwayLease, onClientLease } from "./clients.ts";
import { announceDirectory } from "./directory.ts";
import { closeRemaining } from "./drain.ts";
import { expireRequests } from "./fail-request.ts";
import { releaseReplies } from "./held-replies.ts";
import type { QueuedRequest } from "./queued-request.ts";
import type { CoreState } from "./state.ts";
import type { Timer } from "./timer.ts";
import { onWorkerLease, settleWorker } from "./workers.ts";

/** When the next tick is wanted: never later than needed, sometimes earlier. */
export function nextDeadline({ requestTimers, timers }: CoreState): Instant | undefined {
  const request = requestTimers.next();
  const other = timers.next();
  if (request === undefined || other === undefined) return request ?? other;
  return Math.min(request, other);
}

export function handleTimers(state: CoreState, now: Instant): void {
  // Requests first: a lost worker or a freed slot must not dispatch one whose timeout has passed as well.
  const request = state.requestTimers.takeDue(now);
  if (request !== undefined) expireDue(state, request, now);
  const timer = state.timers.takeDue(now);
  if (timer !== undefined) handleDue(state, timer, now);
}

function expireDue(state: CoreState, first: QueuedRequest, now: Instant): void {
  const due: QueuedRequest[] = [];
  for (let next: QueuedRequest | undefined = first; next !== undefined; next = state.requestTimers.takeDue(now)) {
    due.push(next);
  }
  expireRequests(state, due);
}

/** Takes all due timers before the first is handled, because handling sets some of them anew. */
function handleDue(state: CoreState, first: Timer, now: Instant): void {
  const due: Timer[] = [];
  for (let next: Timer | undefined = first; next !== undefined; next = state.timers.takeDue(now)) due.push(next);
  for (const timer of due) handleTimer(state, timer, now);
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
    default:
      timer satisfies never;
  }
}
