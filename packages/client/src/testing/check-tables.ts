// The invariants between the tables of a client's session. Tests check them after every input.

import type { Instant } from "@pigato/protocol/internal";
import { invariant } from "@pigato/testkit";
import type { Call, Calls, RequestLimits } from "../session/calls.ts";

/** Throws if the tables contradict each other. */
export function checkTables(calls: Calls, limits: RequestLimits, now: Instant): void {
  const { waiting, timers, pauses } = calls.audit();
  const open = new Set<Call>();
  let last: Call | undefined;
  let timersSet = 0;
  let paused = 0;
  for (const call of calls.all()) {
    invariant(call.openPrev === last && !open.has(call), `the list of open requests is broken at ${call.id}`);
    last = call;
    open.add(call);
    checkCall(call, calls, now + limits.timeoutGraceMs);
    invariant(call.isWaiting === waiting.has(call), `request ${call.id} does not know whether it waits`);
    if (call.list !== undefined) timersSet += 1;
    if (call.pause !== undefined) paused += 1;
  }
  invariant(open.size === calls.size, `${calls.size} requests count as open, ${open.size} are in the list`);
  invariant(open.size <= limits.maxOpenRequests, `${open.size} requests are open, more than maxOpenRequests allows`);
  invariant(timers === timersSet, `${timers} timers are set, ${timersSet} of them for open requests`);
  invariant(pauses === paused, `${pauses} pauses are set, ${paused} of them for open requests`);
  for (const call of waiting) invariant(open.has(call), `request ${call.id} has ended and waits`);
}

function checkCall(call: Call, calls: Calls, graceEnd: Instant): void {
  const { id, message, isWaiting, pause, sends, returns } = call;
  invariant(calls.get(id) === call, `request ${id} is open and not found`);
  const { timeoutMs } = message.options;
  const hasTimer = call.list !== undefined;
  invariant(hasTimer === (timeoutMs !== Number.POSITIVE_INFINITY), `request ${id} needs a timer, or needs none`);
  invariant(!hasTimer || call.at <= graceEnd + timeoutMs, `the timer of ${id} is set beyond its timeout`);
  invariant(pause === undefined || (isWaiting && pause.list !== undefined), `request ${id} pauses and does not wait`);
  invariant(0 <= returns && returns <= sends, `request ${id} was sent ${sends} times and returned ${returns} times`);
}
