// The invariants between the tables of a worker's session. Tests check them after every input.

import { invariant } from "@pigato/testkit";
import type { InFlightAudit, InFlightRequests } from "../session/in-flight.ts";
import type { InFlightRequest } from "../session/request-table.ts";

/** Throws if the tables contradict each other. */
export function checkTables(inFlight: InFlightRequests): void {
  const audit = inFlight.audit();
  const { requests, batched, ready, heldBytes } = audit;
  const open = new Set(requests);
  invariant(inFlight.size === open.size, `${inFlight.size} requests count as in flight, ${open.size} are`);
  let held = 0;
  let timers = 0;
  let inputTimers = 0;
  for (const request of requests) {
    const isFound = inFlight.get(request.id) === request && inFlight.find(request) === request;
    invariant(isFound, `request ${request.requestId} is in flight and not found`);
    held += checkHeld(request);
    if (request.expiry?.deadline.list !== undefined) timers += 1;
    const needsTimer = request.expiry !== undefined && request.expiry.timeoutMs !== Number.POSITIVE_INFINITY;
    invariant(needsTimer === (request.expiry?.deadline.list !== undefined), `${request.requestId} needs a timer`);
    if (request.input?.deadline.list !== undefined) inputTimers += 1;
    checkPause(request, audit);
  }
  invariant(held === heldBytes, `${heldBytes} bytes count as held, ${held} are`);
  invariant(timers === audit.timers, `${audit.timers} timers are set, ${timers} of them for requests in flight`);
  invariant(
    inputTimers === inFlight.inputs.timers,
    `${inFlight.inputs.timers} timers are set for input, ${inputTimers} needed`,
  );
  for (const request of ready) invariant(open.has(request), `request ${request.requestId} ended and has its turn`);
  invariant(batched === undefined || open.has(batched), `request ${batched?.requestId} ended and its partials wait`);
  invariant(batched === undefined || audit.isFlushDue, "partials wait for no flush");
  if (batched !== undefined) invariant(inFlight.capabilities.partials, "partials wait that were not negotiated");
}

function checkHeld({ requestId, held }: InFlightRequest): number {
  if (held === undefined) return 0;
  let bytes = 0;
  let { last } = held;
  for (let item: typeof last | undefined = held.first; item !== undefined; item = item.next) {
    invariant(item.item.type === "partial" || item.next === undefined, `request ${requestId} goes on after its final`);
    bytes += item.bytes;
    last = item;
  }
  invariant(last === held.last, `the last held message of ${requestId} is not the last`);
  return bytes;
}

/** A handler writes on only if it may, and whatever may be sent has its turn. */
function checkPause(request: InFlightRequest, { ready, isLinkSlow }: InFlightAudit): void {
  const { requestId, credit, creditBytes, held, isPaused } = request;
  invariant(credit >= 0, `request ${requestId} has ${credit} credit`);
  invariant(held === undefined || isPaused, `the handler of ${requestId} writes although its messages are held`);
  const maySend = (credit > 0 && creditBytes > 0) || held?.first.item.type === "final";
  invariant(!isPaused || !maySend || ready.has(request), `request ${requestId} may be sent and has no turn`);
  invariant(isPaused || !isLinkSlow || !ready.has(request), `request ${requestId} has a turn and its handler writes`);
}
