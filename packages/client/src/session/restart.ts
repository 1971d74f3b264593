// Whether a request that a broker may have had is sent again, and when. The client never sends one again after a partial, which
// the caller would get twice, and no more often than its option `retry` says (P-LOST-4).
//
// A lost link needs no pause: the connection pauses before each new link. A broker that answers and stays connected could be
// sent the same request again and again, so there the request pauses, longer each time.

import { type Backoff, pauseBefore } from "@pigato/peer/session";
import type { Delivery, Failure } from "@pigato/protocol";
import type { Call } from "./calls.ts";

/** How many times a request with `retry: true` may be sent. */
const DEFAULT_ATTEMPTS = 10;

/** From what promises most to what promises least. */
const DELIVERIES: readonly Delivery[] = ["not-sent", "queued", "dispatched", "maybe-executed"];

/** Whether it is sent on the next link. P-KEEP-4: the broker of a durable one still has it, and does not run it again. */
export function survivesLoss(call: Call): boolean {
  return !call.hasPartial && (call.isDurable || hasAttemptsLeft(call));
}

/** Whether it is sent again after a failure of the broker. */
export function survivesFailure(call: Call, { code }: Failure): boolean {
  if (call.hasPartial) return false;
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

/** The failure of a broker, which knows nothing of what earlier brokers did with the request. */
export function afterAll(call: Call, failure: Failure): Failure {
  if (call.attempts <= 1) return failure;
  const delivery = leastSafe(call.earlier, failure.delivery);
  return { ...failure, message: `${failure.message}; it was sent ${call.attempts} times`, delivery };
}

function hasAttemptsLeft({ isDurable, attempts, pauses, message: { options } }: Call): boolean {
  if (isDurable) return pauses < DEFAULT_ATTEMPTS;
  return options.retry && attempts < (options.maxAttempts ?? DEFAULT_ATTEMPTS);
}

function leastSafe(one: Delivery, other: Delivery): Delivery {
  return DELIVERIES.indexOf(one) > DELIVERIES.indexOf(other) ? one : other;
}
