// Bounds the timers that are due at one instant, in every test that imports this package: a core that sets a timer for the present
// whenever it handles one would never return.

import { Deadlines } from "@pigato/protocol/internal";
import { StepLimit } from "./fake-clock.ts";

/** More than any test sets for one instant. */
const MAX_DUE = 200_000;

const limits = new WeakMap<object, StepLimit>();
const { takeDue } = Deadlines.prototype;

Deadlines.prototype.takeDue = function takeDueLimited(now) {
  const due = takeDue.call(this, now);
  if (due === undefined) return undefined;
  const limit = limits.get(this) ?? new StepLimit("timers are due", MAX_DUE);
  limits.set(this, limit);
  limit.onStep(now);
  return due;
};
