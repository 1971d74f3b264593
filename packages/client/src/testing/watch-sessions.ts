// Checks every session of a client after every input, and the events of every reply, in every test that imports this file, as all rigs
// do.

import { CheckFailure, StepLimit, watchStreams } from "@pigato/testkit";
import { afterEach } from "vitest";
import { ReplyStream } from "../call.ts";
import { Session } from "../session/session.ts";
import { checkTables } from "./check-tables.ts";
import { SessionObserver } from "./session-observer.ts";

/** With more open requests, their tables are checked seldom, because the check walks all of them. */
const MANY_CALLS = 100;

interface Watch {
  readonly observer: SessionObserver;
  readonly limit: StepLimit;
}

const watches = new WeakMap<Session, Watch>();
const failure = new CheckFailure();
const { handle } = Session.prototype;

watchStreams(ReplyStream.prototype, failure);
afterEach(() => failure.throw());

Session.prototype.handle = function handleChecked(input, now) {
  const { observer, limit } = watchOf(this);
  limit.onStep(now);
  failure.collect(() => observer.before(input));
  const effects = handle.call(this, input, now);
  failure.collect(() => {
    const { calls } = this.exchange;
    if (calls.size < MANY_CALLS || calls.size % MANY_CALLS === 0) checkTables(calls, this.options.limits, now);
    observer.after(input, effects);
  });
  return effects;
};

function watchOf(session: Session): Watch {
  const known = watches.get(session);
  if (known !== undefined) return known;
  const observer = new SessionObserver(session.options);
  const watch = { observer, limit: new StepLimit("a session handles inputs", 100_000) };
  watches.set(session, watch);
  return watch;
}
