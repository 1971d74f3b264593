// What ends a request besides the silence of its worker: its deadline (P-TAG-2), and the time that it may wait for a worker (P-TIME-6). A
// request has one timer, which is set to the earliest of these instants. Most requests have neither, and call nothing here.

import { type Instant, leftToWire } from "@pigato/protocol/internal";
import type { QueuedRequest, RequestLimits, RequestMessage } from "./queued-request.ts";
import type { CoreState } from "./state.ts";

const NEVER: Instant = Number.POSITIVE_INFINITY;

/** Sets the limits of a new request. */
export function limitRequest(state: CoreState, request: QueuedRequest, message: RequestMessage): void {
  const { options, deadlineMs } = message;
  const { client, hasCallOptions } = request;
  const leftMs = client.capabilities.deadline ? deadlineMs : undefined;
  const acceptMs = hasCallOptions ? options.acceptTimeoutMs : undefined;
  if (leftMs !== undefined || acceptMs !== undefined) setLimits(state, request, leftMs ?? NEVER, acceptMs ?? NEVER);
}

/** @param deadlineMs from the arrival @param ageMs since the arrival */
export function setLimits(
  state: CoreState,
  request: QueuedRequest,
  deadlineMs: number,
  acceptMs: number,
  ageMs = 0,
): void {
  const deadlineAt = state.now + deadlineMs - ageMs;
  request.limits = { deadlineMs, deadlineAt, acceptMs, acceptAt: NEVER, timeoutAt: NEVER };
}

/** Sets the timer of a request to its timeout, or to an earlier limit. */
export function setTimeoutWithin(
  state: CoreState,
  request: QueuedRequest,
  limits: RequestLimits,
  timeoutMs: number,
): void {
  limits.timeoutAt = state.now + timeoutMs;
  setTimer(state, request, limits);
}

/** The request is queued: starts its accept timeout (P-TIME-6). */
export function onWaiting(state: CoreState, request: QueuedRequest, limits: RequestLimits): void {
  if (limits.acceptMs === NEVER) return;
  limits.acceptAt = state.now + limits.acceptMs;
  setTimer(state, request, limits);
}

/** The request leaves its queue: stops its accept timeout. */
export function onWaited(state: CoreState, request: QueuedRequest): void {
  const { limits } = request;
  if (limits === undefined || limits.acceptAt === NEVER) return;
  limits.acceptAt = NEVER;
  setTimer(state, request, limits);
}

/** Whether the timer of a request fired because no worker took it in time. */
export function hasWaitedTooLong({ now }: CoreState, { limits }: QueuedRequest): boolean {
  return (
    limits !== undefined && isOver(limits.acceptAt, now) && !isOver(Math.min(limits.timeoutAt, limits.deadlineAt), now)
  );
}

/** The deadline that has passed, in milliseconds from the arrival; `undefined` if none has. */
export function passedDeadline({ now }: CoreState, { limits }: QueuedRequest): number | undefined {
  return limits !== undefined && isOver(limits.deadlineAt, now) ? limits.deadlineMs : undefined;
}

/** The time until the deadline, for the worker; `undefined` without a deadline. */
export function timeLeft({ now }: CoreState, limits: RequestLimits): number | undefined {
  if (limits.deadlineAt === NEVER) return undefined;
  return leftToWire(limits.deadlineAt - now);
}

function setTimer({ timers, now }: CoreState, request: QueuedRequest, limits: RequestLimits): void {
  const at = Math.min(limits.timeoutAt, limits.deadlineAt, limits.acceptAt);
  // In whole milliseconds, because timers of equal durations share a list.
  timers.set(request, at === NEVER ? NEVER : Math.max(0, Math.ceil(at - now)), now);
}

/** With a tolerance of 1 µs, because instants are sums of floating point numbers. */
function isOver(at: Instant, now: Instant): boolean {
  return at <= now + 0.001;
}
