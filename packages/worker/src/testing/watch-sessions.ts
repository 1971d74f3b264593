// Checks every session of a worker after every input, in every test that imports this file, as all rigs do.

import { StepLimit } from "@pigato/testkit";
import { afterEach } from "vitest";
import { Session } from "../session/session.ts";
import { checkTables } from "./check-tables.ts";
import { SessionObserver } from "./session-observer.ts";

interface Watch {
  readonly observer: SessionObserver;
  readonly limit: StepLimit;
}

const watches = new WeakMap<Session, Watch>();
const failures: unknown[] = [];
const { handle } = Session.prototype;

afterEach(throwFailure);

Session.prototype.handle = function handleChecked(input, now) {
  const { observer, limit } = watchOf(this);
  try {
    limit.onStep(now);
    observer.before(input, now);
    const effects = handle.call(this, input, now);
    checkTables(this.requests);
    observer.after(input, effects, now);
    return effects;
  } catch (error) {
    failures.push(error);
    throw error;
  }
};

/** Throws the first failure since the last call, which the shell of a worker does not throw to its caller. */
export function throwFailure(): void {
  const [failure] = failures.splice(0);
  if (failure !== undefined) throw failure;
}

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
