// Checks every session of a worker after every input, in every test that imports this file, as all rigs do.

import { CheckFailure, invariant, StepLimit } from "@pigato/testkit";
import { afterEach } from "vitest";
import { Session } from "../session/session.ts";
import { checkTables } from "./check-tables.ts";
import { SessionObserver } from "./session-observer.ts";

interface Watch {
  readonly observer: SessionObserver;
  readonly limit: StepLimit;
}

const watches = new WeakMap<Session, Watch>();
const failure = new CheckFailure();
const { handle } = Session.prototype;

afterEach(() => failure.throw());

Session.prototype.handle = function handleChecked(input, now) {
  const { observer, limit } = watchOf(this);
  limit.onStep(now);
  failure.collect(() => observer.before(input, now));
  const effects = handle.call(this, input, now);
  failure.collect(() => {
    checkTables(this.requests);
    observer.after(input, effects, now);
    const { isLinkSlow, isFlushDue } = this.requests.audit();
    invariant(!isFlushDue || observer.isFlushPending, "partials wait for a flush that does not come");
    invariant(isLinkSlow === observer.isLinkSlow, `the link counts as ${isLinkSlow ? "slow" : "drained"}`);
  });
  return effects;
};

function watchOf(session: Session): Watch {
  const known = watches.get(session);
  if (known !== undefined) return known;
  const watch = {
    observer: new SessionObserver(session.options),
    limit: new StepLimit("a session handles inputs", 100_000),
  };
  watches.set(session, watch);
  return watch;
}
