// Whether and when a client sends a request again that a broker may have received (P-LOST-4). Never after a partial, which the
// caller would get twice, and at most as often as the option `retry` allows.
//
// After a lost link the request needs no pause, because the connection pauses before each new link. After a failure of a broker that
// stays connected, the request itself pauses, longer each time.

import { type Backoff, pauseBefore } from "@pigato/peer/session";
import type { Delivery, Failure } from "@pigato/protocol";
import type { Call } from "./calls.ts";

/** How many times a request with `retry: true` may be sent. */
const DEFAULT_ATTEMPTS = 10;

/** From the safest to the least safe to retry. */
const DELIVERIES: readonly Delivery[] = ["not-sent", "queued", "dispatched", "maybe-executed"];

/** Whether it is sent on the next link. P-KEEP-4: the broker of a durable one still has it, and does not run it again. */
export function survivesLoss(call: Call): boolean {
  return canRepeat(call) && (call.isDurable || hasAttemptsLeft(call));
}

/** Whether it is sent again after a failure of the broker. */
export function survivesFailure(call: Call, { code }: Failure): boolean {
  if (!canRepeat(call)) return false;
  if (code === "BROKER_LOST") return hasAttemptsLeft(call);
  if (code !== "CLOSED") return false;
  // P-KEEP-7: a stored one runs when this broker is back, and must not run at another one.
  return call.isDurable || (!call.message.options.persist && hasAttemptsLeft(call));
}

/** Milliseconds before a call is sent again to a broker that failed it. @param random from 0 up to 1 */
export function pauseAfter(call: Call, { delivery }: Failure, backoff: Backoff, random: number): number {
  call.pauses += 1;
  call.earlier = leastSafe(call.earlier, delivery);
  return pauseBefore(call.pauses, backoff, random);
}

/** Adds the earlier attempts to the failure of the last broker, which does not know them. */
export function afterAll(call: Call, failure: Failure): Failure {
  if (call.attempts <= 1) return failure;
  const delivery = leastSafe(call.earlier, failure.delivery);
  return { ...failure, message: `${failure.message}; it was sent ${call.attempts} times`, delivery };
}

/** Whether nothing of its reply has arrived, and all of its input can be sent again (P-STREAM-9). */
function canRepeat({ hasPartial, input }: Call): boolean {
  return !hasPartial && input?.canStartOver !== false;
}

function hasAttemptsLeft({ isDurable, attempts, pauses, message: { options } }: Call): boolean {
  if (isDurable) return pauses < DEFAULT_ATTEMPTS;
  return options.retry && attempts < (options.maxAttempts ?? DEFAULT_ATTEMPTS);
}

function leastSafe(one: Delivery, other: Delivery): Delivery {
  return DELIVERIES.indexOf(one) > DELIVERIES.indexOf(other) ? one : other;
}
